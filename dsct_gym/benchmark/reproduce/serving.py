"""Energy of serving by every agent: two GPUs, five networks, loads, arrivals and objectives.

After Yao et al., "EALI", Neurocomputing 507, 2022, whose abstract claims up to 36.24 % less energy
than the state of the art on M40 and V100 while the latency objective is met; what that was compared
with is not public.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from dsct_gym.benchmark.reproduce.experiment import (
    Advance,
    Claim,
    Effort,
    Experiment,
    Outcome,
    Row,
    new_figure,
)
from dsct_gym.benchmark.reproduce.serving_cells import (
    Cell,
    ablation_cells,
    ablations,
    all_cells,
    compare,
)
from dsct_gym.figures import BLUE, FAINT, ORANGE, PURPLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLAIMED: Final = 0.3624
ALLOWED: Final = 0.01

_WIDEST: Final = 1.25

OTHERS: Final = ("fmax-b1", "fmax-greedy", "clipper", "batch-timeout", "dvfs-b1", "dvfs-greedy")
SHOWN: Final = (*OTHERS, "batchdvfs", "eais", "static", "eali", "replan", "smdp", "oracle")


def _steps(effort: Effort) -> int:
    return len(all_cells(effort)) + len(ablation_cells(effort))


def _run(effort: Effort, advance: Advance) -> Outcome:
    rows: list[Row] = []
    for cell in all_cells(effort):
        rows += compare(cell, effort)
        advance(cell.label)
    for cell in ablation_cells(effort):
        rows += ablations(cell, effort)
        advance(f"ablations: {cell.label}")
    return Outcome(rows, _claims(rows), _picture(rows))


def _key(row: Row) -> tuple[object, ...]:
    """What the rows of one cell have in common."""
    return tuple(row[name] for name in Cell._fields)


def ratios(rows: Sequence[Row], agent: str, other: str, **where: str) -> list[float]:
    """Energy of one agent over that of another in each cell where both meet the objective.

    Args:
        rows: Of the table.
        agent: Name.
        other: Name.
        **where: What the cells must have in which column.
    """
    found = {(_key(row), row["agent"]): row for row in rows if row["variant"] == ""}
    pairs = [
        (row, found.get((key, other)))
        for (key, name), row in found.items()
        if name == agent and all(row[column] == value for column, value in where.items())
    ]
    return [
        float(row["energy_per_request"]) / float(base["energy_per_request"])
        for row, base in pairs
        if base is not None and max(float(row["violations"]), float(base["violations"])) <= ALLOWED
    ]


def _saving(found: Sequence[float]) -> str:
    """Mean and range of what is saved, and in how many cells it could be told."""
    if not found:
        return "no cell where both meet it"
    saved = 1.0 - np.array(found)
    spread = f"{saved.min():.1%} to {saved.max():.1%}"
    return f"{saved.mean():.1%} on average, {spread}, {saved.size} cells"


def _claims(rows: list[Row]) -> list[Claim]:
    paper = f"up to {CLAIMED:.2%} (against what is not public)"
    claims = [
        Claim(f"energy saved by eali against {other}", paper, _saving(ratios(rows, "eali", other)))
        for other in ("fmax-b1", "fmax-greedy", "batch-timeout", "dvfs-greedy", "eais", "static")
    ]
    steady = ratios(rows, "eali", "smdp", arrivals="poisson")
    claims.append(Claim("energy saved by eali against smdp, Poisson", "not in it", _saving(steady)))
    for kind in ("bursty", "trace"):
        found = ratios(rows, "replan", "static", arrivals=kind)
        claims.append(
            Claim(f"energy saved by replan against static, {kind}", "not in it", _saving(found))
        )
    met = [row for row in rows if row["agent"] == "eali" and row["variant"] == ""]
    share = sum(float(row["violations"]) <= ALLOWED for row in met)
    claims.append(Claim("cells where eali meets the objective", "all", f"{share} of {len(met)}"))
    for variant, found in ablated(rows).items():
        claims.append(Claim(f"eali, {variant}: energy saved", "not in it", _saving(found)))
    return claims


def ablated(rows: Sequence[Row]) -> dict[str, list[float]]:
    """Energy of each variant of eali over that of eali as it is, in the same cells."""
    plain = {_key(row): row for row in rows if row["variant"] == "as it is"}
    found: dict[str, list[float]] = {}
    for row in rows:
        if row["variant"] not in ("", "as it is"):
            base = float(plain[_key(row)]["energy_per_request"])
            found.setdefault(str(row["variant"]), []).append(
                float(row["energy_per_request"]) / base
            )
    return found


def _picture(rows: Sequence[Row]) -> Figure:
    figure, (left, right) = new_figure(2)
    _draw_agents(left, rows)
    _draw_ablations(right, ablated(rows))
    return figure


def _draw_agents(ax: Axes, rows: Sequence[Row]) -> None:
    """Every cell as a dot, by agent: its energy over that of the best static configuration."""
    colours = {"V100": BLUE, "M40": ORANGE}
    for place, agent in enumerate(SHOWN):
        for side, (gpu, colour) in enumerate(colours.items()):
            found = ratios(rows, agent, "static", gpu=gpu)
            at = place + 0.3 * (side - 0.5)
            ax.plot(found, [at] * len(found), "o", color=colour, alpha=0.25, markersize=4)
            if found:
                mean = float(np.mean(found))
                ax.plot([mean], [at], "|", color=colour, markersize=14, markeredgewidth=2.5)
    for gpu, colour in colours.items():
        ax.plot([], [], "o", color=colour, label=gpu)
    ax.axvline(1.0, color=FAINT, linestyle=":")
    ax.set_yticks(range(len(SHOWN)), SHOWN)
    ax.invert_yaxis()
    ax.set_xlabel("energy a request over that of static; | mean")
    ax.set_title("cells where both meet the objective", fontsize=10)
    ax.legend(frameon=False)


def _draw_ablations(ax: Axes, found: dict[str, list[float]]) -> None:
    """Mean and range of each variant of eali."""
    for place, ratio in enumerate(found.values()):
        mean = float(np.mean(ratio))
        ax.plot([min(ratio), max(ratio)], [place, place], color=PURPLE, linewidth=2)
        ax.plot([mean], [place], "o", color=PURPLE)
        if mean > _WIDEST:  # the others could not be told apart beside it
            ax.text(_WIDEST, place - 0.15, f"mean {mean:.1f} →", ha="right", va="bottom")
    ax.set_xlim(0.85, _WIDEST)
    ax.axvline(1.0, color=FAINT, linestyle=":")
    ax.set_yticks(range(len(found)), list(found))
    ax.invert_yaxis()
    ax.set_xlabel("energy a request over that of eali as it is")
    ax.set_title("what eali owes to its parts: mean and range", fontsize=10)


EXPERIMENT = Experiment(
    "serving",
    "energy of serving by agent, load, arrivals and objective on V100 and M40",
    _steps,
    _run,
)
