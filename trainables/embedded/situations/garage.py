"""Having a car repaired."""

from trainables.embedded import values
from trainables.embedded.grammar import Ending, Situation, pool

SITUATION = Situation(
    topic="car repair",
    slots={
        "car": pool(
            "old van; small van; red car; blue car; yellow car; white taxi; motorbike; green truck; school bus; sports car",
            unseen="blue van; red truck; old taxi; green sports car; white bus; yellow motorbike",
        ),
        "sign": pool(
            "The engine makes a terrible noise => is noisy; It won't start in the morning => doesn't start;"
            "The brakes hardly work => has bad brakes; There's smoke coming out => is smoking;"
            "It drinks too much petrol => needs too much petrol; It drives to the left by itself => pulls to the left;"
            "The lights stay dark => has no lights; I hit a wall => hit a wall; A cow ran into me => was hit by a cow;"
            "The heating never stops => is too hot inside"
        ),
        "part": pool(
            "a cable => cable; the battery => battery; the fuel pump => fuel pump; the front wheel => front wheel;"
            "the oil filter => oil filter; the back axle => back axle; a belt => belt"
        ),
        "price": values.PRICE,
        "price2": values.PRICE,
        "day": values.WEEKDAY,
        "town": values.TOWN,
        "mechanic": values.FIRST_NAME,
    },
    greetings="""
B: [Good morning|Hello]. [Nice to see you|I'm {b}]. [What's wrong with the car|What can we do for you]?
B: [Garage|Hello], {b} speaking. [What can I do for you|How can I help]?
""",
    requests="""
{A} brings a {car} that {sign} to the garage.
{A}'s {car} {sign} and has a broken {part}.
""",
    scenes=(
        """
A: [Hello|Good morning], [I'm {a}|it's {a} again|I hope you can help me]. It's about my {car}. {sign}.
B: [That sounds bad|I see]. [When did that begin|Did it come suddenly]?
A: [On the way to {town}|It started near {town}|Yes, in {town}]. [Can you tell what it is|I've no idea why].
B: [Let me look|{mechanic} will have a look|Open it, please]. [Hm, I think|Right,] it's {part}.

A: {sign}! [I mean|I'm talking about] my {car}, [outside|over there]. [I'm {a}|I only just got here from {town}].
B: [I saw you coming|Good that you came]. [Give me the keys|Leave it here]. {mechanic}, [have a look|come here]!
A: [What do you think|Can you see anything]? [It was fine in {town}|It's only two years old].
B: [Well|Now I see], [it must be|the trouble is] {part}.
""",
    ),
    endings=(
        Ending(
            """
A: [How much will it be|What will it cost]?
B: {price}. [You can pick it up|It will be ready] on {day}.
A: [Okay, do it|Fine]. [I'll be back then|I'll take the bus until then].
B: [See you|All right]. [{mechanic} will start now|We'll wash it as well].
""",
            """
{B} will change the {part} for {price} by {day}.
A new {part} costs {price}, and {A} comes back on {day}.
""",
        ),
        Ending(
            """
A: [What does that cost|How much]?
B: [A new one is|We charge] {price}. [But we have|Or you can take] an old one for {price2}.
A: [I'll take the old one|The old one, please]. [That's good enough|I don't have much money].
B: [As you like|No problem]. [It's done by {day}|{mechanic} will put it in].
""",
            """
{A} takes an old {part} for {price2} instead of a new one for {price}.
{A} chooses an old {part} for {price2} to save money.
""",
        ),
        Ending(
            """
A: [Can you mend it|And what does it cost]?
B: [It isn't worth it|I'm sorry, it's too old]. [Sell it to us|I could buy it from you] for {price}.
A: [Oh, I loved it|That makes me sad]. [But all right, {price}|Well, it's yours].
B: [A wise choice|Thank you]. [{mechanic} can drive you home|You'll have the money on {day}].
""",
            """
It isn't worth mending, so {A} sells it to {B} for {price}.
{B} buys it for {price}, because it is too old.
""",
        ),
    ),
)
