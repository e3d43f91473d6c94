"""Taking something back to a shop."""

from trainables.embedded import values
from trainables.embedded.grammar import Ending, Situation, pool

SITUATION = Situation(
    topic="returning a purchase",
    slots={
        "item": pool(
            "blue jacket; red jacket; black coat; green coat; white shirt; blue shirt; brown hat; red dress;"
            "black dress; grey jumper; yellow scarf; brown belt; leather bag; wool scarf; white lamp; black lamp;"
            "coffee machine; hair dryer; toaster; radio; kettle; vase; clock; camera; tent",
            unseen="green jacket; brown coat; red shirt; yellow hat; blue dress; white jumper; black belt; leather coat;"
            "wool hat; red lamp; grey bag; blue tent; green kettle",
        ),
        "fault": pool(
            "A button fell off => lost a button; The zip doesn't close => has a broken zip; It's far too big => is too big;"
            "It's too small for me => is too small; I found a hole in it => has a hole;"
            "There is a stain on it => is stained; It stopped working => doesn't work;"
            "My husband doesn't like the look of it => isn't liked; It makes a strange noise => is noisy;"
            "There is a crack in the side => is cracked; Somebody gave me the same one => was bought twice"
        ),
        "price": values.PRICE,
        "day": values.DAY,
        "other_item": pool(
            "pair of gloves; pair of boots; mirror; basket; watch; blanket; pillow; wallet; purse"
        ),
        "shop": values.VENUE,
    },
    greetings="""
B: [Good morning|Good afternoon], welcome to {shop}. [Can I help you|Are you looking for something]?
B: [Hello|Hi], [can I help|what can I do for you]?
""",
    requests="""
{A} wants to return a {item} that {fault}.
{A} brings back a {item} from {day}, because it {fault}.
""",
    scenes=(
        """
A: [Hello|Hi], I bought this {item} [here|in your shop] on {day}. {fault}.
B: [Oh, I'm sorry|Oh dear]. [Do you have the receipt|Have you kept the receipt]?
A: [Yes, here it is|Here you are|It's in my bag]. I paid {price}.
B: [Thank you|Let me see]. {price}, [that's right|yes].

A: [I'd like to return|I want to bring back] this {item}. It [cost|was] {price}.
B: [May I ask why|What's wrong with it]? [It's one of our best|We've just sold two of them].
A: {fault}. [I only bought it on {day}|I was here on {day} to get it].
B: [I see|Yes, you're right]. [How strange|What a pity|I'm sorry].
""",
    ),
    endings=(
        Ending(
            """
A: [Could I have my money back|Can I have a refund][, please|]?
B: [Of course|No problem|Yes]. [Here is your money|You'll have it back today|Here you are, {price}].
""",
            """
{B} gives {A} {price} back.
{A} gets {price} back from {B}.
""",
        ),
        Ending(
            """
A: [Can I have my money back|Will you give me the money][, please|]?
B: [We don't give money back|I can't do that], but you can [choose something else|have something else for it].
A: [Hmm|Well], [then I'll take|then give me] that {other_item}.
B: [A good choice|Certainly]. [I'll wrap it for you|It costs just the same].
""",
            """
{B} doesn't give money back, so {A} takes a {other_item}.
{A} gets a {other_item} instead of {price}.
""",
        ),
        Ending(
            """
A: [So will I get my money back|Can I get a refund][, please|]?
B: I'm sorry, [it was in the sale|it has been worn], so [we can't take it back|there is nothing I can do].
A: [That's not fair|I can't believe it]! I'll [write to your boss|never shop here again|talk to a lawyer].
B: [As you wish|I'm sorry you feel that way]. [Those are the rules|I don't make the rules].
""",
            """
{B} refuses to take it back, and {A} is angry.
{B} doesn't give {price} back, and {A} is angry.
""",
        ),
    ),
)
