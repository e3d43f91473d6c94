"""What papers quote: tables with the values of the verdict, text that is no command, a paper a method."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import spaces
from search.records.results import load_results
from search.report.paper.latex import MOST_ROWS, table, text
from search.report.paper.procedure import citations, procedure
from search.report.paper.references import bibliography, key_of, papers
from search.report.paper.tables import tables
from search.report.paper.write import write_paper
from search.report.write import write_report
from search.verdict import verdict
from tests.search.conftest import plant_finished
from trainables import metrics

HOSTILE = r"50%_of #1 & \input{/etc/passwd} ~x^2 $5 {a} -- <b> 'q' \"Q\" `t` | Größe 中"
"""What LaTeX would read, letters that it has, and one that it has not."""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    results = load_results(plant_finished(tmp_path_factory.mktemp("run")).root)
    return {"results": results, "verdict": verdict(results)}


def rows(latex: str) -> list[list[str]]:
    lines = [line.removesuffix(r" \\") for line in latex.splitlines() if line.endswith(r" \\")]
    return [line.split(" & ") for line in lines]


def test_the_methods_table_has_the_values_of_the_verdict(drawn):
    header, *body = rows(tables(**drawn)["methods"])
    assert header[:5] == ["Method", "ROUGE-L", "ROUGE-1", "Ties", r"Trained \%"]
    best, *others = drawn["verdict"].methods
    assert body[0][:2] == [
        r"\texttt{lora}",
        rf"\textbf{{{best.score.mean:.2f}}} [{best.score.low:.2f}, {best.score.high:.2f}]",
    ]
    assert [row[2] for row in body] == [f"{m.scores['rouge1'].mean:.2f}" for m in [best, *others]]
    assert body[-1][0] == "untrained"
    assert body[0][-2:] == ["101", "202 MiB"]  # mean of 100, 101 and 102 s; most of 200 to 202 MiB


def test_the_improvements_have_a_row_a_pair(drawn):
    _, *body = rows(tables(**drawn)["improvements"])
    pairs = drawn["verdict"].pairs
    assert len(body) == len(pairs) == 6
    assert [row[2].split(" [")[0] for row in body] == [f"{pair.effect:.2f}" for pair in pairs]


def test_the_hyperparameters_are_those_of_space_default_and_winner(drawn):
    _, *body = rows(tables(**drawn)["hyperparameters"])
    found = {row[1]: row[2:] for row in body[: len(spaces.get("full").distributions)]}
    space = spaces.get("full")
    assert found["learning rate"] == [
        spaces.describe(space.distributions["learning_rate"]),
        f"{space.default['learning_rate']:.3g}",
        "0.00062",
    ]
    assert found["batch size"] == ["8, 16, 32", "8", "16"]
    assert found["weight decay"][2] == "-"  # planted records do not say it


def test_before_the_final_there_is_what_was_searched(searched):
    results = load_results(searched.root)
    assert list(tables(results, verdict(results))) == ["hyperparameters"]
    assert "Each method was given 4 trials" in procedure(results, verdict(results))


@pytest.mark.parametrize("method", spaces.available())
def test_each_method_has_the_paper_that_its_space_names(method):
    for number in re.findall(r"arXiv (\S+?)[),]", spaces.summary(method)):
        entry = bibliography([key_of(number)])
        assert entry.startswith("@article{")
        author = spaces.summary(method).partition("(")[2].replace("FedPara, ", "").replace("KronA, ", "")
        name = re.split(r" et al| and |,", author)[0]
        assert name in entry.partition("author = {")[2].split(" and ")[0] or method == "ia3"
    assert re.search("arXiv", spaces.summary(method)) or method == "full"


def test_a_paper_that_is_not_known_is_cited_by_its_number():
    assert bibliography([key_of("9912.00001")]).startswith("@misc{arxiv9912.00001,")


def test_all_that_is_cited_has_an_entry(drawn):
    keys = citations(procedure(**drawn))
    assert {"hu2021lora", "lester2021prompt", "li2018asha", "lin2004rouge", "tuneoff"} <= set(keys)
    keys += [key for metric in metrics.available() for key in metrics.papers(metric)]
    assert bibliography(keys).count("\n@") + 1 == len(set(keys))
    assert "@misc{arxiv" not in bibliography(keys)
    assert papers(drawn["results"].sweep, "full") == []


def test_the_procedure_says_what_the_records_say(drawn):
    told = procedure(**drawn)
    assert "3 ways to fine-tune some/t5 on some/dialogues" in told
    assert "(300 training, 50 validation and 10 test documents)" in told
    assert "Each method was given 4 trials" in told
    assert "after 100, 300 and 900 examples" in told
    assert "retrained with 3 seeds and scored on 10 test documents" in told
    assert "the mean over 2 references" in told


def test_what_is_not_recorded_is_left_out(finished):
    finished.provenance({})
    results = load_results(finished.root)
    told = procedure(results, verdict(results))
    assert "None" not in told
    assert "We used tuneoff~" in told


def test_no_text_is_a_command():
    escaped = text(HOSTILE)
    assert re.sub(r"\\(text[a-z]+\{\}|[&%$#_{}])", "", escaped).count("\\") == 0
    assert "-{}-{}" in escaped
    assert escaped.endswith("Größe [U+4E2D]")
    assert text("a\nb\x07") == "a b[U+0007]"


def test_a_long_table_is_broken_over_pages():
    few, many = (
        table(["a"], [["1"]] * count, columns="l", caption="c", label="t")
        for count in (MOST_ROWS, MOST_ROWS + 1)
    )
    assert few.startswith("\\begin{table}")
    assert many.startswith("\\begin{longtable}")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX on this machine")
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no poppler on this machine")
def test_a_true_tex_sets_all_of_it(finished, tmp_path):
    sweep = yaml.safe_load(finished.folder.sweep_file.read_text())
    sweep["task"]["data"] = {"train": f"{HOSTILE.replace('/', '')}.jsonl"}
    sweep["methods"] = {name: {} for name in spaces.available()}  # a table over several pages
    finished.folder.sweep_file.write_text(yaml.safe_dump(sweep))
    write_report(finished.root)
    for command in (["pdflatex"], ["bibtex"], ["pdflatex"], ["pdflatex"]):
        options = ["-halt-on-error", "-interaction=nonstopmode"] if command == ["pdflatex"] else []
        done = subprocess.run(
            [*command, *options, "paper"], cwd=finished.folder.report, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    log = (finished.folder.report / "paper.log").read_text(errors="replace")
    assert not re.findall(r"undefined|Missing character", log)
    words = ["pdftotext", "-layout", finished.folder.report / "paper.pdf", tmp_path / "text"]
    subprocess.run(words, check=True)
    shown = " ".join((tmp_path / "text").read_text().split())
    assert "LoRA: Low-rank adaptation of large language models" in shown
    assert "U+4E2D" in shown
    assert Path(finished.folder.report / "figures" / "tradeoff-train_seconds.pdf").read_bytes()[:4] == b"%PDF"


def test_write_paper_is_part_of_the_report(drawn, tmp_path):
    write_paper(**drawn, printed=[], report=tmp_path)
    files = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    inputs = set(re.findall(r"\\input\{(.+?)\}", (tmp_path / "paper.tex").read_text()))
    assert {f"{name}.tex" for name in inputs} | {"paper.tex", "references.bib"} == files
