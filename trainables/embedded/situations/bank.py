"""At the bank."""

from trainables.embedded import values
from trainables.embedded.grammar import Ending, Situation, pool

SITUATION = Situation(
    topic="at the bank",
    slots={
        "amount": pool(
            "; ".join(f"{n} thousand pounds" for n in range(2, 60) if n % 5),
            unseen="; ".join(f"{n} thousand pounds" for n in range(5, 60, 5)),
        ),
        "aim": pool(
            "I want to open a small bakery => to open a bakery; My roof needs mending => to mend a roof;"
            "I'd like to buy a van for my work => to buy a van; My son starts university soon => to pay for a son's studies;"
            "We're going to build a garage => to build a garage; I must replace the kitchen => for a new kitchen;"
            "I dream of a little boat => to buy a boat; We'd like to sail round the world => for a long journey;"
            "The farm needs another tractor => to buy a tractor; My wedding is in June => to pay for a wedding"
        ),
        "months": pool("six; ten; twelve; twenty; thirty; forty; fifty; sixty"),
        "paper": pool(
            "your passport => a passport; a letter from your boss => a letter from work; a list of your savings => a list of savings;"
            "your tax papers => tax papers; somebody who will pay if you can't => a guarantor"
        ),
        "date": values.DATE,
        "clerk": values.SURNAME,
    },
    greetings="""
B: [Good morning|Good afternoon]. [I'm Mr. {clerk}|I'm Mrs. {clerk}]. [How can I help you|What brings you here]?
B: [Hello|Good morning], [please come in|do sit down]. [How can I help|What can I do for you]?
""",
    requests="""
{A} wants to borrow {amount} {aim}.
{A} asks {B} for {amount} {aim}.
""",
    scenes=(
        """
A: [Good morning|Hello]. [I'm {a}|My name is {a}|I have an account here]. I'd like to borrow {amount}.
B: [I see|Right]. [May I ask what for|And what is the money for]?
A: {aim}. [I've wanted to for years|It can't wait any longer].
B: [How exciting|I understand]. [Let me open your file|I'll look at your account].

A: [I need a loan|I want to ask for a loan]. {aim}.
B: [Very well|Good], [how much do you need|what sum are we talking about]?
A: [About|Around] {amount}. [The name is {a}|I think that's enough|I am {a}, by the way].
B: [That is a fair sum|All right]. [Let me see|I need a moment].
""",
    ),
    endings=(
        Ending(
            """
A: [Will you lend it to me|So, can I have it]?
B: Yes, [you can pay it back|if you pay it back] in {months} months. [Please sign here|The money comes on {date}].
""",
            """
{B} agrees, and {A} has {months} months to pay it back.
{B} lends {A} the money for {months} months.
""",
        ),
        Ending(
            """
A: [Is that enough for you|What else do you need]?
B: [Please bring|I still need] {paper}. [Then we can talk again|Come back with it] on {date}.
""",
            """
{B} needs {paper} first, and they will talk again on {date}.
{B} tells {A} to come back with {paper} on {date}.
""",
        ),
        Ending(
            """
A: [Can I have the money|When can I have it]?
B: I'm afraid {amount} is too much. [You still owe us|You have not paid back] the last loan.
A: [Oh|I see]. [I don't know what to do|That's bad news].
B: [Pay that back first|Save a little more] and ask me again [after|on] {date}.
""",
            """
{B} refuses because of an old loan, and {A} can ask again after {date}.
{B} says no until the last loan is paid back.
""",
        ),
    ),
)
