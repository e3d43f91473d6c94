"""Talk that has nothing to do with the errand: it must be left out of a summary.

Some of it speaks about third persons and names other days and prices, so that neither "keep every name" nor
"keep every number" is a summary.
"""

SMALL_TALK = """
A: [It's raining hard|It's so cold|It's very hot|What a windy day it is] [today|again today].
B: [Yes|I know], [I left my umbrella at home|I hope it gets better by {other_day}|they say it will last until {other_day}].

A: Are you very busy [today|at the moment]?
B: [A little|Well, it is nearly the holidays|Yes], [two of us are ill|{other} is away today|{other_day} is usually quiet].

A: [How is your family|Is your family well]? [I saw them on {other_day}|I haven't seen them for ages].
B: [Fine, thank you|Quite well]. {other}, [my cousin|the oldest|the youngest], [has moved to {other_town}|sends you best wishes].

A: Sorry, [it's noisy here|I have a cold|there's a lot of noise]. [Can you hear me|Can you still hear me]?
B: [Yes, don't worry|No problem|Yes, I can hear you well]. [Go on|Please go on|Take your time].

A: [My friend|My neighbour|My colleague] {other} told me [about you|to ask you|you would help].
B: Oh, {other}! [We went to school together|{other} comes here every {other_day}|{other} lives near my house].

A: Did you [see|watch] the [match|game|film] on {other_day}?
B: [Only the second half|No, I fell asleep|Yes, {other} and I loved it|No, {other} told me about it].

A: [My neighbour|My cousin|My friend] {other} [bought|sold] a [car|boat|piano|horse] for {other_price}.
B: [Really|Oh]? {other} [is always full of surprises|must be very happy|never tells me anything].

A: [My colleague|My cousin|My friend] {other} [moves|is moving] to {other_town} on {other_day}.
B: {other_town}? [It is a pretty town|My aunt lives there|I grew up there|It is a long way from here].

A: [The bus was late again|The traffic was terrible|There was no place to park] [today|this morning].
B: [I know|Oh dear], [it took me an hour as well|they are mending the road|{other} had the same trouble].

A: [I need a coffee|I'm a bit tired]. [The baby kept us awake|The neighbours had a party] [all night|last night].
B: [Oh dear|Poor you]. [I could do with some tea as well|I hope you sleep better tonight].

A: {other} is [getting married|starting a new job|having a baby|going back to school] [in the spring|in June|soon].
B: [Really|That's great news]! {other} [only told me about the dog|has been hoping for it|deserves it].

A: Oh, {other} [says hello|sends you best wishes]. We [met|had lunch] in {other_town} on {other_day}.
B: [How kind|That's nice]. {other} [wants|promised] to [visit me soon|call me|cook for us].
"""

GOODBYES = """
A: [Thank you|Thanks] [so much|very much|a lot]. [Goodbye|Bye|See you]!
A: [Okay|All right], [goodbye|bye].
A: [I have to go now|I must hurry]. [Goodbye|Bye].
A: [Well|Okay], [thanks for your time|have a nice day].
"""
