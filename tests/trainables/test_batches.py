"""Every example once an epoch, exactly the budget, little padding, and nothing learned that must not be."""

import math
from collections import Counter
from random import Random

import pytest

from trainables.batches import IGNORED, by_tokens, collate, epoch_batches, padded, training_batches
from trainables.encode import Encoded

PAD = 0


def lengths(count: int) -> list[int]:
    chance = Random(count)
    return [chance.randint(1, 200) for _ in range(count)]


def padding(lengths: list[int], batches: list[list[int]]) -> int:
    """Padded places of all batches, counted one by one."""
    return sum(max(lengths[j] for j in batch) - lengths[i] for batch in batches for i in batch)


@pytest.mark.parametrize(("count", "size"), [(1, 1), (1, 8), (7, 8), (8, 8), (500, 8), (1003, 16)])
def test_an_epoch_shows_every_example_once_in_full_batches(count: int, size: int) -> None:
    batches = epoch_batches(lengths(count), size, "seed")
    assert sorted(i for batch in batches for i in batch) == list(range(count))
    assert sum(len(batch) == size for batch in batches) == count // size
    assert len(batches) == math.ceil(count / size)


def test_the_order_is_that_of_the_seed() -> None:
    assert epoch_batches(lengths(100), 8, "a") == epoch_batches(lengths(100), 8, "a")
    assert epoch_batches(lengths(100), 8, "a") != epoch_batches(lengths(100), 8, "b")


def test_batches_of_similar_lengths_pad_less_than_a_random_order() -> None:
    many = lengths(1000)
    order = Random(0).sample(range(1000), 1000)
    shuffled = [order[i : i + 16] for i in range(0, 1000, 16)]
    assert padding(many, epoch_batches(many, 16, "seed")) < padding(many, shuffled) / 5


def test_long_examples_do_not_come_together_in_an_epoch() -> None:
    """Sorted within a bucket, but the batches are shuffled: the two halves are of like length."""
    many = lengths(1000)
    batches = epoch_batches(many, 8, "seed")
    half = len(batches) // 2
    means = [
        sum(many[i] for batch in part for i in batch) / sum(map(len, part))
        for part in (batches[:half], batches[half:])
    ]
    assert means[0] == pytest.approx(means[1], rel=0.2)


@pytest.mark.parametrize("examples", [1, 5, 8, 99, 100, 101, 250, 300])
@pytest.mark.parametrize("size", [1, 8, 100, 128])
def test_a_budget_is_met_exactly_and_epoch_after_epoch(examples: int, size: int) -> None:
    plan = training_batches(lengths(100), size, examples=examples, seed="3")
    seen = [i for batch in plan for i in batch]
    assert len(seen) == examples
    assert all(plan)
    for start in range(0, examples, 100):
        epoch = Counter(seen[start : start + 100])
        assert set(epoch.values()) == {1}


def test_a_plan_is_the_same_again_and_each_epoch_another() -> None:
    plan = training_batches(lengths(64), 8, examples=128, seed="3")
    assert plan == training_batches(lengths(64), 8, examples=128, seed="3")
    assert plan[:8] != plan[8:]
    assert plan != training_batches(lengths(64), 8, examples=128, seed="4")


def test_a_larger_budget_begins_as_the_smaller() -> None:
    smaller = training_batches(lengths(64), 8, examples=64, seed="3")
    assert training_batches(lengths(64), 8, examples=200, seed="3")[: len(smaller)] == smaller


def examples() -> list[Encoded]:
    chance = Random(0)
    pairs = [(chance.randint(1, 9), chance.randint(1, 5)) for _ in range(6)]
    return [
        Encoded([chance.randint(3, 99) for _ in range(s)], [chance.randint(3, 99) for _ in range(t)], 0, 0)
        for s, t in pairs
    ]


def test_an_encoder_decoder_reads_sources_and_learns_targets() -> None:
    batch = collate(examples(), PAD, is_encoder_decoder=True)
    for row, example in enumerate(examples()):
        for place, token in enumerate(batch.input_ids[row].tolist()):
            inside = place < len(example.source)
            assert batch.attention_mask[row, place] == int(inside)
            assert token == (example.source[place] if inside else PAD)
        for place, label in enumerate(batch.labels[row].tolist()):
            assert label == (example.target[place] if place < len(example.target) else IGNORED)


def test_a_causal_model_learns_the_target_one_place_before_it_stands_and_nothing_else() -> None:
    batch = collate(examples(), PAD, is_encoder_decoder=False)
    assert batch.input_ids.shape == batch.attention_mask.shape == batch.labels.shape
    for row, example in enumerate(examples()):
        text = example.source + example.target
        for place, token in enumerate(batch.input_ids[row].tolist()):
            assert batch.attention_mask[row, place] == int(place < len(text))
            assert token == (text[place] if place < len(text) else PAD)
        for place, label in enumerate(batch.labels[row].tolist()):
            is_next_learned = len(example.source) <= place + 1 < len(text)
            assert label == (text[place + 1] if is_next_learned else IGNORED)
        assert (batch.labels[row] != IGNORED).sum() == len(example.target)


def test_a_padding_token_inside_a_text_is_read_and_learned() -> None:
    batch = collate(
        [Encoded([5, PAD], [PAD, 1], 0, 0), Encoded([5] * 4, [1], 0, 0)], PAD, is_encoder_decoder=True
    )
    assert batch.attention_mask[0].tolist() == [1, 1, 0, 0]
    assert batch.labels.tolist() == [[PAD, 1], [1, IGNORED]]


def test_rows_are_padded_on_the_side_asked_for() -> None:
    ids, mask = padded([[1, 2, 3], [4]], 9)
    assert (ids.tolist(), mask.tolist()) == ([[1, 2, 3], [4, 9, 9]], [[1, 1, 1], [1, 0, 0]])
    ids, mask = padded([[1, 2, 3], [4]], 9, left=True)
    assert (ids.tolist(), mask.tolist()) == ([[1, 2, 3], [9, 9, 4]], [[1, 1, 1], [0, 0, 1]])


@pytest.mark.parametrize("budget", [1, 150, 1000, 10**6])
def test_batches_by_tokens_stay_in_the_budget_and_hold_every_row_once(budget: int) -> None:
    many = lengths(300)
    batches = list(by_tokens(many, budget))
    assert sorted(i for batch in batches for i in batch) == list(range(300))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(many[i] for i in batch) <= budget
    firsts = [many[i] for batch in batches for i in batch]
    assert firsts == sorted(many, reverse=True)


def test_batches_by_tokens_are_as_large_as_the_budget_allows() -> None:
    assert [len(batch) for batch in by_tokens([10] * 25, 100)] == [10, 10, 5]
