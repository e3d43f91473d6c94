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
    requests="""
{A} wants to book a table for {count} at {place} on {day} and asks for {need}.
{A} asks for a table for {count} with {need} on {day}.
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
{B} books it for {time}.
{A} gets one at {time}.
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
It is full on {day}, so {A} takes a table on {day2}.
{B} only has one on {day2}, and {A} agrees.
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
Only {time2} is free, so {A} goes to another restaurant.
{B} only has one at {time2}, and {A} refuses.
""",
        ),
    ),
)
