import pytest

from search.verdict.words import counted, listed, score_name


@pytest.mark.parametrize(
    ("words", "shown"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_listed(words, shown):
    assert listed(words) == shown
    assert listed(words, "or") == shown.replace(" and ", " or ")


def test_counted():
    assert [counted(count, "trial") for count in (0, 1, 2)] == ["0 trials", "1 trial", "2 trials"]


def test_scores_go_by_their_names_in_print():
    assert [score_name(score) for score in ("rouge2", "rougeLsum")] == ["ROUGE-2", "ROUGE-Lsum"]
