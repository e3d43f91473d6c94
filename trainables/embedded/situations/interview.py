"""A job interview."""

from trainables.embedded import values
from trainables.embedded.grammar import Ending, Situation, pool

SITUATION = Situation(
    topic="job interview",
    slots={
        "job": pool(
            "cook; driver; teacher; gardener; nurse; baker; waiter; cleaner; painter; designer; secretary; salesman;"
            "translator; mechanic; photographer; guide; barber; plumber",
            unseen="bus driver; piano teacher; hotel cook; museum guide; house painter; car salesman",
        ),
        "firm": values.VENUE,
        "years": pool("two; three; four; five; six; seven; eight; nine; ten; twelve"),
        "town": values.TOWN,
        "strength": pool(
            "I never miss a deadline => being on time; I get on with everyone => being friendly;"
            "I stay calm when it gets busy => staying calm; I speak four languages => knowing languages;"
            "I like to learn new things => learning fast; I can lift heavy things all day => being strong;"
            "I notice every little mistake => being careful; I always have new ideas => having ideas"
        ),
        "date": values.DATE,
        "pay": values.PRICE,
        "lack": pool(
            "You can't drive => can't drive; You have never led a team => has never led a team;"
            "You don't speak French => speaks no French; You can't work at weekends => isn't free at weekends;"
            "You have no papers => has no papers; You live too far away => lives too far away"
        ),
    },
    greetings="""
B: [Good morning|Hello], [please sit down|come in]. [I'm {b}|My name is {b}|Did you find us easily]?
B: [Welcome|Thank you for coming] to {firm}. [I'm {b}|Please take a seat].
""",
    scenes=(
        """
A: [Good morning|Hello], [I'm {a}|my name is {a}|I wrote to you]. I'm here about the job as a {job}.
B: [Ah yes|Right], {firm} [is looking for|needs] a {job}. [Have you done this before|What have you done so far]?
A: [Yes|Well], I worked as a {job} in {town} for {years} years.
B: {years} years in {town}. [Good|That sounds interesting|That's useful].

A: [I saw that|I read that] {firm} needs a {job}. [I'm {a}, and I'd love to do it|I'm interested].
B: [Tell me about yourself|Please tell me a little about yourself]. [Where do you work now|Where have you worked]?
A: For {years} years I've been [in|working in] {town}, also as a {job}.
B: [I see|Good]. [People in {town} say nice things about you|That is a long time].
""",
        """
A: [As for my strengths|Well, my friends would say|People often tell me]: {strength}.
B: [That's important here|That is just what we need|I like that].

A: [I'd say this is my best side|I'm proud of one thing]: {strength}.
B: [Good|Very good], [I'll write that down|not many people can say that].
""",
    ),
    endings=(
        Ending(
            """
A: [So what do you think|When will I hear from you]?
B: [The job is yours|I'd like to hire you]. Can you start on {date} for {pay} a day?
A: [Yes, gladly|I'd love to|Of course]!
B: [Then welcome to the team|Wonderful, see you then].
""",
            """
{A} [gets|is offered] the job as a {job} at {firm} and will start on {date}.
{B} [hires|takes on] {A}, who has worked in {town} for {years} years, as a {job} from {date}.
{A} is good at {strength} and gets [hired|the job] as a {job} for {pay} a day.
At an interview, {B} offers {A} [work|a job] as a {job} at {firm} from {date}.
""",
        ),
        Ending(
            """
A: [Do you have any other questions|Is there anything else you want to know]?
B: [Not now|No]. [You'll hear from us by|We will call you on|We'll write to you by] {date}.
""",
            """
{A} applies for a job as a {job} at {firm} and will [get an answer|hear from {B}] by {date}.
{B} interviews {A}, a {job} with {years} years in {town}, and will [decide|answer] by {date}.
{A} tells {B} about {years} years as a {job} and about {strength}. {B} will [decide|reply] by {date}.
After [talking to|an interview with] {A} for a job as a {job}, {B} will call by {date}.
""",
        ),
        Ending(
            """
A: [Do I get the job|Have I got a chance]?
B: I'm afraid not. {lack}, and [we really need that|that matters to us].
A: [Oh, what a pity|That's sad]. [I understand|Thank you for being honest].
B: [I'm sorry|Don't give up]. [I wish you all the best|You'll find something else].
""",
            """
{A} doesn't get the job as a {job} at {firm}, because {A} {lack}.
After {years} years as a {job} in {town}, {A} is not hired by {firm}, since {A} {lack}.
{A}, who {lack}, is [rejected|turned down] as a {job} in spite of {years} years in {town}.
{B} [says no to|rejects] {A}, who wanted to be a {job} at {firm} but {lack}.
""",
        ),
    ),
)
