"""Booking a table by telephone."""

from trainables.embedded import values
from trainables.embedded.grammar import Ending, Situation, pool

SITUATION = Situation(
    topic="restaurant booking",
    slots={
        "place": values.VENUE,
        "day": values.DAY,
        "day2": values.DAY,
        "count": values.COUNT,
        "time": values.EVENING,
        "time2": values.EVENING,
        "need": pool(
            "a high chair for the baby => a high chair; a table by the window => a window seat;"
            "a menu without meat => a vegetarian menu; a dish without nuts => food without nuts;"
            "a quiet corner => a quiet spot; space for a wheelchair => room for a wheelchair;"
            "a cake with candles => a birthday cake; a seat in the garden => a seat outside"
        ),
    },
    greetings="""
B: [Good evening|Good morning|Hello], {place}. [How can I help you|What can I do for you]?
B: [Hello|Good afternoon], this is {place}, {b} speaking.
""",
    scenes=(
        """
A: [Hello|Hi], [I'd like|I want] to book a table at {place} for {day}.
B: [Certainly|Of course|With pleasure]. [For how many people|How many of you will there be]?
A: There will be {count} of us. [My name is {a}|It's for {a}|We come every year].
B: [Very good|Thank you|I see]. [Let me look at the book|One moment, please].

A: [Is that {place}|Am I speaking to {place}]? This is {a}. [Do you have|Have you got] a table for {count}?
B: [Perhaps|I think so]. [Which day|What day] [do you have in mind|would suit you]?
A: {day}, if [possible|you can].
B: [Let me check|I'm looking at the list], {a}. {day} is [popular|often busy] with us.
""",
        """
A: We also need {need}. [Is that all right|Can you do that]?
B: [Yes, we can do that|That is no problem at all|Yes, just ask when you arrive].

A: [One more thing|Oh], [would it be possible to have|could we have] {need}?
B: [Sure|Of course], [I'll make a note|I'm writing it down|the kitchen will know].
""",
    ),
    endings=(
        Ending(
            """
A: We [want to come|would like to eat] at {time}.
B: [Fine|Perfect], [I've put you down|it's all booked|we'll see you then].
""",
            """
{A} [books|reserves] a table for {count} at {place} for {day} at {time} and asks for {need}.
{A} [calls|phones] {place} and gets a table on {day} at {time} for {count} people, with {need}.
A table for {count} at {place} is booked [by|for] {A} for {time} on {day}. {A} also wants {need}.
{B} [takes a booking from {A}|gives {A} a table] for {count} on {day} at {time} with {need}.
""",
        ),
        Ending(
            """
A: Could we have it at {time}?
B: [I'm afraid|I'm sorry, but] we're full on {day}. [What about|How about] {day2} [instead|at the same time]?
A: [Hmm, all right|Well, we can do that]. {day2} [is fine|will do].
B: [Wonderful|Good], [I've written it down|you are on the list].

A: [How about|Shall we say] {time}?
B: [Sorry|Oh], there is no table left on {day}. We [still have one|could fit you in] on {day2}.
A: Then [let's take|I'll take] {day2}.
B: [Done|Excellent]. [See you then|We look forward to it].
""",
            """
{A} wants a table for {count} on {day}, but {place} is [full|booked out], so {A} [takes|agrees to] {day2} at {time}.
As {place} is full on {day}, {A} [books|reserves] a table for {count} on {day2} and asks for {need}.
{B} [offers|suggests] {day2} because {day} is booked out. {A} [accepts|takes] the table for {count} with {need}.
{A} [ends up with|has to accept] a table for {count} at {place} on {day2} instead of {day}.
""",
        ),
        Ending(
            """
A: And could we come at {time}?
B: [Sorry|I'm afraid not], the only free table is at {time2}.
A: [That won't work for us|No, that is too difficult]. I'll [try somewhere else|ask another restaurant].
B: I'm sorry. [Maybe another time|Please call again].
""",
            """
{A} [tries|wants] to book a table for {count} at {place} on {day} but [gives up|goes elsewhere] as {time} is taken.
{place} can't seat {A} at {time} on {day}, so {A} will [try|look for] another restaurant.
{B} can only offer {A} a table at {time2}. {A} [declines|refuses] and will [go elsewhere|eat somewhere else].
{A} doesn't book a table for {count} at {place}, because only {time2} is free on {day}.
""",
        ),
    ),
)
