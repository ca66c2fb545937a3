"""Weighted tardiness problems of the OR-Library as problems with soft deadlines.

A file holds several problems of n jobs, each as n processing times, n weights and n due dates, in
whole numbers between white space. A job is a whole task of as much work, on machines of speed 1,
with a linear penalty of scale 1 without a cap: what all tasks pay is the total weighted tardiness.

Sources: Beasley, "OR-Library: distributing test problems by electronic mail", Journal of the
Operational Research Society 41(11), 1990, files wt40, wt50 and wt100; the rule for several
machines: Pessoa, Uchoa, Poggi de Aragão and Rodrigues, "Exact algorithm over an arc-time-indexed
formulation for parallel machine scheduling problems", Math. Prog. Comp. 2, 2010.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np

from dsct_gym.arguments import as_integer
from dsct_gym.arrays import Floats
from dsct_gym.errors import InputError
from dsct_gym.files import read_text
from dsct_gym.instance import Instance
from dsct_gym.soft.instance import SoftInstance
from dsct_gym.soft.penalties import Linear

SOONEST: Final = 1e-9
"""Deadline of a job that is due at 0, s: no task of an instance is due when time begins."""

_MOST: Final = 10**6
_LARGEST: Final = 10**9
_COLUMNS: Final = ("processing time", "weight", "due date")


def read_weighted_tardiness(
    path: str | Path, index: int, *, tasks: int | None = None, machines: int = 1
) -> SoftInstance:
    """Reads one problem of a file.

    Args:
        path: The file; lines that begin with ``#`` are skipped.
        index: Which of its problems, counted from 1 as in the literature.
        tasks: Jobs n of each problem; None for the number in a file name such as ``wt40.txt``.
        machines: Identical machines m; with several, due dates are divided by m and rounded down.

    Raises:
        InputError: If the file cannot be read, does not hold problems of n jobs, or fewer of them.
    """
    jobs = _tasks_of(path) if tasks is None else as_integer(tasks, "tasks", 1, _MOST)
    machines = as_integer(machines, "machines", 1, _MOST)
    numbers = _numbers(path)
    if numbers.size == 0 or numbers.size % (3 * jobs):
        raise InputError(
            f"{path}: {numbers.size} numbers are no problems of {jobs} jobs, 3 numbers each"
        )
    problems = numbers.reshape(-1, 3, jobs)
    if not 1 <= index <= len(problems):
        raise InputError(f"index: must be in 1..{len(problems)}, got {index}")
    duration, weight, due = problems[index - 1]
    for column, values, least in zip(_COLUMNS, (duration, weight, due), (1, 0, 0), strict=True):
        if (values < least).any():
            job = int(np.argmax(values < least))
            raise InputError(f"{path}: {column} of job {job} is {values[job]:g}, below {least}")
    suffix = "" if machines == 1 else f"-{machines}m"
    core = Instance(
        speeds=np.ones(machines),
        efficiencies=np.ones(machines),
        deadlines=np.maximum(np.floor(due / machines), SOONEST),
        work=np.stack([np.zeros(jobs), duration], axis=1),
        accuracy=np.tile([0.0, 1.0], (jobs, 1)),
        energy_budget=0.0,
        name=f"wt{jobs}{suffix}-{index}",
    )
    whole = np.ones(jobs, dtype=np.bool_)
    return SoftInstance(core, Linear(scale=1.0), weights=weight, whole=whole)


def _tasks_of(path: str | Path) -> int:
    found = re.search(r"wt(\d{1,6})", Path(path).name)
    if found is None or int(found[1]) < 1:
        raise InputError("tasks: needed, for the file is not called after them as wt40 is")
    return int(found[1])


def _numbers(path: str | Path) -> Floats:
    """All numbers of a file."""
    lines = read_text(path).splitlines()
    words = [word for line in lines if not line.startswith("#") for word in line.split()]
    for word in words:
        if not re.fullmatch(r"\d{1,9}", word, re.ASCII):
            shown = word if len(word) <= 20 else f"{word[:20]}..."
            raise InputError(f"{path}: {shown!r} is no whole number below {_LARGEST:g}")
    return np.array(words, dtype=np.float64) if words else np.zeros(0)
