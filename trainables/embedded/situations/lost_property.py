"""Asking at the lost property office."""

from trainables.embedded import values
from trainables.embedded.grammar import Ending, Situation, pool

SITUATION = Situation(
    topic="lost property",
    slots={
        "item": pool(
            "brown wallet; black umbrella; red umbrella; blue bag; green bag; grey hat; silver ring; gold ring; violin;"
            "school bag; black suitcase; brown suitcase; white phone; black phone; red purse; camera; wool scarf; laptop",
            unseen="green umbrella; red wallet; blue suitcase; white bag; gold watch; brown hat; grey phone; black purse",
        ),
        "spot": pool(
            "on the bus => on a bus; in the park => in a park; on a bench by the river => by the river;"
            "in a taxi => in a taxi; at the cinema => in a cinema; at the market => at a market; on the beach => on a beach;"
            "in the waiting room => in a waiting room; at the hairdresser's => at a hairdresser's; on a train => on a train"
        ),
        "town": values.TOWN,
        "day": values.DAY,
        "mark": pool(
            "There's a yellow star on it => a yellow star; My name is written inside => a name in it;"
            "It has a scratch on the left => a scratch; A little bear hangs from it => a little bear;"
            "One corner is torn => a torn corner; It has a ticket in it => a ticket in it"
        ),
        "finder": values.FIRST_NAME,
        "fee": pool("; ".join(f"{n} pounds" for n in range(2, 14)), unseen=""),
        "number": pool(
            "; ".join(str(n) for n in range(703, 990, 7)),
            unseen="; ".join(str(n) for n in range(705, 990, 21)),
        ),
    },
    greetings="""
B: [Hello|Good morning], lost property office. [What have you lost|How can I help you]?
B: [Next, please|Good afternoon]. [Are you looking for something|What have you lost]?
""",
    requests="""
{A} lost a {item} {spot} in {town} on {day}.
{A} asks about a {item} with {mark} that was lost {spot}.
""",
    scenes=(
        """
A: [Hello|Good afternoon], I [left|forgot] my {item} {spot} [in|near] {town}.
B: [When was that|What day was it]? [And who are you|Was there anything in it]?
A: [It was on|I think it was] {day}. [I'm {a}|My name is {a}|I'm sure of it].
B: {day}. [Please fill in this form|I'll look in the cupboard|We get so many of those].

A: [Has anybody found|Have you seen] my {item}? [I lost it|I must have lost it] on {day}.
B: [Maybe|Possibly]. [Where did you lose it|Where did you last have it]?
A: {spot}, [in|somewhere in] {town}. [Please, it was a present|I'm {a}, if you need my name].
B: [In {town}|I see]. [That's not unusual|We'll see what we can do].
""",
        """
A: {mark}[, if that helps|].
B: [Good to know|That helps], [there are many like it|now I can look for it].

A: [How will you know it's mine|Do you need to know more]? {mark}.
B: [Thank you|Very well], [that is enough|I'll write that down].
""",
    ),
    endings=(
        Ending(
            """
A: [Is it here|Have you got it]?
B: [You're lucky|Yes, look]! {finder} [brought it in|handed it in] [yesterday|this morning]. [That's|It costs] {fee}.
""",
            """
{finder} found it, and {A} pays {fee}.
{finder} brought it in, and {A} gets it back for {fee}.
""",
        ),
        Ending(
            """
A: [So do you have it|Can you see it]?
B: No, [it's not here|nobody has brought it]. [Try again|Come again] in a week and say number {number}.
A: [A week|Oh no]! [What if it doesn't turn up|I need it so much].
B: [Don't give up hope|Most things turn up in the end]. [I'll call you|We'll keep looking].
""",
            """
It isn't there, and {A} has to ask again in a week.
Nobody has found it, so {A} should ask again with number {number}.
""",
        ),
        Ending(
            """
A: [Is that it over there|And that one on the shelf]?
B: [This one|This one here]? [It belongs to|We have to keep it for] {finder}. [It only looks the same|There's a letter in it].
A: [Are you certain?|What a pity.] [Then I'll go to the police|I'd better call the police].
B: [Yes, do that|That's the best thing]. [They sit in|Their office is in] {town}.
""",
            """
The one in the office is {finder}'s, so {A} goes to the police.
{B} only has one that is {finder}'s and sends {A} to the police.
""",
        ),
    ),
)
