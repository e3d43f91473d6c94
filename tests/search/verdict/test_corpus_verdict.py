"""A sweep that is scored by BLEU: its verdict is of the corpus, from counts that each run kept."""

import random

import pytest
import sacrebleu
import yaml

from search.records.results import load_results
from search.report.setup import setup
from search.verdict import Verdict, verdict
from tests.search.conftest import PROVENANCE, SWEEP, Planted
from trainables import metrics

WORDS = ["the", "dog", "saw", "a", "red", "house", "near", "our", "old", "garden", "and", "went", "home"]
NOISE = {"lora": 0.15, "full": 0.2, "prompt_tuning": 0.5, "baseline": 0.9}
DOCUMENTS = 60
Texts = dict[tuple[str, int], list[str]]


def texts(count: int, noise: float, seed: str, gold: list[str] | None = None) -> list[str]:
    """Sentences; or the gold ones, a share of their words replaced."""
    chance = random.Random(seed)
    sentences = gold or [" ".join(chance.choices(WORDS, k=chance.randint(6, 16))) for _ in range(count)]
    return [
        " ".join(chance.choice(WORDS) if chance.random() < noise else word for word in sentence.split())
        for sentence in sentences
    ]


GOLD = texts(DOCUMENTS, 0, "gold")


@pytest.fixture
def written(bare: Planted) -> Texts:
    """What each run wrote, after its records and predictions are planted in `bare`."""
    sweep = yaml.safe_load(SWEEP)
    sweep["task"] |= {"type": "translation", "target": "summary"}
    bare.sweep(yaml.safe_dump(sweep))
    outputs: Texts = {}
    for method, noise in NOISE.items():
        for seed in range(1 if method == "baseline" else 3):
            outputs[method, seed] = texts(DOCUMENTS, noise, f"{method}{seed}", GOLD)
            _plant(bare, method, seed, outputs[method, seed])
    return outputs


def _plant(planted: Planted, method: str, seed: int, outputs: list[str]) -> None:
    references = [[sentence] for sentence in GOLD]
    columns = metrics.measure(["bleu", "chrf"], outputs, references, metrics.Rules("all"))
    scores = metrics.of_corpus(columns)
    record = planted.final(method, seed, scores["bleu"])
    record.rungs[-1] = record.rungs[-1].model_copy(update={"scores": scores})
    planted.folder.write_record(record)
    rows = [
        {"id": f"test_{i}", "source": "s", "references": references[i], "prediction": outputs[i]}
        | {name: values[i] for name, values in columns.items()}
        for i in range(DOCUMENTS)
    ]
    planted.predictions(record, rows[::-1] if seed else rows)


def judged(planted: Planted) -> Verdict:
    return verdict(load_results(planted.root))


def test_means_are_those_of_the_corpus(bare: Planted, written: Texts) -> None:
    found = {method.method: method for method in judged(bare).methods}
    for method in NOISE:
        runs = [outputs for (name, _), outputs in written.items() if name == method]
        bleu = [sacrebleu.corpus_bleu(outputs, [GOLD]).score for outputs in runs]
        chrf = [sacrebleu.corpus_chrf(outputs, [GOLD]).score for outputs in runs]
        assert found[method].score.mean == pytest.approx(sum(bleu) / len(bleu))
        assert found[method].scores["chrf"].mean == pytest.approx(sum(chrf) / len(chrf))
        assert found[method].score.low < found[method].score.mean < found[method].score.high
    assert list(found) == sorted(NOISE, key=NOISE.__getitem__)
    assert list(found["lora"].scores) == ["bleu", "chrf"]


def test_what_differs_much_is_told_apart_and_what_hardly_does_is_not(bare: Planted, written: Texts) -> None:
    found = {(pair.better, pair.worse): pair for pair in judged(bare).pairs}
    assert found["lora", "prompt_tuning"].significant
    assert found["prompt_tuning", "baseline"].p_documents == pytest.approx(1e-4)
    assert found["lora", "full"].p_corrected > found["lora", "prompt_tuning"].p_corrected


def test_the_score_is_called_by_its_name(bare: Planted, written: Texts) -> None:
    assert judged(bare).summary.startswith("lora scores highest on test: BLEU ")


def test_what_was_run_says_how_the_scores_were_computed(bare: Planted) -> None:
    sweep = yaml.safe_load(SWEEP)
    sweep["task"] |= {"type": "translation", "chat_template": True, "system": "Be brief."}
    bare.sweep(yaml.safe_dump(sweep))
    facts = {"name": "bleu", "signatures": {"bleu": "sacrebleu nrefs:1", "chrf": "sacrebleu nc:6"}}
    bare.provenance(PROVENANCE | {"metric": facts})
    text = setup(load_results(bare.root))
    assert "BLEU by `sacrebleu nrefs:1`; `sacrebleu nc:6`, all references at once" in text
    assert "The prompt is a user's message in the model's chat template, after the system's message" in text
