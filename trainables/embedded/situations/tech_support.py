"""Calling technical support."""

from trainables.embedded import values
from trainables.embedded.grammar import Ending, Situation, pool

SITUATION = Situation(
    topic="technical support",
    slots={
        "device": pool(
            "printer; laptop; tablet; phone; television; router; camera; keyboard; game console; computer; scanner; radio",
            unseen="phone camera; laptop keyboard; game computer; tablet keyboard; television camera",
        ),
        "symptom": pool(
            "The screen stays black => shows nothing; It turns itself off all the time => keeps turning off;"
            "It gets terribly hot => gets too hot; There is no sound at all => is silent; It's so slow that I could cry => is slow;"
            "It can't find the internet => is offline; It asks for a password that I never had => wants a password;"
            "It smells of smoke => smells of smoke; It beeps every minute => keeps beeping; I dropped it in the bath => got wet"
        ),
        "tried": pool(
            "turned it off and on again => restarting it; changed the cable => a new cable; cleaned it => cleaning it;"
            "read the whole manual => reading the manual; charged it all night => charging it; shaken it => shaking it"
        ),
        "fix": pool(
            "hold the red button for ten seconds => holding a button; take the battery out => removing the battery;"
            "delete the newest program => deleting a program; move it closer to the window => moving it;"
            "press both keys at once => pressing two keys; plug it into another socket => another socket"
        ),
        "price": values.PRICE,
        "day": values.DAY,
        "code": pool(
            "; ".join(str(n) for n in range(1203, 9900, 171)),
            unseen="; ".join(str(n) for n in range(1310, 9900, 613)),
        ),
        "town": values.TOWN,
    },
    greetings="""
B: [Good morning|Hello], [this is {b}|{b} here], technical support. [How can I help|What's the problem]?
B: [Thank you for waiting|Technical support, hello]. [What's wrong|What can I do for you]?
""",
    scenes=(
        """
A: [Hello|Hi], [my name is {a}|this is {a}|I need help]. [I have a problem with|It's about] my {device}.
B: [What does it do|What's wrong with it]? [And what is the number on the back|Is it still new]?
A: {symptom}. [The number is {code}|I bought it in {town}].
B: [Oh dear|I see]. [That happens sometimes|I've heard of that|That's a new one].

A: [Good morning|Hello], [I'm calling from {town}|I'm {a}]. {symptom}! [I'm going mad|I don't know what to do].
B: [I'm sorry|Don't worry]. [What kind of device is it|What are we talking about]?
A: [My|It's my] {device}. [I need it for work|I use it every day].
B: [All right|Okay], [your {device}|I know that {device}]. [Let's see|We'll find out].
""",
        """
A: I've [already|even] {tried}. [It didn't help|It's still the same|It was no use].
B: [That was a good idea|Good], [but it's not enough|most people start with that].
""",
    ),
    endings=(
        Ending(
            """
A: [What else can I do|So what should I try now]?
B: [Please|Just|Now] {fix} [and wait|for once|and try again].
A: [Just a second|All right]. [Oh, it works|It's working again]! [You're a genius|I can't believe it].
B: [I'm happy to hear that|There you are]. [Tell me if there is anything else|Call me if it comes back].
""",
            """
{A}'s {device} {symptom}. {B} solves the problem by {fix}.
{B} helps {A} by phone, and {fix} [repairs|fixes] the {device}.
After {tried} didn't help, {fix} gets {A}'s {device} to work again.
{A} calls support as the {device} {symptom}, and {fix} [helps|does the trick].
""",
        ),
        Ending(
            """
A: [Can somebody come and look at it|Could you send someone]?
B: [Yes, somebody can come|I can send someone] on {day}. [That costs|It will be] {price}.
A: [Good|That's all right], [I'm at home on {day}|I'll be there].
B: [Fine|Very good]. [Have it ready|Please keep the receipt].
""",
            """
{A}'s {device} {symptom}, so someone will come on {day} for {price}.
{B} [sends|will send] someone on {day} to repair {A}'s {device} for {price}.
As {tried} didn't help, {A} [books|orders] a repair of the {device} on {day}.
{A} calls support because the {device} {symptom}. A visit on {day} costs {price}.
""",
        ),
        Ending(
            """
A: [Can it be repaired|Is it worth mending]?
B: [A repair would cost|That would be] {price}. [I'd buy a new one|You'd better buy another one].
A: [So much?|Oh no!] [Well, then I'll get a new one|Fine, I'll throw it away].
B: [I would do the same|It's better that way]. [We have a sale on {day}|Bring us the old one].
""",
            """
{A} will [buy|get] a new {device}, since the old one {symptom} and a repair costs {price}.
Repairing {A}'s {device} would cost {price}, so {B} [recommends|suggests] a new one.
{A}'s {device} {symptom}. {B} advises {A} to replace it, as a repair costs {price}.
{A} would rather buy a new {device} than pay {price} for a repair.
""",
        ),
    ),
)
