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
        "trip": pool(
            "drive to Italy; take a child to school; move house; visit my parents; go camping; deliver bread"
        ),
        "town": values.TOWN,
        "mechanic": values.FIRST_NAME,
    },
    greetings="""
B: [Good morning|Hello]. [Nice to see you|I'm {b}]. [What's wrong with the car|What can we do for you]?
B: [Garage|Hello], {b} speaking. [What can I do for you|How can I help]?
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
        """
A: I have to {trip} [soon|this week]. [I really need it|I can't do that on foot].
B: [I understand|Of course], [we'll try to be quick|everybody needs it yesterday].

A: [Is it dangerous|Can I still drive it]? I [must|want to] {trip}.
B: [I wouldn't|Better not]. [It could stop at any time|You'd be in trouble].
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
{A}'s {car} {sign}. The garage will [change|replace] the {part} for {price} by {day}.
{B} will repair the {part} of {A}'s {car} for {price}, and it'll be ready on {day}.
{A} [brings|takes] a {car} that {sign} to the garage and can [fetch it|pick it up] on {day}.
A new {part} for {A}'s {car} costs {price}. {A} [agrees|accepts] and comes back on {day}.
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
{A}'s {car} {sign}, and {A} chooses a used {part} for {price2} [instead of|over] a new one.
{B} offers {A} a new {part} for {price}, but {A} takes an old one for {price2}.
To [save money|pay less], {A} has a used {part} put into the {car} for {price2}.
The {part} of {A}'s {car} is broken. {A} [picks|chooses] a used one for {price2}.
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
{A} sells a {car} that {sign} to the garage for {price}, as it isn't worth mending.
{B} buys {A}'s {car} for {price}, because it {sign} and is too old.
It's not worth repairing the {part}, so {A} [sells|gives] the {car} to {B} for {price}.
{A}'s {car} {sign}. {B} [advises|persuades] {A} to sell it for {price}.
""",
        ),
    ),
)
