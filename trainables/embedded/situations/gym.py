"""Joining or leaving a gym."""

from trainables.embedded import values
from trainables.embedded.grammar import Ending, Situation, pool

SITUATION = Situation(
    topic="at the gym",
    slots={
        "sport": pool(
            "yoga; boxing; dancing; swimming; cycling; climbing; tennis; judo; rowing; table tennis; running; volleyball",
            unseen="ice climbing; rock climbing; indoor cycling; indoor tennis",
        ),
        "goal": pool(
            "I sit in an office all day => sits all day; I want to lose some weight => wants to lose weight;"
            "My doctor told me to move more => was sent by a doctor; I'd like to meet people => wants to meet people;"
            "I'm getting ready for a race => trains for a race; I sleep badly => sleeps badly;"
            "I hurt my knee in the winter => had a hurt knee; I want to climb a high mountain => dreams of a mountain"
        ),
        "fee": values.PRICE,
        "coach": values.FIRST_NAME,
        "day": values.DAY,
        "time": values.TIME,
        "months": pool("three; six; nine; twelve"),
        "bring": pool(
            "clean shoes => clean shoes; a towel => a towel; a bottle of water => water; a photo of yourself => a photo;"
            "a lock for your things => a lock; a letter from your doctor => a doctor's letter"
        ),
    },
    greetings="""
B: [Hi there|Hello], [welcome to the gym|nice to see you]. I'm {b}. [Have you been here before|What can I do for you]?
B: [Good evening|Good morning], [can I help you|are you new here]?
""",
    scenes=(
        """
A: [Hi|Hello], [I'm {a}|my name is {a}|I live round the corner]. I'm interested in {sport}.
B: [Great|Good choice]. [Have you done it before|Why {sport}]?
A: [Not yet|To be honest, no]. {goal}.
B: [Then it's just right for you|I see|Many people say that]. [It's good for everybody|You'll love it].

A: [Hello|Good evening], {goal}. [What would you suggest|Do you have something for me]?
B: [Let me think|Let me see]. [Would you like to try|How about] {sport}?
A: {sport}? [Why not?|That sounds like fun.] [I'm {a}, by the way|I used to watch it on television].
B: [Nice to meet you|Wonderful]. [Our group is small|We have a new room for that].
""",
        """
A: [Who is the teacher|Who gives the lessons]? [Is it hard?|I'm a little scared.]
B: {coach} [teaches|gives] {sport}. {coach} is [very patient|really friendly|strict but fair].

A: I [know|have met] {coach}. [Does {coach} still work here|Isn't {coach} one of your teachers]?
B: [Yes|Sure], {coach} [is in charge of {sport}|runs the group] [now|this year].
""",
    ),
    endings=(
        Ending(
            """
A: [When can I start|When is the first lesson]?
B: On {day} at {time}. [Please bring|Don't forget] {bring}.
""",
            """
{A} [signs up for|will take up] {sport} with {coach}. The first lesson is on {day} at {time}.
{A} {goal} and [will start|starts] {sport} on {day}. {A} has to bring {bring}.
{B} tells {A} to [come|be there] on {day} at {time} for {sport} with {coach} and to bring {bring}.
{A} will [try|learn] {sport} with {coach} on {day} at {time}.
""",
        ),
        Ending(
            """
A: [How much is it|What do you charge]?
B: It's {fee} a month, [and you sign for|for at least] {months} months.
A: {months} months? [That's a long time|I travel a lot]. [I'll think about it|I need to sleep on it].
B: [Take your time|No hurry]. [Come and watch on {day}|The first lesson is free].
""",
            """
{A} is interested in {sport} but [isn't sure about|hesitates to sign for] {months} months at {fee}.
{sport} costs {fee} a month for {months} months, so {A} will [think about it|decide later].
{A} {goal} and asks about {sport}, but {months} months seems too long to {A}.
{B} [offers|recommends] {A} {sport} for {fee} a month. {A} wants to think about it.
""",
        ),
        Ending(
            """
A: [Can I join the group|May I begin] on {day}?
B: [Sorry, but|I'm afraid] the group is full. [I can put you on the list|You'd have to wait] for {months} months.
A: [Oh, that's a pity|I see]. [Put me on the list, please|All right, I'll wait].
B: [Good|Done]. [I'll call you|{coach} will call you] [when there's a place|in time].
""",
            """
The {sport} group is full, so {A} goes on a waiting list for {months} months.
{A} wants to start {sport} on {day} but has to wait {months} months.
{A} {goal} and would like to do {sport}. As the group is full, {A} [waits|has to wait].
{B} puts {A} on the waiting list for {sport} with {coach}.
""",
        ),
    ),
)
