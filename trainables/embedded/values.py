"""Slot values that several situations share, with the ones kept for the test split.

Towns, streets, surnames and venues are compounds (``Ash`` + ``ford``, ``golden`` + ``lion``): a test split can
hold hundreds of names that training never saw although each of their parts is familiar.
"""

from __future__ import annotations

from trainables.embedded.grammar import Pool, pool

_HELD_OUT_EVERY = 5
"""One compound in five is kept for the test split."""


def _compounds(first: str, second: str, joined: str) -> Pool:
    """All pairs of a first and a second part, split by position into seen and unseen ones."""
    pairs = [
        (i + 2 * j, joined.format(a, b))
        for i, a in enumerate(first.split())
        for j, b in enumerate(second.split())
    ]
    return Pool(
        seen=tuple(word for place, word in pairs if place % _HELD_OUT_EVERY),
        unseen=tuple(word for place, word in pairs if place % _HELD_OUT_EVERY == 0),
    )


_TOWN_STEMS = (
    "Ash Oak Elm Brook Mill Clear Fair Green Hill King Lake Marsh North West Red Spring White Win Wood Stone"
)
_TOWN_ENDS = "ford field ton bury well dale ham worth stead mere gate port"
_SURNAME_STEMS = "Bar Car Dal Den Ever Far Gar Hal Har Kel Lang Mar Nor Pres Rad Shel Stan Thorn Whit Wil"
_SURNAME_ENDS = "lock cott wood ley mond ris den by nell ridge son bridge"

TOWN = _compounds(_TOWN_STEMS, _TOWN_ENDS, "{}{}")
SURNAME = _compounds(_SURNAME_STEMS, _SURNAME_ENDS, "{}{}")
STREET = Pool(
    seen=tuple(f"{town} {kind}" for kind in ("Street", "Road", "Lane") for town in TOWN.seen),
    unseen=tuple(f"{town} {kind}" for kind in ("Street", "Road", "Lane") for town in TOWN.unseen),
)
VENUE = _compounds(
    "Golden Silver Blue Red Green White Black Old Little Happy Hungry Quiet Lucky Royal Sunny",
    "Lion Swan Horse Garden Table Spoon Lantern Anchor Kettle Bell Oak Rose Crown Fox Dragon",
    "the {} {}",
)
PRICE = Pool(
    seen=tuple(f"{n} pounds" for n in range(15, 400, 5) if n % 35),
    unseen=tuple(f"{n} pounds" for n in range(15, 400, 5) if n % 35 == 0),
)
DATE = Pool(
    seen=tuple(
        f"{m} {d}" for m in ("March", "April", "May", "June", "July", "August") for d in range(2, 31) if d % 5
    ),
    unseen=tuple(
        f"{m} {d}" for m in ("March", "April", "May", "June", "July", "August") for d in range(5, 31, 5)
    ),
)
DAY = pool("Monday; Tuesday; Wednesday; Thursday; Friday; Saturday; Sunday")
WEEKDAY = pool("Monday; Tuesday; Wednesday; Thursday; Friday")
_HOURS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
TIME = Pool(seen=tuple(f"{h} o'clock" for h in _HOURS) + tuple(f"half past {h}" for h in _HOURS))
EVENING = pool(
    "six o'clock; half past six; seven o'clock; half past seven; eight o'clock; half past eight; nine o'clock"
)
COUNT = pool("two; three; four; five; six; seven; eight; nine; ten; twelve")
MINUTES = pool("five; ten; fifteen; twenty; thirty; forty")

FIRST_NAME = pool(
    "Aaron; Abby; Adam; Agnes; Alan; Albert; Alice; Amanda; Amelia; Andrea; Andrew; Angela; Anna; Anton; Arthur;"
    "Barbara; Ben; Bernard; Beth; Brenda; Brian; Bruno; Carla; Carmen; Carol; Caroline; Catherine; Cecil; Celia;"
    "Charles; Charlotte; Chloe; Christine; Clara; Colin; Connor; Cora; Cynthia; Daisy; Daniel; Daphne; David; Dawn;"
    "Dennis; Derek; Diana; Dominic; Donald; Doris; Duncan; Edith; Edward; Edwin; Eileen; Elena; Eliza; Ella; Elliot;"
    "Emily; Emma; Eric; Erica; Ernest; Esther; Ethan; Eva; Evelyn; Felix; Fiona; Florence; Frances; Frank; Fred;"
    "Gavin; George; Gerald; Gina; Gloria; Gordon; Grace; Graham; Hannah; Harold; Harriet; Harvey; Hazel; Helen;"
    "Henry; Hilda; Holly; Howard; Hugo; Ian; Ida; Irene; Iris; Isaac; Ivan; Jack; Jacob; Jane; Janet; Jason; Jean;"
    "Jenny; Jeremy; Jill; Joan; John; Jonathan; Joseph; Joyce; Judith; Julia; Julian; Karen; Kate; Keith; Kenneth;"
    "Kevin; Laura; Lauren; Leo; Leonard; Lewis; Lily; Linda; Lisa; Logan; Louise; Lucas; Lucy; Luke; Lydia; Mabel;"
    "Margaret; Maria; Marian; Mark; Martha; Martin; Mary; Matthew; Max; Melissa; Michael; Miriam; Molly; Monica;"
    "Nancy; Naomi; Natalie; Nathan; Neil; Nicholas; Nina; Nora; Norman; Oliver; Olivia; Oscar; Pamela; Patricia;"
    "Patrick; Paul; Paula; Penny; Peter; Philip; Phoebe; Rachel; Ralph; Raymond; Rebecca; Richard; Robert; Robin;"
    "Roger; Rosa; Rose; Ruby; Ruth; Sally; Samuel; Sandra; Sarah; Sean; Sharon; Sheila; Simon; Sofia; Sonia; Stella;"
    "Stephen; Stuart; Susan; Sylvia; Teresa; Theo; Thomas; Tina; Tony; Vera; Victor; Victoria; Vincent; Walter;"
    "Wendy; William; Zoe",
    unseen="Adrian; Alison; Amber; Benjamin; Bridget; Camilla; Claire; Denise; Dylan; Eleanor; Elsa; Finn; Georgia;"
    "Gilbert; Gwen; Heather; Hugh; Ingrid; Jasper; Joanna; Josh; Kirsty; Lawrence; Leonora; Marcus; Marina; Maurice;"
    "Mira; Nigel; Noel; Owen; Pauline; Petra; Quentin; Rosalind; Rupert; Selma; Sidney; Tamara; Tilda; Toby; Ursula;"
    "Violet; Wallace; Yvonne",
)
