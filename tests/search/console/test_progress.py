import io
import re
from collections.abc import Iterable

import pytest
from rich.console import Console

from search.config.sweep import Sweep
from search.console.progress import Progress
from search.records.audit import audit_of
from search.records.record import Record, Stop


@pytest.fixture
def log() -> Console:
    """A console that is a file, as in a batch job."""
    return Console(file=io.StringIO(), width=100)


def watching(planted, console: Console, records: Iterable[Record] = ()) -> Progress:
    sweep = Sweep.from_yaml(planted.folder.sweep_file.read_text())
    return Progress(sweep, records, console)


def printed(console: Console) -> str:
    """What was printed; trailing blanks, which an editor would remove, and the clock's time left out."""
    assert isinstance(console.file, io.StringIO)
    text = re.sub(r"(?m)^\d\d:\d\d:\d\d ", "", console.file.getvalue())
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def test_a_log_of_every_event_and_a_table_at_the_end(bare, log, golden):
    with watching(bare, log) as progress:
        default = bare.trial("lora", 0, [], status="running")
        progress("begin", default)
        progress("begin", bare.trial("lora", 1, [], status="running"))
        progress("rung", bare.trial("lora", 0, [20], status="running"))
        progress("begin", bare.trial("lora", 0, [20], status="running"))
        progress("rung", bare.trial("lora", 0, [20, 25, 30.126]))
        stop = Stop(rung=0, value=10, cut_off=20)
        progress("rung", bare.trial("lora", 1, [10], status="stopped", stop=stop))
        stop = Stop(rung=0, value=None, cut_off=None)
        progress("rung", bare.trial("lora", 2, [None], status="stopped", stop=stop))
        error = "the training loss was nan [step 7] after 40 examples"
        progress("rung", bare.trial("full", 0, [20, None], status="diverged", error=error))
        error = "Out of memory after step 4: requested 8 bytes [halved once]"
        progress("rung", bare.trial("full", 2, [20, None], status="out_of_memory", error=error))
        progress("retry", bare.trial("full", 1, [20], status="running", failures=1))
        error = 'Traceback:\n  File "x.py", line 1\nRuntimeError: no memory left [/bold] on [cuda:0]\n'
        progress("failed", bare.trial("full", 1, [20], status="failed", failures=2, error=error))
        progress("begin", bare.final("baseline", 0, None, status="running", rungs=[]))
        progress("rung", bare.final("baseline", 0, 12))
        progress("begin", bare.final("lora", 0, None, status="running", rungs=[]))
        progress("rung", bare.final("lora", 0, None, status="running"))
        progress("rung", bare.final("lora", 0, 31))
    golden(printed(log), "progress.txt")


def test_the_table_of_a_sweep_that_has_ended(finished, log, golden):
    with watching(finished, log, finished.folder.read_records()):
        pass
    golden(printed(log), "progress_table.txt")


def test_the_table_says_how_long_the_rest_may_take(bare, log):
    progress = watching(bare, log)
    for method in ("full", "lora", "prompt_tuning"):
        progress.records |= {record.id: record for record in [bare.trial(method, 0, [1, 2, 3])]}
    # 3 methods, each 3 trials and 3 runs of the final to come, each of 33 seconds; one at a time
    assert progress.table().title == "planted, about 10 min left"
    progress("begin", bare.trial("full", 1, [], status="running"))
    progress("begin", bare.trial("full", 2, [], status="running"))
    assert progress.table().title == "planted, about 5 min left"


def test_a_sweep_that_never_began_has_no_table(bare, log):
    with watching(bare, log):
        pass
    assert printed(log) == ""


def test_every_line_of_a_log_stays_one_line(bare, log):
    long = {f"hyperparameter_{number}": 0.123456 for number in range(20)}
    watching(bare, log)("begin", bare.trial("lora", 1, [], status="running", hyperparameters=long))
    assert printed(log).count("\n") == 1


def test_on_a_terminal_the_table_stays_below_the_lines(bare):
    terminal = Console(file=io.StringIO(), width=100, force_terminal=True)
    with watching(bare, terminal) as progress:
        progress("begin", bare.trial("lora", 0, [], status="running"))
        progress("rung", bare.trial("lora", 0, [1, 2, 30]))
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.file.getvalue())
    assert text.count("begins (default configuration") == 1
    assert text.count("completed: ROUGE-L 30.00") == 1
    assert text.rindex("planted") > text.rindex("completed:")


def test_the_tables_figures_are_those_of_the_records(searched, log):
    with watching(searched, log, searched.folder.read_records()):
        pass
    row = next(line for line in printed(log).splitlines() if "prompt_tuning" in line)
    cells = [cell.strip() for cell in row.strip("│ ").split("│")]
    assert cells == ["prompt_tuning", "search", "4/4", "-", "1", "1", "19.00", "1 min 28 s"]


def test_an_audit_says_which_trial_it_takes_to_its_end(bare, log):
    record = audit_of(bare.trial("lora", 3, [10], status="stopped"))
    watching(bare, log)("begin", record)
    assert printed(log) == "lora/audit-0003 begins: lora/0003, which was stopped, to its end\n"


def test_what_is_paused_and_what_is_not_promoted_is_said_in_words(bare, log):
    sweep = Sweep.from_yaml(bare.folder.sweep_file.read_text())
    search = sweep.search.model_copy(update={"scheduler": "promote"})
    with Progress(sweep.model_copy(update={"search": search}), [], log) as progress:
        progress("rung", bare.trial("lora", 1, [10], status="paused", ended=None))
        stop = Stop(rung=0, value=10, cut_off=None, rank=7, rank_by_loss=9, of=16, go_on=5)
        progress("not promoted", bare.trial("lora", 2, [10], status="stopped", stop=stop))
        stop = stop.model_copy(update={"rank_by_loss": None})
        progress("not promoted", bare.trial("lora", 3, [10], status="stopped", stop=stop))
    text = " ".join(printed(log).split())
    assert "lora/0001 paused: ROUGE-L 10.00 after 100 examples" in text
    best = "rank 7 of 16 by score, 9 by loss, at rung 1; the best 5 by either go on"
    assert f"lora/0002 stopped: ROUGE-L 10.00 after 100 examples, not promoted: {best}" in text
    assert "not promoted: rank 7 of 16 at rung 1; the best 5 go on" in text
    assert "running │ paused │ stopped" in text.replace("┃", "│")
    assert "│ lora │ search │ 2/4 │ - │ 1 │ 2 │" in text
