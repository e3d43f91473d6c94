"""A tenant talks to the landlord."""

from trainables.embedded import values
from trainables.embedded.grammar import Ending, Situation, pool

SITUATION = Situation(
    topic="talking to the landlord",
    slots={
        "street": values.STREET,
        "number": pool(
            "; ".join(str(n) for n in range(3, 90, 2)), unseen="; ".join(str(n) for n in range(4, 90, 6))
        ),
        "thing": pool(
            "fridge; oven; front door; washing machine; kitchen tap; bath; bedroom window; boiler; lift; stairs light;"
            "garage door; heater; kitchen floor; bathroom lamp",
            unseen="kitchen window; bathroom tap; back door; bedroom heater; bathroom floor; bedroom lamp",
        ),
        "effect": pool(
            "We have to wash at my mother's => must wash elsewhere; The children are freezing => has a cold flat;"
            "All my food has gone bad => has lost food; I can't sleep because of the noise => can't sleep;"
            "The water ran down to the neighbours => has flooded the neighbours; I nearly broke my leg => almost had an accident;"
            "My visitors laugh about it => is embarrassed; My electricity bill has doubled => pays too much for power"
        ),
        "day": values.WEEKDAY,
        "rent": values.PRICE,
        "worker": values.FIRST_NAME,
        "weeks": pool("two; three; four; five; six; eight"),
    },
    greetings="""
B: [Hello|Yes], [{b} speaking|this is {b}]. [Who's calling|What is it]?
B: [Good evening|Oh, hello]. [How is the flat|Is everything all right in the flat]?
""",
    scenes=(
        """
A: [Hello|Good evening], [this is {a} from|I'm calling from] {number} {street}. The {thing} is broken.
B: [Again?|Really?|Oh no!] [I only had it mended last year|It was new when you came]. [How bad is it|Since when]?
A: [Very bad|For {weeks} weeks now]. {effect}.
B: [That's no good|I see]. [I didn't know that|Why didn't you call earlier].

A: [Hi|Good morning], it's [{a}|me] [at|from] {number} {street}. {effect}!
B: [Calm down|Oh my goodness]. [What's going on|What has happened]?
A: [It's|It's all because of] the {thing}. [It doesn't work|It has broken down] and I can't mend it.
B: The {thing}? [I thought that was fine|I had no idea].
""",
        """
A: I [wrote to you|asked you to come] {weeks} weeks ago, [you know|remember].
B: [I never got a letter|I've been away|I must have forgotten]. {weeks} weeks, [really|you say]?

A: I pay {rent} a week for this [flat|place].
B: {rent} is [not much|very little] for {street}, [you know|I must say].
""",
    ),
    endings=(
        Ending(
            """
A: [So what will you do|Can you send somebody]?
B: [I'll send|I'll call] {worker}. {worker} [can be there|will come and mend it] on {day}.
""",
            """
The {thing} at {number} {street} is broken, and {worker} will [mend|repair] it on {day}.
{A} [reports|complains about] a broken {thing}. {B} [sends|will send] {worker} on {day}.
{B} promises {A} that {worker} will [come|be there] on {day} to mend the {thing}.
{A} {effect} because of a broken {thing}, which {worker} will [mend|repair] on {day}.
""",
        ),
        Ending(
            """
A: [Will you pay for a new one|Who is going to pay for this]?
B: [Buy one yourself|Get one], and [I'll take it off the rent|you can pay less rent]. [Up to|But only] {rent}.
A: [Good|That sounds fair], [I'll go shopping on {day}|I'll keep the bill].
B: [Fine|Agreed], [and send me a photo|and thank you for calling].
""",
            """
{A} may buy a new {thing} for {rent} and pay less rent.
{B} [lets {A}|allows {A} to] buy a new {thing} and will take {rent} off the rent.
{A}'s {thing} is broken. {B} [agrees|offers] to take {rent} off the rent if {A} replaces it.
{A} {effect}, so {B} [agrees to|will] pay {rent} for a new {thing}.
""",
        ),
        Ending(
            """
A: [Are you going to do something|When will it be mended]?
B: [Not this month|I have no money for that]. [You must have broken it|It's your own fault].
A: [Then I'm moving out|If so, I won't pay any rent] [after|from] {day}!
B: [Do as you please|You don't mean that]. [Others would love to live there|We'll see about that].
""",
            """
{B} [won't|refuses to] mend the {thing} at {number} {street}, and {A} [is angry|is not going to pay].
{A} {effect} due to the {thing}, but {B} [does nothing|refuses to help], and they argue.
{A} and {B} [argue|quarrel] about a broken {thing}, which {B} won't mend.
{B} blames {A} for the broken {thing}, and {A} [protests|is angry].
""",
        ),
    ),
)
