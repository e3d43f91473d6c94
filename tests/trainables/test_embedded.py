"""The dialogues and the small model that ship with tuneoff."""

import hashlib
import json
import re
from itertools import chain, islice, pairwise
from random import Random
from statistics import mean

import pytest
from rouge_score.rouge_scorer import RougeScorer
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from trainables.embedded import MODEL, generate, load_splits
from trainables.embedded.dialogues import compose, stream, summaries
from trainables.embedded.grammar import Pool, choose_words, fill, lines, slots_of, variants
from trainables.embedded.situations import situations
from trainables.embedded.values import FIRST_NAME, STREET, SURNAME, TOWN, VENUE

REFERENCES = ("summary1", "summary2", "summary3")
GOLDEN = "52a8"
MOST_BYTES = 6_000_000
COPY_BASELINES = {
    "first three turns": lambda turns: "\n".join(turns[:3]),
    "last three turns": lambda turns: "\n".join(turns[-3:]),
    "longest turn": lambda turns: max(turns, key=len),
}


@pytest.fixture(scope="module")
def splits() -> dict[str, list[dict[str, str]]]:
    return generate()


@pytest.fixture(scope="module")
def model() -> PreTrainedModel:
    return AutoModelForSeq2SeqLM.from_pretrained(MODEL)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return AutoTokenizer.from_pretrained(MODEL)


def texts(rows: list[dict[str, str]]) -> str:
    return "\n".join(text for row in rows for text in row.values())


def test_rows_are_the_same_on_every_machine() -> None:
    rows = generate(train=3, validation=2, test=2, seed=7)
    assert rows == generate(train=3, validation=2, test=2, seed=7)
    digest = hashlib.sha256(json.dumps(rows).encode()).hexdigest()
    assert digest.startswith(GOLDEN), f"the rows changed, and so does every result with them: {digest[:4]}"


def test_another_seed_gives_other_rows() -> None:
    assert generate(train=3, seed=1)["train"] != generate(train=3, seed=2)["train"]


def test_a_larger_training_split_leaves_the_other_rows_as_they_are() -> None:
    small, large = (generate(train=count, validation=5, test=5) for count in (5, 10))
    assert small["test"] == large["test"]
    assert small["validation"] == large["validation"]
    assert small["train"] == large["train"][:5]


def test_frames_have_the_columns_of_their_split() -> None:
    frames = load_splits(seed=3)
    assert [len(frames[split]) for split in ("train", "validation", "test")] == [2000, 200, 300]
    assert list(frames["train"]) == list(frames["validation"]) == ["id", "dialogue", "summary", "topic"]
    assert list(frames["test"]) == ["id", "dialogue", *REFERENCES, "topic"]


def test_no_dialogue_is_in_two_splits(splits: dict[str, list[dict[str, str]]]) -> None:
    dialogues = [row["dialogue"] for rows in splits.values() for row in rows]
    assert len(set(dialogues)) == len(dialogues) == 2500


def test_every_situation_is_in_every_split(splits: dict[str, list[dict[str, str]]]) -> None:
    topics = {situation.topic for situation in situations()}
    assert len(topics) == len(situations()) == 8
    for rows in splits.values():
        assert {row["topic"] for row in rows} == topics


def test_training_never_sees_a_name_that_is_kept_for_the_test(
    splits: dict[str, list[dict[str, str]]],
) -> None:
    words = {split: set(re.findall(r"[A-Z][a-z]+", texts(rows))) for split, rows in splits.items()}
    unseen = {name for pool in (FIRST_NAME, TOWN, SURNAME) for name in pool.unseen}
    assert not unseen & (words["train"] | words["validation"])
    assert len(unseen & words["test"]) > 50
    kept_phrases = [*STREET.unseen, *VENUE.unseen]
    assert not [phrase for phrase in kept_phrases if phrase in texts(splits["train"])]


def test_no_pool_keeps_a_value_that_it_also_shows() -> None:
    pools = chain((FIRST_NAME, TOWN, SURNAME), *(situation.slots.values() for situation in situations()))
    assert not [pool for pool in pools if set(pool.seen) & set(pool.unseen)]


