"""Charts of soft deadlines: what becomes of tasks, and what that is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np

from dsct_gym.benchmark.panel import panel
from dsct_gym.benchmark.record import Record
from dsct_gym.benchmark.report.charts import gap_scale, percent
from dsct_gym.benchmark.report.labels import Labels, longest, short
from dsct_gym.benchmark.report.marks import mark
from dsct_gym.benchmark.report.results import Results
from dsct_gym.benchmark.report.scales import Scale, linear_scale
from dsct_gym.benchmark.report.svg import (
    BOTTOM,
    LETTER,
    RIGHT,
    TOP,
    WIDTH,
    axes,
    svg,
    text,
    x_axis,
    x_range,
    y_range,
)

_ROW: Final = 24.0
_KEY: Final = 22.0
_OUTCOMES: Final = ("on time", "late", "refused")


@dataclass(frozen=True)
class Outcome:
    """What becomes of the tasks under a solver.

    Attributes:
        rank: Of the solver.
        late: Share of the tasks that end after their deadlines.
        refused: Share that is given no work.
    """

    rank: int
    late: float
    refused: float

    @property
    def on_time(self) -> float:
        """Share that ends by its deadline."""
        return max(0.0, 1.0 - self.late - self.refused)

    @property
    def shares(self) -> tuple[float, float, float]:
        """On time, late, refused; they add up to 1."""
        return self.on_time, self.late, self.refused


def outcomes_of_tasks(found: Mapping[str, Outcome]) -> str:
    """One bar a solver: shares of the tasks on time, late, refused."""
    left = 16.0 + LETTER * longest(found)
    x = Scale(0.0, 1.0, left, WIDTH - RIGHT, percent=True)
    top = TOP + _KEY
    bottom = top + _ROW * len(found)
    parts = [_key(left), x_axis(x, "share of tasks", top, bottom)]
    for place, (solver, outcome) in enumerate(found.items()):
        middle = top + _ROW * (place + 0.5)
        parts.append(text(left - 8, middle + 4, short(solver, outcome.rank), "label", anchor="end"))
        at = 0.0
        for kind, share in enumerate(outcome.shares):
            told = f"{solver}: {share:.1%} {_OUTCOMES[kind]}"
            parts.append(_bar(x(at), x(at + share), middle, kind, told))
            at += share
    return svg("".join(parts), "What becomes of tasks", height=bottom + BOTTOM)


def gap_against_punctuality(
    results: Results, records: Sequence[Record], found: Mapping[str, Outcome]
) -> str:
    """Mean gap to the best known against the share of the tasks that is on time."""
    gaps = panel(records, lambda r: r.short_of(results.known[r.instance].best))
    means = {solver: float(np.nanmean(gaps.row(solver))) for solver in found}
    punctual = [outcome.on_time for outcome in found.values()]
    x = linear_scale(punctual, *x_range(), percent=True)
    x = Scale(max(0.0, x.low), min(1.0, x.high), x.start, x.end, percent=True)
    y = gap_scale(list(means.values()), *reversed(y_range()), margin=1.6)
    spots = {solver: (x(found[solver].on_time), y(gap)) for solver, gap in means.items()}
    labels = Labels(list(spots.values()))
    parts = [axes(x, y, "share of tasks on time", "mean gap to best known")]
    for solver, spot in spots.items():
        told = f"{solver}: gap {percent(means[solver])}, {found[solver].on_time:.1%} on time"
        parts.append(mark(*spot, found[solver].rank, told))
    parts += [labels.place(*spot, found[solver].rank, solver) for solver, spot in spots.items()]
    return svg("".join(parts), "Value against punctuality")


def _bar(start: float, end: float, middle: float, kind: int, told: str) -> str:
    return (
        f'<rect class="outcome o{kind}" x="{start:.1f}" y="{middle - 8:.1f}" '
        f'width="{max(0.0, end - start):.1f}" height="16"><title>{escape(told)}</title></rect>'
    )


def _key(left: float) -> str:
    """What the shades mean."""
    parts = []
    for kind, name in enumerate(_OUTCOMES):
        at = left + kind * 84.0
        parts.append(
            f'<rect class="outcome o{kind}" x="{at:.1f}" y="{TOP:g}" width="12" height="12"/>'
        )
        parts.append(text(at + 17, TOP + 11, name, "tick"))
    return "".join(parts)
