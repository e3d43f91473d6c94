"""A pupil talks to a teacher."""

from trainables.embedded import values
from trainables.embedded.grammar import Ending, Situation, pool

SITUATION = Situation(
    topic="at school",
    slots={
        "teacher": values.SURNAME,
        "work": pool(
            "history essay; science report; French letter; German letter; maths homework; art project; music project;"
            "book report; biology poster; geography map; poem; short story; history poster; science poster",
            unseen="history report; art poster; French essay; German report; music essay; geography project; biology report",
        ),
        "excuse": pool(
            "My computer broke down => had a broken computer; I had a high fever => was ill; Our dog ate it => blames the dog;"
            "I left it on the train => left it on a train; I was at my cousin's wedding => was at a wedding;"
            "I had to look after my little brother => had to watch a brother; We had no light at home => had no power;"
            "I thought it was for next month => mixed up the dates; I played in a match => had a match;"
            "I couldn't find the book anywhere => couldn't find the book"
        ),
        "day": values.WEEKDAY,
        "day2": values.WEEKDAY,
        "task": pool(
            "give a talk to the class => give a talk; help me in the library => help in the library;"
            "water the plants for a month => water the plants; tidy the cupboards => tidy the cupboards;"
            "write two pages more => write two extra pages; read a book about bees => read a book"
        ),
        "helper": values.FIRST_NAME,
        "pages": pool("two; three; four; five; six; seven; eight"),
    },
    greetings="""
B: [Good morning|Hello], {a}. [You look worried|Did you want to see me|You're early today].
B: {a}, [can I have a word|may I speak to you for a moment]? [It's about your work|It won't take long].
""",
    scenes=(
        """
A: [Excuse me|Hello], [Mr. {teacher}|Mrs. {teacher}]. [I haven't finished|I don't have] my {work}.
B: [But it's due today|It was due on {day2}]. [What happened|How is that]?
A: {excuse}. [I'm really sorry|I feel bad about it].
B: [I see.|Is that so?] [The others have all done it|That's the second time this month].

A: [Mr. {teacher}, can we talk|Mrs. {teacher}, do you have a minute]? {excuse}.
B: [I'm sorry to hear it|Oh dear]. [But why do you tell me|And what can I do]?
A: [Well|You see], the {work} [isn't ready|is not done]. [It was due on {day2}|I know it's due].
B: [Ah|I understand], the {work}. [I was waiting for it|I thought you had forgotten].
""",
        """
A: I've [got|done] {pages} pages [so far|already], and {helper} [is helping me|has read them].
B: {helper} [is a good pupil|knows a lot]. {pages} pages [is not bad|is a start].

A: {helper} [was late as well|didn't do it either], and nothing happened!
B: {helper} [had a letter from home|is not my pupil]. [Let's talk about you|That's another story].
""",
    ),
    endings=(
        Ending(
            """
A: [Could I have|May I have|Will you give me] more time?
B: [All right|Fine]. [Bring it|Hand it in] on {day}, [but not later|and do it well].
""",
            """
{A} hasn't [done|finished] the {work} and [gets|is given] more time until {day}.
{A} {excuse}, so [Mr.|teacher] {teacher} lets {A} hand in the {work} on {day}.
{B} gives {A}, who {excuse}, time for the {work} until {day}.
The {work} is late because {A} {excuse}. The new date is {day}.
""",
        ),
        Ending(
            """
A: [Will I get a bad mark|Is there any way to make up for it]?
B: [Not if you|You can] {task}. [Start on {day}|And I want the {work} on {day}].
A: [Okay, I'll do that|That's fair]. [I promise|You won't be sorry].
B: [Good|I'm glad], {a}. [Now go to your class|I know you can do it].
""",
            """
{A} hasn't done the {work} and has to {task} to make up for it.
{A} {excuse} and has no {work}. {B} [tells|asks] {A} to {task}.
To avoid a bad mark for the {work}, {A} will {task}.
{B} [makes|lets] {A} {task}, as the {work} isn't [ready|done].
""",
        ),
        Ending(
            """
A: [So what happens now?|Please don't be angry!]
B: [I don't believe you|I'm tired of this]. I'll [call|speak to] your parents on {day}.
A: [Oh no, please don't|But it's true]! [Ask {helper}|My father will be so angry].
B: [I've made up my mind|You should have come earlier]. [Off you go|That's all].
""",
            """
{B} [doesn't believe|is tired of hearing] why {A} has no {work} and will call the parents on {day}.
{A} says that {A} {excuse}, but {B} will [talk to|call] {A}'s parents.
As {A} has not done the {work}, {B} will speak to {A}'s parents on {day}.
{A} {excuse}, but the teacher is [angry|not pleased] about the {work} and calls {A}'s parents.
""",
        ),
    ),
)
