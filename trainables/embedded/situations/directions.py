"""Asking a passer-by for the way."""

from trainables.embedded import values
from trainables.embedded.grammar import Ending, Situation, pool

SITUATION = Situation(
    topic="asking directions",
    slots={
        "goal": pool(
            "the post office; the library; the museum; the train station; the town hall; the hospital; the theatre;"
            "the swimming pool; the market; the police station; the art gallery; the stadium; the castle",
            unseen="the city library; the old castle; the market hall; the train museum; the art school",
        ),
        "street": values.STREET,
        "street2": values.STREET,
        "mark": pool(
            "the church; the bridge; the bakery; the fountain; the park; the chemist; the cinema; the school;"
            "the car park; the flower shop; the bank; the tower",
            unseen="the shoe shop; the old bridge; the school park; the bank tower",
        ),
        "minutes": values.MINUTES,
        "bus": pool(
            "; ".join(str(n) for n in range(2, 99, 3)), unseen="; ".join(str(n) for n in range(4, 99, 9))
        ),
        "why": pool(
            "I'm meeting a friend there => to meet a friend; I have an appointment there => for an appointment;"
            "I left my bag there => to find a bag; my daughter is waiting for me there => to pick up a daughter;"
            "I want to take some pictures there => to take pictures; I start work there today => to start a new job"
        ),
    },
    scenes=(
        """
A: [Excuse me|Sorry to trouble you], [how do I get to|which way is|do you know the way to] {goal}?
B: {goal}? [That's quite far|Let me think|It has moved, you know]. It's [in|on] {street} now.
A: [I see|Oh], [I am new here|I don't know this town]. {why}.
B: [No problem|Don't worry], [it's easy to find|I know the town well].

A: [Excuse me|Pardon me], I'm [looking for|trying to find] {goal}. {why}.
B: [Oh|Right], {goal}. [You are on the wrong side of town|Many people ask me that]. You want {street}.
""",
        """
A: [Is that near|Do I pass] {street2}? [My map is very old|My phone has no battery].
B: [No|Not at all], {street2} is [behind you|the other way]. [Look for|Watch out for] {mark}.

A: {street}? [I was told|My map says] it was in {street2}.
B: [It was, years ago|No, that is the old one]. [You'll see|There is] {mark} next to it.
""",
    ),
    endings=(
        Ending(
            """
A: Can I walk [there|it]?
B: [Sure|Yes], [go straight on|turn left here] [until you see|and then pass] {mark}. It takes {minutes} minutes.
""",
            """
{A} [asks|wants to know] the way to {goal} {why}. {B} says it's a {minutes} minute walk to {street}.
{B} tells {A} to walk past {mark} to reach {goal} in {street}, {minutes} minutes away.
{A} can walk to {goal} in {minutes} minutes. {B} [explains|says] that it's by {mark} in {street}.
{A} needs to get to {goal} {why}, and {B} [sends|directs] {A} on foot to {street}.
""",
        ),
        Ending(
            """
A: [Is it far on foot|How long does it take to walk]?
B: Too far. [Take|Better take|Catch] bus {bus} [over there|from the corner] and get off at {mark}.
A: Bus {bus}. [And how long will it take|How long is the ride]?
B: [About|Only|Some] {minutes} minutes.
""",
            """
{B} [advises|tells] {A}, who wants to go to {goal} {why}, to take bus {bus}.
{A} is looking for {goal}. {B} [says|explains] it's too far to walk and [suggests|recommends] bus {bus}.
To reach {goal} in {street}, {A} has to ride bus {bus} for {minutes} minutes, says {B}.
{A} wants to go to {goal} {why}. Bus {bus} takes {minutes} minutes.
""",
        ),
        Ending(
            """
A: [It sounds difficult|I'm afraid I'll get lost].
B: [Come with me, then|Wait]. [I'm going that way|I live next to it]. I'll [take|drive|walk] you there.
A: [Really|Are you sure]? [You're so kind|That would be lovely].
B: [It's only|We need only] {minutes} minutes. My name is {b}.
""",
            """
{A} is looking for {goal} {why}, and {B} [offers to|will] take {A} there.
{B} [goes with|accompanies] {A} to {goal} in {street}, {minutes} minutes away.
{A} can't find {goal}. {B}, who is going the same way, [shows {A} the way|takes {A} along].
{A} asks {B} the way to {goal}, and they [go|set off] to {street} together.
""",
        ),
    ),
)