def test_turns_and_summaries_are_short(splits: dict[str, list[dict[str, str]]]) -> None:
    for row in chain.from_iterable(splits.values()):
        turns = row["dialogue"].split("\n")
        assert 4 <= len(turns) <= 14
        assert all(re.fullmatch(r"#Person[12]#: \S.*[.?!]", turn) for turn in turns)
        assert turns[0].startswith("#Person1#")
        assert all(8 <= len(row[name].split()) <= 34 for name in row if name.startswith("summary"))
        assert "{" not in texts([row])
        assert "[" not in texts([row])


def test_speakers_take_turns(splits: dict[str, list[dict[str, str]]]) -> None:
    for row in chain.from_iterable(splits.values()):
        speakers = [turn[:9] for turn in row["dialogue"].split("\n")]
        assert all(one != next_ for one, next_ in pairwise(speakers))


def test_references_differ(splits: dict[str, list[dict[str, str]]]) -> None:
    for row in splits["test"]:
        assert len({row[name] for name in REFERENCES}) == len(REFERENCES)


def test_a_summary_tells_only_what_was_said() -> None:
    rng = Random(0)
    for situation in situations():
        for ending in situation.endings:
            assert len(lines(situation.requests)) * len(lines(ending.outcomes)) >= len(REFERENCES)
            told = slots_of(situation.requests + ending.outcomes) - {"A", "B"}
            certain = [
                set.intersection(*(slots_of("".join(lines_)) for lines_ in _expansions(scene, rng)))
                for scene in (*situation.scenes, ending.scene)
            ]
            assert told <= set().union(*certain), f"{situation.topic}: {told - set().union(*certain)}"


def _expansions(scene: str, rng: Random) -> list[list[str]]:
    """Each variant of a scene with its words chosen, again and again."""
    return [[choose_words(line, rng) for line in block] for block in variants(scene) for _ in range(30)]


@pytest.mark.parametrize("name", COPY_BASELINES)
def test_copying_turns_is_a_poor_summary(name: str, splits: dict[str, list[dict[str, str]]]) -> None:
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    scores = [
        scorer.score(row[reference], COPY_BASELINES[name](row["dialogue"].split("\n")))["rougeL"].fmeasure
        for row in splits["test"][:100]
        for reference in REFERENCES
    ]
    assert mean(scores) < 0.26


def test_a_name_is_told_where_it_is_known() -> None:
    introduced, unknown = 0, 0
    for dialogue, rng in islice(stream("names"), 200):
        for summary in summaries(dialogue, rng, 3):
            introduced += "#Person" not in summary
            unknown += "#Person" in summary
    assert min(introduced, unknown) > 100


def test_slots_are_filled_in_good_english() -> None:
    assert (
        fill("{item}? it's a {item}.  and a car", {"item": "old van"})
        == "Old van? It's an old van. And a car"
    )


def test_choices_may_be_nested() -> None:
    chosen = {choose_words("[a|[b|c] d]", Random(seed)) for seed in range(30)}
    assert chosen == {"a", "b d", "c d"}


def test_values_are_drawn_from_the_split_they_belong_to() -> None:
    situation = situations()[0]
    assert isinstance(situation.slots["amount"], Pool)
    kept = [value for pool in situation.slots.values() for value in pool.unseen]
    said = " ".join(compose(situation, Random(seed), unseen=True).text for seed in range(50))
    assert any(value in said for value in kept)


def test_the_model_is_small_enough_to_ship(model: PreTrainedModel) -> None:
    assert sum(file.stat().st_size for file in MODEL.iterdir()) <= MOST_BYTES
    assert 2_000_000 <= model.num_parameters() <= 3_000_000


def test_text_survives_the_tokenizer(
    tokenizer: PreTrainedTokenizerFast, splits: dict[str, list[dict[str, str]]]
) -> None:
    foreign = "Zoë paid 1,234.50 € at Łódź…\n\n#Person3#: 你好, <b>it's</b>  fine!\n"
    for text in (foreign, *(row["dialogue"] for row in splits["test"][:50])):
        assert tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True) == text


def test_dialogues_take_few_pieces(
    tokenizer: PreTrainedTokenizerFast, splits: dict[str, list[dict[str, str]]]
) -> None:
    lengths = [len(tokenizer(row["dialogue"]).input_ids) for row in splits["train"]]
    assert mean(lengths) < 150
    assert max(lengths) < 240
    assert max(len(tokenizer(row["summary"]).input_ids) for row in splits["train"]) < 60
