"""Documents of the test split with every method's output beside each other, and the words that differ."""

from dataclasses import dataclass
from difflib import SequenceMatcher

from markupsafe import Markup, escape

from search.records import Results
from search.report.sampled import Example, choose
from trainables.amounts import number, points

DOCUMENTS = 30
"""How many the page holds, from the worst to the best; the filter looks through these."""
MOST_CHARACTERS = 4_000
"""Of a text that is shown; a longer one is cut, and says so."""


@dataclass(frozen=True)
class Text:
    """A method's output as it is shown."""

    method: str
    score: str
    html: Markup


@dataclass(frozen=True)
class Document:
    """One document of the page."""

    id: str
    kind: str
    """`worst`, `typical` or `best`, by the mean score over the methods."""
    score: str
    source: str
    references: list[str]
    outputs: list[Text]


def documents(results: Results) -> list[Document]:
    """Choose documents at evenly spaced quantiles of the mean score, the worst first."""
    chosen = choose(results, DOCUMENTS)
    kinds = [_kind(place, len(chosen)) for place in range(len(chosen))]
    return [_document(example, kind) for example, kind in zip(chosen, kinds, strict=True)]


def _kind(place: int, count: int) -> str:
    return "worst" if 3 * place < count - 1 else "best" if 3 * place > 2 * (count - 1) else "typical"


def _document(example: Example, kind: str) -> Document:
    return Document(
        example.id,
        kind,
        points(example.mean_score),
        clipped(example.source),
        [clipped(reference) for reference in example.references],
        [
            Text(output.method, points(output.score), marked(output.prediction, example.references))
            for output in example.outputs
        ],
    )


def marked(prediction: str, references: list[str]) -> Markup:
    """Escape a prediction and mark the words that its nearest reference lacks at that place."""
    words = clipped(prediction).split()
    matchers = [SequenceMatcher(None, _plain(words), _plain(clipped(r).split()), False) for r in references]
    best = max(matchers, key=SequenceMatcher.ratio, default=None)
    if best is None:
        return escape(" ".join(words))
    shared = {place for block in best.get_matching_blocks() for place in range(block.a, block.a + block.size)}
    return Markup(" ").join(
        word if place in shared else Markup("<mark>{}</mark>").format(word)
        for place, word in enumerate(words)
    )


def clipped(text: str) -> str:
    """Cut a text to `MOST_CHARACTERS` and say how many were left out."""
    left_out = len(text) - MOST_CHARACTERS
    return text if left_out <= 0 else f"{text[:MOST_CHARACTERS]} … ({number(left_out)} more characters)"


def _plain(words: list[str]) -> list[str]:
    return [word.strip(".,;:!?\"'()").casefold() for word in words]
