"""Seeing the doctor."""

from trainables.embedded import values
from trainables.embedded.grammar import Ending, Situation, pool

SITUATION = Situation(
    topic="at the doctor's",
    slots={
        "doctor": values.SURNAME,
        "part": pool(
            "back; neck; left knee; right knee; shoulder; stomach; left foot; right hand; elbow; chest; throat; ankle",
            unseen="left elbow; right shoulder; left ankle; right foot; left hand",
        ),
        "days": pool("two; three; four; five; six; ten"),
        "cause": pool(
            "I fell off my bike => a fall from a bike; I carried heavy boxes => carrying boxes;"
            "I slept on a friend's sofa => sleeping on a sofa; I slipped on the ice => slipping on ice;"
            "I danced all night => dancing; I worked in the garden => gardening;"
            "I lifted a washing machine => lifting a machine; I ran a long race => a race;"
            "I sat at a desk all month => sitting too long; A football hit me => a football"
        ),
        "cure": pool(
            "Rub this cream in every night => a cream; Swallow one of these pills a day => pills;"
            "Put some ice on it => ice; Keep it warm => warmth; Do these exercises every morning => exercises;"
            "Go swimming twice a week => swimming; Wear this bandage => a bandage;"
            "Have a hot bath every evening => hot baths; Drink a lot of tea => tea"
        ),
        "day": values.DAY,
        "plan": pool(
            "fly to Spain => a flight to Spain; play in a concert => a concert; run in a race => a race;"
            "go to a wedding => a wedding; climb a mountain => a climb; take my driving test => a driving test;"
            "move house => moving house; go skiing => a ski trip"
        ),
    },
    greetings="""
B: [Good morning|Hello], [I'm|my name is] Dr. {doctor}. [What seems to be the trouble|What can I do for you]?
B: [Come in|Next, please]. [Please sit down|Take a seat]. [What's the matter|Where does it hurt]?
""",
    requests="""
{A} has a pain in the {part} from {cause}.
{A}'s {part} hurts because of {cause}.
""",
    scenes=(
        """
A: [Hello|Good morning], Dr. {doctor}. [I'm {a}|My name is {a}|I need your help]. My {part} hurts.
B: [I see|Oh dear]. [How long have you had it|Since when]? [Do you know why|What happened]?
A: [For|It has been] {days} days. {cause}.
B: [Ouch|Ah], [that explains it|I thought so]. [Let me have a look|Lie down, please].

A: [Dr. {doctor}, I've had|Dr. {doctor}, I've got] this pain in my {part} for {days} days.
B: [Let me see|Show me], [please|if you don't mind]. [Did anything happen|How did it start]?
A: Well, {cause}. [I couldn't get up the next day|It was silly of me].
B: [I see|That's common]. [Your {part} is quite red|There's nothing broken].
""",
        """
A: [It's worst at night|I can hardly sleep|I can't work like this]. [What should I do|Can you do something]?
B: {cure}. [That helps most people|You'll feel better soon].

A: [I tried some tea, but it's no good|I took some pills from my neighbour]. [Is there anything else|What now]?
B: [Try something else|Listen to me]. {cure}.
""",
    ),
    endings=(
        Ending(
            """
A: [When should I come back|Do I have to come again]?
B: [Come again|Let me see you again|Come back] on {day} [if it still hurts|in any case].
""",
            """
Dr. {doctor} recommends {cure} and will see {A} again on {day}.
{A} should try {cure} and come back on {day}.
""",
        ),
        Ending(
            """
A: But I wanted to {plan} on {day}! [Is that all right|Can I still do it]?
B: [No|I'm afraid not]. [You must stay at home|You have to rest|That would make it worse].
""",
            """
Dr. {doctor} recommends {cure} and doesn't allow {plan} on {day}.
{A} should try {cure} and has to miss {plan} on {day}.
""",
        ),
        Ending(
            """
A: [I'd rather not|I hate that]. [Can't you send me to a hospital|Shouldn't we take an X-ray]?
B: [Well, if you like|All right]. [They can see you|I'll book an X-ray for you] on {day}.
A: {day}? [Good, that makes me feel better|That suits me].
B: [Until then, rest|Don't worry too much], [please|and sleep well].
""",
            """
Dr. {doctor} recommends {cure} but then sends {A} to hospital on {day}.
{A} doesn't want {cure} and goes to hospital on {day}.
""",
        ),
    ),
)
