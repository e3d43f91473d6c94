"""Buying a train ticket."""

from trainables.embedded import values
from trainables.embedded.grammar import Ending, Situation, pool

SITUATION = Situation(
    topic="train ticket",
    slots={
        "town": values.TOWN,
        "day": values.DAY,
        "time": values.TIME,
        "time2": values.TIME,
        "price": values.PRICE,
        "count": pool("two; three; four; five; six"),
        "why": pool(
            "It's my mother's birthday => for a mother's birthday; I'm going to a concert => for a concert;"
            "I have to give a talk there => to give a talk; I'm visiting my old school => to visit an old school;"
            "I want to see the sea => to see the sea; My daughter has had a baby => to see a grandchild;"
            "I'm running in a race => for a race; My cousin is getting married => for a wedding;"
            "I'm looking at a house there => to look at a house; My team plays there => to watch a match"
        ),
        "trouble": pool(
            "there is too much snow => snow; the drivers don't work that day => a strike; a tree fell on the line => a fallen tree;"
            "they are mending a bridge => work on a bridge; the river is too high => a flood"
        ),
        "platform": pool(
            "; ".join(str(n) for n in range(1, 20, 2)), unseen="; ".join(str(n) for n in range(4, 20, 4))
        ),
    },
    greetings="""
B: [Good morning|Good afternoon|Next, please]. [Where would you like to go|Where are you going]?
""",
    requests="""
{A} wants {count} tickets to {town} on {day} {why}.
{A} asks {B} for {count} tickets to {town} {why}.
""",
    scenes=(
        """
A: [Hello|Good morning], {count} tickets to {town}, please. [We're going on|It's for] {day}.
B: [Single or return|One way or both ways]? [And do you have a rail card|Are there any children]?
A: [Return, please|Both ways]. {why}.
B: [How nice|I see]. [I'll have a look|Let me see what there is].

A: [Hi|Good afternoon], [we need to be in|we'd like to travel to] {town} on {day}. {why}.
B: [Lovely|Of course]. [How many of you are there|How many tickets is that]?
A: {count}, [there and back|and we come back on Sunday]. [My name is {a}|We have no rail card].
B: {count} tickets to {town}. [Just a moment|Let me check the times].
""",
    ),
    endings=(
        Ending(
            """
A: [And what does it cost|How much is that]?
B: {price} [in all|altogether]. The train [leaves|goes] at {time} from platform {platform}.
A: [Here you are|I'll pay by card]. [Platform {platform}, right|At {time}, did you say]?
B: [That's right|Exactly]. [Have a good journey|Enjoy your trip].
""",
            """
{A} pays {price} for the train at {time}.
The train at {time} costs {price}.
""",
        ),
        Ending(
            """
A: We [want to|have to] be there by {time}.
B: [I'm sorry|Oh dear], there are no trains on {day}, because {trouble}. [You could|Why don't you] take the bus.
A: [Where does the bus leave|And how much is the bus]?
B: [It leaves|It goes] from the square at {time2} and costs {price}.
""",
            """
There are no trains because of {trouble}, so {B} suggests the bus at {time2}.
{B} suggests the bus for {price}, because of {trouble}.
""",
        ),
        Ending(
            """
A: [How much does it cost|What's the price]?
B: That's {price}. [Only first class is left|It's a holiday, you see].
A: {price}? [That's far too much|We can't pay that]. [Then we'll drive|We'll go by car, then].
B: [As you like|I understand]. [It's a pretty road|Drive safely].
""",
            """
It costs {price}, so {A} decides to drive.
{A} finds {price} too much and goes by car.
""",
        ),
    ),
)
