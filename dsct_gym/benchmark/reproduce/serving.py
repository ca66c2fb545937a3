"""Energy of serving by every agent: two GPUs, five networks, loads, arrivals and objectives.

After Yao et al., "EALI", Neurocomputing 507, 2022, whose abstract claims up to 36.24 % less energy
than the state of the art on M40 and V100 while the latency objective is met; what that was compared
with is not public.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from dsct_gym.benchmark.reproduce.experiment import (
    Advance,
    Claim,
    Effort,
    Experiment,
    Outcome,
    Row,
)
from dsct_gym.benchmark.reproduce.kept import KeptRows, stamp_of
from dsct_gym.benchmark.reproduce.serving_cells import (
    GPUS,
    PROCESSES,
    Cell,
    ablation_cells,
    ablations,
    all_cells,
    compare,
)
from dsct_gym.benchmark.reproduce.serving_picture import draw

CLAIMED: Final = 0.3624
ALLOWED: Final = 0.01
KEPT: Final = "serving.kept.jsonl"


def _steps(effort: Effort) -> int:
    return len(all_cells(effort)) + len(ablation_cells(effort))


def _run(effort: Effort, advance: Advance) -> Outcome:
    return _carry_out(effort, advance, KeptRows(None, ""))


def _resume(effort: Effort, advance: Advance, folder: Path) -> Outcome:
    return _carry_out(effort, advance, KeptRows(folder / KEPT, stamp(effort)))


def stamp(effort: Effort) -> str:
    """Of all that rows depend on."""
    package = Path(__file__).parents[2]
    simulated = [package / "serving", package / "online", package / "baselines" / "serving"]
    agents = package / "agents"
    network = agents / "weights" / "service.safetensors"
    learned = [agents / "rl_service.py", agents / "serving", network]
    cells = Path(__file__).with_name("serving_cells.py").read_text(encoding="utf-8")
    return stamp_of([*simulated, *learned], more=f"{effort}\n{cells}")


def _carry_out(effort: Effort, advance: Advance, kept: KeptRows) -> Outcome:
    rows: list[Row] = []
    for cell in all_cells(effort):
        rows += kept.rows(cell.label, partial(compare, cell, effort))
        advance(cell.label)
    for cell in ablation_cells(effort):
        label = f"ablations: {cell.label}"
        rows += kept.rows(label, partial(ablations, cell, effort))
        advance(label)
    return Outcome(rows, claims(rows), draw(compared(rows), ablated(rows)))


def _key(row: Row) -> tuple[object, ...]:
    """What the rows of one cell have in common."""
    return tuple(row[name] for name in Cell._fields)


def _meets(row: Row) -> bool:
    """Whether few enough were late."""
    return float(row["violations"]) <= ALLOWED


def ratios(rows: Sequence[Row], agent: str, other: str, **where: str) -> list[float]:
    """Energy of one agent over that of another in each cell where both meet the objective.

    Args:
        rows: Of the table.
        agent: Name.
        other: Name; with `oracle` as the agent, on the few requests that it serves.
        **where: What the cells must have in which column.
    """
    found = {(_key(row), row["agent"]): row for row in rows if row["variant"] == ""}
    column = "foreseen_energy" if agent == "oracle" else "energy_per_request"
    pairs = [
        (row, found[key, other])
        for (key, name), row in found.items()
        if name == agent
        and (key, other) in found
        and all(row[named] == value for named, value in where.items())
    ]
    return [
        float(row[column]) / float(base[column])
        for row, base in pairs
        if _meets(row) and _meets(base)
    ]


def _saving(found: Sequence[float]) -> str:
    """Mean and range of what is saved, and in how many cells it could be told."""
    if not found:
        return "no cell where both meet it"
    saved = 1.0 - np.array(found)
    spread = f"{saved.min():.1%} to {saved.max():.1%}"
    return f"{saved.mean():.1%} on average, {spread}, {saved.size} cells"


def claims(rows: Sequence[Row]) -> list[Claim]:
    """What the table says of the paper's claim, and of what else was asked."""
    paper = f"up to {CLAIMED:.2%} (against what is not public)"
    found = [
        Claim(f"energy saved by eali against {other}", paper, _saving(ratios(rows, "eali", other)))
        for other in ("fmax-b1", "fmax-greedy", "batch-timeout", "dvfs-greedy", "eais", "static")
    ]
    what = "cells where eali spends more than static, and surely so"
    found.append(Claim(what, "not in it", _worse(rows)))
    steady = ratios(rows, "eali", "smdp", arrivals="poisson")
    found.append(Claim("energy saved by eali against smdp, Poisson", "not in it", _saving(steady)))
    for agent in ("eali", "replan", "oracle"):
        for kind in ("bursty", "trace"):
            for gpu in GPUS:
                saved = _saving(ratios(rows, agent, "static", arrivals=kind, gpu=gpu))
                what = f"energy saved by {agent} against static, {kind}, {gpu}"
                found.append(Claim(what, "not in it", saved))
    for kind in PROCESSES:
        saved = _saving(ratios(rows, "rl-service", "static", arrivals=kind))
        what = f"energy saved by rl-service against static, {kind}"
        found.append(Claim(what, "not in it", saved))
    for agent in ("static", "eali", "replan", "rl-service"):
        met = [_meets(row) for row in rows if row["agent"] == agent and row["variant"] == ""]
        what = f"cells where {agent} meets the objective"
        said = "all" if agent == "eali" else "not in it"
        found.append(Claim(what, said, f"{sum(met)} of {len(met)}"))
    found += [
        Claim(f"eali, {variant}: energy saved", "not in it", _saving([over for _, over in pairs]))
        for variant, pairs in ablated(rows).items()
    ]
    return found


def _worse(rows: Sequence[Row]) -> str:
    """In how many cells `eali` is behind where both meet the objective."""
    late = {_key(row) for row in rows if row["agent"] == "static" and not _meets(row)}
    over = [
        (float(row["over_first"]), float(row["over_first_interval"]))
        for row in rows
        if row["agent"] == "eali" and row["variant"] == "" and _meets(row) and _key(row) not in late
    ]
    more = sum(ratio > 1.0 for ratio, _ in over)
    surely = sum(ratio - interval > 1.0 for ratio, interval in over)
    most = max((ratio for ratio, _ in over), default=1.0) - 1.0
    return f"{more} and {surely} of {len(over)}, by {max(most, 0.0):.1%} at most"


def compared(rows: Sequence[Row]) -> dict[tuple[str, str, str], list[float]]:
    """Energy over that of `static` in each cell where both meet the objective.

    Returns:
        By process, agent and card.
    """
    agents = dict.fromkeys(str(row["agent"]) for row in rows if row["variant"] == "")
    return {
        (kind, agent, gpu): ratios(rows, agent, "static", arrivals=kind, gpu=gpu)
        for kind in PROCESSES
        for agent in agents
        for gpu in GPUS
    }


def ablated(rows: Sequence[Row]) -> dict[str, list[tuple[str, float]]]:
    """Card and energy over that of `eali` as it is in each cell, by variant."""
    found: dict[str, list[tuple[str, float]]] = {}
    for row in rows:
        if row["variant"] not in ("", "as it is"):
            pair = str(row["gpu"]), float(row["over_first"])
            found.setdefault(str(row["variant"]), []).append(pair)
    return found


EXPERIMENT = Experiment(
    "serving",
    "energy of serving by agent, load, arrivals and objective on V100 and M40",
    _steps,
    _run,
    _resume,
)
