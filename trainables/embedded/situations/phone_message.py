"""Somebody called while a colleague was out."""

from trainables.embedded import values
from trainables.embedded.grammar import Ending, Situation, pool

SITUATION = Situation(
    topic="taking a message",
    slots={
        "caller": values.FIRST_NAME,
        "firm": values.VENUE,
        "matter": pool(
            "the lesson has to be moved => moving a lesson; the parcel has not arrived => a missing parcel;"
            "the bill is wrong => a wrong bill; the van has broken down => a broken van; the keys are lost => lost keys;"
            "the flowers came too late => late flowers; the contract must be signed => a contract;"
            "two chairs are missing => missing chairs; the painting is finished => a finished painting;"
            "the price has gone up => a higher price"
        ),
        "day": values.WEEKDAY,
        "day2": values.WEEKDAY,
        "time": values.TIME,
        "number": pool(
            "; ".join(f"{n} {m}" for n in range(204, 800, 67) for m in range(115, 990, 83)),
            unseen="; ".join(f"{n} {m}" for n in range(231, 800, 97) for m in range(140, 990, 157)),
        ),
        "mood": pool("quite angry; very polite; in a hurry; worried; a little rude; cheerful"),
    },
    greetings="""
B: [I'm back|Hello], [did I miss anything|any news]?
B: [Hi, {a}|Good afternoon]. [Has anybody called|Were there any calls] [for me|while I was out]?
""",
    scenes=(
        """
A: {caller} from {firm} [called|rang] [while you were out|this morning]. {caller} was {mood}.
B: {caller} from {firm}? [What was it about|What did {caller} want]?
A: {caller} said that {matter}.
B: [Oh no|Not again|I see]. [I knew it|I nearly forgot about that].

A: [There you are, {b}|Ah, {b}]. There was a call from {firm}. [It was|The caller was] {caller}, [and it sounded important|I think].
B: [Oh|Hmm]. [And what did {caller} say|Did {caller} leave a message]?
A: [Yes|Well], {caller} [told me|wants you to know] that {matter}.
B: [Good to know|That's all I needed]. [Was {caller} angry|How did {caller} sound]?
""",
        """
A: {caller} [will only be there|works] until {day2}, I believe.
B: [Only until {day2}|{day2}]? [Then I must hurry|That's soon].

A: {caller} [sounded tired|spoke so fast] and [asked about|said something about] {day2}.
B: {day2}? [I'll look in my diary|I'm away on {day2}, though].
""",
    ),
    endings=(
        Ending(
            """
A: [Please call back|You should ring back]. The number is {number}.
B: {number}. [I'll do it|I'll call {caller}] [at once|after lunch|before {time}].
""",
            """
{caller} from {firm} called about {matter}, and {B} will call back.
{A} tells {B} that {caller} [rang|called] because of {matter}. {B} will ring {number}.
{B} is going to call {caller} at {firm} [about|because of] {matter}.
{A} [passes on|gives {B}] a message from {caller} about {matter} and the number {number}.
""",
        ),
        Ending(
            """
A: {caller} [wants to meet you|will come here] on {day} at {time}.
B: [All right|Good], {day} at {time} [is fine|suits me]. [Can you tell {caller}|Please write back for me].
A: [Sure|Of course]. [Shall I book a room|I'll send a note].
B: [Yes, please|That would help]. [Thank you|You're a star].
""",
            """
{caller} called about {matter} and will meet {B} on {day} at {time}.
{A} tells {B} about a call from {firm}. {B} agrees to [see|meet] {caller} on {day} at {time}.
{B} will [meet|see] {caller} from {firm} on {day} because of {matter}.
{caller} wants to [talk to|meet] {B} on {day} about {matter}, {A} reports, and {B} agrees.
""",
        ),
        Ending(
            """
A: [Will you call back|Do you want to talk to {caller}]?
B: [No|Certainly not]. [Tell {caller} that I'm ill|I have no time for {caller}]. [Will you talk to {caller}|Could you do it], {a}?
A: [Me|Do I have to]? [Well, all right|Okay, but only this once].
B: [Thanks|I owe you one]. [I'll buy you lunch|I'll make it up to you] on {day}.
""",
            """
{B} doesn't want to talk to {caller} about {matter}, so {A} has to [do it|call].
{caller} from {firm} called about {matter}. {B} asks {A} to [deal with it|call back].
{A} agrees to speak to {caller} about {matter} [for|instead of] {B}.
{A} will [call|answer] {caller} from {firm}, since {B} [avoids it|won't].
""",
        ),
    ),
)
