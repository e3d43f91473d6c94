"""Copies of a part of the source: what is taken, how much of it, and rouge_score's own scores."""

from statistics import fmean

import pytest
from rouge_score.rouge_scorer import RougeScorer

from trainables.copies import copies
from trainables.data import Example
from trainables.task import Task

TASK = Task(model="m", data="d", source="text", target="summary", prompt="{text}", references="max")
TURNS = [
    "Ann: one red lamp",
    "Ben: two old keys are here",
    "Ann: three",
    "Ben: four wet coats hang in the dark hall",
    "Ann: five maps",
]


def example(source: str, *references: str) -> Example:
    return Example("id", source, source, references)


def test_so_many_are_taken_as_score_highest_on_validation_and_the_rest_is_scored_with_them() -> None:
    validation = [
        example("\n\n".join(TURNS), " ".join(TURNS[:2])),
        example("Ann: a\nBen: b\nAnn: c", "Ann b"),
    ]
    test = [example("Ann: x y\nBen: y\nAnn: z", "Ann x", "Ben y z"), example("alone", "alone")]
    found = copies(TASK, validation, test)
    assert list(found["copy"]) == ["lead", "lead", "tail", "tail", "longest", "longest"]
    assert set(found["units"]) == {"turns"}
    lead, tail, longest = (table for _, table in found.groupby("copy", sort=False))
    assert list(lead["prediction"]) == ["Ann: x y\nBen: y", "alone"]
    assert (lead["length"] == 2).all()
    assert list(longest["prediction"]) == ["Ann: x y", "alone"]
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    for table in (lead, tail, longest):
        for text, score, one in zip(table["prediction"], table["rougeL"], test, strict=True):
            plain = [scorer.score(reference, text)["rougeL"].fmeasure for reference in one.references]
            assert score == pytest.approx(100 * max(plain))
    means = [
        fmean(
            scorer.score(one.references[0], "\n".join(_turns(one)[-length:]))["rougeL"].fmeasure
            for one in validation
        )
        for length in range(1, 6)
    ]
    assert tail["length"].iloc[0] == 1 + means.index(max(means))


def test_a_text_on_one_line_is_cut_into_sentences() -> None:
    article = "It rained. Nobody came to the long meeting! Why? The road was closed."
    found = copies(
        TASK, [example(article, "It rained. Nobody came to the meeting.")], [example(article, "r")]
    )
    assert set(found["units"]) == {"sentences"}
    assert found.set_index("copy")["prediction"].to_dict() == {
        "lead": "It rained. Nobody came to the long meeting!",
        "tail": article,
        "longest": "Nobody came to the long meeting!",
    }


def _turns(one: Example) -> list[str]:
    return [line for line in one.source.splitlines() if line]
