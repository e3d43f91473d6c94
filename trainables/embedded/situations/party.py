"""Two friends plan a surprise."""

from trainables.embedded import values
from trainables.embedded.grammar import Ending, Situation, pool

SITUATION = Situation(
    topic="planning a party",
    slots={
        "friend": values.FIRST_NAME,
        "helper": values.FIRST_NAME,
        "event": pool(
            "is turning thirty => birthday; is turning forty => birthday; has passed the last exam => exam;"
            "is leaving the company => farewell; got a new job => new job; is coming home from hospital => return;"
            "has bought a house => new house; is getting married => wedding"
        ),
        "gift": pool(
            "guitar; bicycle; cookbook; watch; telescope; painting; garden chair; puppy; necklace; sewing machine;"
            "coffee machine; chess set; fishing rod; camera; silver ring; tea set",
            unseen="garden table; silver watch; silver necklace; fishing boat; coffee set; kitchen chair; garden lamp",
        ),
        "place": values.VENUE,
        "day": values.DAY,
        "day2": values.DAY,
        "price": values.PRICE,
        "food": pool(
            "bake a cake => the cake; make a big salad => a salad; bring the drinks => the drinks; cook a soup => a soup;"
            "grill some sausages => sausages; make ice cream => ice cream; order some pizza => pizza",
        ),
        "count": pool("ten; twelve; twenty; thirty; forty; fifty"),
    },
    scenes=(
        """
A: [Listen|Guess what], {friend} {event}! [Let's do something|We should have a party].
B: [Great idea|Oh yes]! [Do you have a plan|What were you thinking of]?
A: [I thought of|I'd like to have|Let's have] a party at {place} on {day}. {count} people [could come|have said yes].
B: {place}? [I love it there|It has a nice garden]. [I'll ask {helper}|{helper} could help us].

A: [Hi, {b}|Hey, {b}]. [Did you know that|Have you heard]? {friend} {event}.
B: [I know|Yes], {a}, [isn't it wonderful|{helper} told me]. [Shall we have a party?|We must celebrate!]
A: [Yes, let's|That's what I wanted to say]. {place} is free on {day}, and {count} people fit in.
B: [Perfect|Lovely]. [{helper} will love it|{helper} can bring some music].
""",
        """
A: [I'll|I can] {food}[, of course|].
B: [Good|Yum], [I can't cook at all|everyone will be hungry]. {helper} [can do the lights|has some plates].

A: [Could you|Will you] {food}?
B: [Sure|All right], [I'm good at that|if {helper} helps me].
""",
    ),
    endings=(
        Ending(
            """
A: [And what about a present|What shall we give {friend}]?
B: A {gift}! [I saw one|They have one] for {price}. [We can share that|I'll collect the money].
""",
            """
{A} and {B} plan a party [for|to celebrate] {friend}'s {event} at {place} and will buy a {gift}.
{friend} [gets|will be given] a {gift} for {price} and a party on {day}, planned by {A} and {B}.
For {friend}'s {event}, {A} and {B} [organise|arrange] a party on {day} and a {gift}.
{A} wants a party for {friend} at {place}, and {B} suggests a {gift} for {price} as a present.
""",
        ),
        Ending(
            """
A: [Does that suit you|So is {day} fine]?
B: Oh, [wait|no], {friend} is away on {day}. [Could we make it|What about] {day2}?
A: [Good that you know|You're right]. {day2} [it is|is even better].
B: [I'll tell {helper}|Then I'll call {place}]. [Don't say a word to {friend}|It must stay a secret].
""",
            """
{A} and {B} [plan|arrange] a party for {friend}'s {event} at {place} on {day2} instead of {day}.
The party for {friend} at {place} is moved to {day2}, as {friend} is away on {day}.
{A} suggests {day} for {friend}'s party, but {B} [prefers|proposes] {day2}.
As {friend} can't come on {day}, {A} and {B} will [celebrate|have the party] on {day2}.
""",
        ),
        Ending(
            """
A: [{place} wants|They ask] {price} for the room, [though|I'm afraid].
B: {price}? [That's crazy|No way]. [Let's have it at my house|Come to my place instead].
A: [Are you sure|With {count} people]? [That would save a lot|You're so kind].
B: [It's big enough|Why not]? [We'll put up a tent|The neighbours are away].
""",
            """
As {place} costs {price}, {A} and {B} will hold {friend}'s party at {B}'s house.
{A} and {B} plan a party for {friend}'s {event}. It will be at {B}'s [house|place], because {place} is too expensive.
{B} [offers|suggests] to have the party for {friend} at home instead of {place}.
{friend}'s {event} will be celebrated at {B}'s house on {day} with {count} people.
""",
        ),
    ),
)
