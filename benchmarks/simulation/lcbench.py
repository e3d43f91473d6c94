"""LCBench's surrogate: learning curves of networks on tables, seven hyperparameters, 34 tasks.

LCBench: Zimmer et al., 2021, arXiv 2006.13799; its surrogate in YAHPO Gym: Pfisterer et al., 2022, arXiv
2109.03670.

Get the folder `lcbench` of https://github.com/slds-lmu/yahpo_data and `pip install onnxruntime`.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from benchmarks.simulation.oracles import Oracle, Point
from spaces import Space
from trainables.errors import InputError

EPOCHS = [6, 17, 52]
INPUTS = ["epoch", "batch_size", "learning_rate", "momentum", "weight_decay", "num_layers", "max_units"]
INPUTS += ["max_dropout"]
"""In the order of the model's."""
ACCURACY = 1
"""The place of validation accuracy, in percent, among the model's outputs."""
LAST_TO_DEVELOP_ON = "168331"
NOISE = 0.5


def lcbench(folder: Path, *, proof: bool) -> list[Oracle]:
    """Return one oracle a task: the first 21, on which the search was developed, or for `proof` the others.

    Raises:
        InputError: the files are not there, or nothing that reads them.
    """
    try:
        from onnxruntime import InferenceSession, SessionOptions

        known = json.loads((folder / "config_space.json").read_text())["hyperparameters"]
        codes = json.loads((folder / "encoding.json").read_text())["OpenML_task_id"]
    except (ImportError, OSError) as error:
        raise InputError(f"--lcbench {folder}: {error}. {' '.join((__doc__ or '').split()[-14:])}") from error
    options = SessionOptions()
    options.intra_op_num_threads = 1
    session = InferenceSession(str(folder / "model.onnx"), options)
    (tasks,) = (part["choices"] for part in known if part["name"] == "OpenML_task_id")
    split = tasks.index(LAST_TO_DEVELOP_ON) + 1
    parts = {part["name"]: part for part in known}
    return [_task(session, parts, task, codes[task]) for task in (tasks[split:] if proof else tasks[:split])]


def _task(session: Any, parts: dict[str, Any], task: str, code: int) -> Oracle:
    distributions = {name: _distribution(parts[name]) for name in INPUTS[1:]}
    default = {name: parts[name]["default"] for name in distributions}

    def scores(points: Sequence[Point]) -> np.ndarray:
        settings = [[epoch, *(p[name] for name in INPUTS[1:])] for p in points for epoch in EPOCHS]
        given = {
            "x_cont": np.array(settings, dtype=np.float32),
            "x_cat": np.full((len(settings), 1), code, np.int32),
        }
        told = session.run(None, given)[0][:, ACCURACY]
        return np.asarray(told, dtype=float).reshape(len(points), len(EPOCHS))

    space = Space("full", distributions, default)
    return Oracle(f"LCBench {task}", space, EPOCHS, scores, [NOISE] * len(EPOCHS))


def _distribution(part: dict[str, Any]) -> BaseDistribution:
    kind = FloatDistribution if part["type"] == "uniform_float" else IntDistribution
    return kind(part["lower"], part["upper"], log=part["log"])
