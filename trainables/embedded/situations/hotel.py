"""Complaining about a hotel room."""

from trainables.embedded import values
from trainables.embedded.grammar import Ending, Situation, pool

SITUATION = Situation(
    topic="hotel complaint",
    slots={
        "place": values.VENUE,
        "room": pool(
            "; ".join(str(n) for n in range(101, 520, 3)),
            unseen="; ".join(str(n) for n in range(102, 520, 9)),
        ),
        "room2": pool(
            "; ".join(str(n) for n in range(603, 690, 4)),
            unseen="; ".join(str(n) for n in range(605, 690, 8)),
        ),
        "fault": pool(
            "The shower only gives cold water => has no hot water; The people next door shout all night => is noisy;"
            "There is a bad smell in there => smells bad; I saw two mice under the bed => has mice;"
            "The heater doesn't come on => is too cold; Water drips from the ceiling => has a leak in the ceiling;"
            "The lock doesn't close => can't be locked; Nobody has cleaned it => is dirty;"
            "The bed is broken => has a broken bed; I can't open the window => is too hot"
        ),
        "gift": pool(
            "breakfast in your room => a free breakfast; two tickets for the pool => free use of the pool;"
            "dinner on us tonight => a free dinner; a bottle of wine => a bottle of wine;"
            "a night that costs nothing => a free night"
        ),
    },
    greetings="""
B: [Good morning|Good evening]. [Welcome to|This is] {place}. Is everything all right?
B: [Hello|Hi], {b} at the front desk. [How can I help|What is the matter]?
""",
    requests="""
{A} complains that room {room} {fault}.
{A} is unhappy at {place}, because room {room} {fault}.
""",
    scenes=(
        """
A: [I'm not happy with my room|I have to complain about my room|There's a problem with my room].
B: [I'm sorry to hear that|Oh dear]. Which room [is it|are you in]?
A: It's {room}. [My name is {a}|{a} is the name|I came last night]. {fault}.
B: [That's terrible|That shouldn't happen] at {place}. [I do apologise|I'm very sorry].

A: [Excuse me|Hello], [I'm {a} in|I'm staying in|I am the guest in] room {room} here at {place}. {fault}!
B: [Oh no|Good heavens], {room}? [I thought it was ready|Nobody told me].
""",
    ),
    endings=(
        Ending(
            """
A: [Can I have another one?|I can't sleep there!]
B: [Of course|Yes]. [You can move to|I'll give you] {room2} [right away|at no cost].
""",
            """
{B} says sorry and gives {A} room {room2}.
{B} moves {A} to room {room2}.
""",
        ),
        Ending(
            """
A: I [want my money back|think I should get something for that].
B: [I can't do that, but I can offer you|Let me give you] {gift}.
A: [Well, that is kind|All right, that will do].
B: [Thank you for your patience|I'll see to it myself].
""",
            """
{B} offers {gift}, and {A} accepts it.
{B} gives {A} {gift} to make up for it.
""",
        ),
        Ending(
            """
A: [What will you do about it|Is there no other room]?
B: I'm afraid {place} is full. I can't [change anything|do anything] until tomorrow.
A: Then [I'm leaving|I'll pack my bags] [now|tonight].
B: [I understand|I'm sorry to lose you]. [I'll prepare the bill|I'll call you a taxi].
""",
            """
There is no other room, so {A} leaves.
{B} has no other room, and {A} leaves the hotel.
""",
        ),
    ),
)
