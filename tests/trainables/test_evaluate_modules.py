"""A metric of the evaluate library, a module of the user's own: its values, and what is told of mistakes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from trainables import metrics
from trainables.errors import InputError

MODULE = """
import datasets
import evaluate


class Own(evaluate.Metric):
    def _info(self):
        features = datasets.Features(
            {{"predictions": datasets.Value("string"), "references": {references}}}
        )
        return evaluate.MetricInfo(description="d", citation="c", inputs_description="i", features=features)

    def _compute(self, predictions, references):
        {body}
"""
LENGTHS = (
    "return {'own_lengths': sum(len(p) / len(r) for p, r in zip(predictions, references)) / len(predictions)}"
)
PREDICTIONS, REFERENCES = ["ab", "abc", ""], [["abcd"], ["abc", "abcdef"], ["abc"]]


@pytest.fixture
def module(tmp_path: Path) -> Callable[..., str]:
    """`module(name, body, references)`: the path of a metric."""

    def write(
        name: str = "own_lengths", body: str = LENGTHS, references: str = 'datasets.Value("string")'
    ) -> str:
        file = tmp_path / f"{name}.py"
        file.write_text(MODULE.format(body=body, references=references))
        return str(file)

    return write


def scored(module: str, references: metrics.References = "mean", scale: float = 100) -> list[float]:
    rules = metrics.Rules(references, module=module, scale=scale)
    return list(metrics.measure(["evaluate"], PREDICTIONS, REFERENCES, rules)[module])


def test_the_values_are_the_modules(module: Callable[..., str]) -> None:
    path = module()
    assert scored(path) == pytest.approx([50, 75, 0])
    assert scored(path, "max") == pytest.approx([50, 100, 0])
    assert scored(path, scale=1) == pytest.approx([0.5, 0.75, 0])


def test_the_mean_over_documents_is_what_evaluate_computes(module: Callable[..., str]) -> None:
    import evaluate

    path = module()
    first = [row[0] for row in REFERENCES]
    own = evaluate.load(path).compute(predictions=PREDICTIONS, references=first)["own_lengths"]
    columns = metrics.measure(
        ["evaluate"], PREDICTIONS, [[text] for text in first], metrics.Rules(module=path)
    )
    assert metrics.of_corpus(columns)[path] == pytest.approx(100 * own)


def test_a_module_that_takes_lists_of_references_gets_them(module: Callable[..., str]) -> None:
    body = "return {'score': float(predictions[0] == references[0][0])}"
    path = module("listed", body, 'datasets.Sequence(datasets.Value("string"))')
    assert scored(path) == [0, 50, 0]


def test_one_of_several_values_is_named_by_its_key(module: Callable[..., str]) -> None:
    path = module("several", "return {'p': 0.25, 'f': [0.5], 'words': 'x'}")
    assert scored(f"{path}:f") == [50, 50, 50]
    assert metrics.label(f"{path}:f") == "several f"
    with pytest.raises(InputError, match=r"does not say which value counts; there are \S+:p, \S+:f\."):
        scored(path)
    with pytest.raises(InputError, match="does not say which value counts"):
        scored(f"{path}:r")


def test_the_value_of_the_modules_own_name_counts(module: Callable[..., str]) -> None:
    path = module("f", "return {'p': 0.25, 'f': 0.5}")
    assert scored(path) == [50, 50, 50]
    assert metrics.label(path) == "f"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return {'x': 1 / 0}", "cannot score a text: ZeroDivisionError"),
        ("return {'x': 'good'}", "which value counts; there are no numbers"),
    ],
)
def test_a_module_that_does_not_score_is_told_beforehand(
    module: Callable[..., str], body: str, message: str
) -> None:
    rules = metrics.Rules(module=module("wrong", body))
    with pytest.raises(InputError, match=message):
        metrics.check(rules, trusted=False)


def test_a_module_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"task.metric: .*absent.py cannot be loaded: FileNotFoundError"):
        metrics.check(metrics.Rules(module=str(tmp_path / "absent.py")), trusted=False)


def test_code_of_the_hub_runs_only_where_it_is_trusted() -> None:
    rules = metrics.Rules(module="someone/nothing_at_all")
    with pytest.raises(
        InputError, match=r"is code from the Hugging Face hub\. Set task.trust_remote_code: true"
    ):
        metrics.check(rules, trusted=False)
    with pytest.raises(InputError, match=r"cannot be loaded: .* needs the hub, or its cache"):
        metrics.check(rules, trusted=True)


def test_a_score_of_ours_that_is_misspelled_is_no_metric_of_the_hub() -> None:
    with pytest.raises(InputError, match=r"evaluate.Metric; did you mean 'rougeL'\?$"):
        metrics.check(metrics.Rules(module="rouge-L"), trusted=False)


def test_without_a_module_there_is_nothing_to_check() -> None:
    metrics.check(metrics.Rules(), trusted=False)


@pytest.mark.parametrize(
    ("metric", "name", "key"),
    [
        ("meteor", "meteor", None),
        ("bertscore:f1", "bertscore", "f1"),
        ("user/metric", "user/metric", None),
        ("/a/b.py:f1", "/a/b.py", "f1"),
        ("C:/a/b.py", "C:/a/b.py", None),
    ],
)
def test_a_name_and_its_key(metric: str, name: str, key: str | None) -> None:
    assert metrics.named(metric) == (name, key)
