"""How a score becomes a row: every column that is printed of scores, and the tables that use them.

A terminal, Markdown and the page of a report pick their columns here. A column says how its number
is written, and how soon it goes where a terminal is too narrow for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from dsct_gym.benchmark.wording import show_seconds, show_share

if TYPE_CHECKING:
    from dsct_gym.benchmark.evaluation import Standing
    from dsct_gym.benchmark.scoring import Score
    from dsct_gym.benchmark.statistics import Interval

Row = TypeVar("Row")


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column of a table of scores.

    Attributes:
        heading: What stands above it.
        shown: Its cell, as a terminal has it.
        priority: Columns of the highest go first where a terminal is narrow; 0 always stays.
        number: Whether it holds numbers, which stand to the right.
        markdown: Its cell in Markdown; ``shown`` where None.
        page: Its cell on the page of a report; ``shown`` where None.
        small: Small print below that cell.
        value: What the page sorts by.
        told: What the heading tells on the page.
    """

    heading: str
    shown: Callable[[Row], str]
    priority: int = 0
    number: bool = True
    markdown: Callable[[Row], str] | None = None
    page: Callable[[Row], str] | None = None
    small: Callable[[Row], str] | None = None
    value: Callable[[Row], float | str] | None = None
    told: str = ""


SOLVER: Final[Column[Score]] = Column(
    "solver",
    lambda row: row.solver,
    number=False,
    markdown=lambda row: f"`{row.solver}`",
    value=lambda row: row.solver,
)
ACCURACY: Final[Column[Score]] = Column(
    "mean accuracy",
    lambda row: f"{row.mean_accuracy.mean:.5f}",
    small=lambda row: f"{row.mean_accuracy.low:.4f} – {row.mean_accuracy.high:.4f}",
    value=lambda row: row.mean_accuracy.mean,
    told="mean over the tasks of an instance, then over instances",
)
GAP_TO_BEST: Final[Column[Score]] = Column(
    "gap to best",
    lambda row: f"{row.gap_to_best.mean:.3%}",
    priority=1,
    markdown=lambda row: _with_ends(row.gap_to_best),
    page=lambda row: show_share(row.gap_to_best.mean),
    small=lambda row: f"{show_share(row.gap_to_best.low)} – {show_share(row.gap_to_best.high)}",
    value=lambda row: row.gap_to_best.mean,
    told="share missing to the best schedule known",
)
GAP_TO_BOUND: Final[Column[Score]] = Column(
    "gap to bound",
    lambda row: f"{row.gap:.3%}",
    priority=4,
    page=lambda row: show_share(row.gap),
    value=lambda row: row.gap,
    told="share missing to the least proven upper bound",
)
OPTIMAL: Final[Column[Score]] = Column(
    "optimal",
    lambda row: f"{row.optimal}/{row.instances}",
    priority=5,
    value=lambda row: row.optimal,
    told="instances on which it proved its schedule optimal",
)
WHETHER_OPTIMAL: Final = replace(OPTIMAL, shown=lambda row: "yes" if row.optimal else "")
"""The same where there is one instance."""

ENERGY: Final[Column[Score]] = Column(
    "energy used",
    lambda row: f"{row.energy_share:.1%}",
    priority=6,
    value=lambda row: row.energy_share,
    told="share of the energy budget that was spent",
)
SLACK: Final[Column[Score]] = Column(
    "slack",
    lambda row: f"{row.slack:.1%}",
    priority=8,
    value=lambda row: row.slack,
    told="time from the end of a task to its deadline, as a share of the deadline",
)
FAIRNESS: Final[Column[Score]] = Column(
    "fairness",
    lambda row: f"{row.fairness:.3f}",
    priority=7,
    value=lambda row: row.fairness,
    told="Jain's index of the tasks' accuracies: 1 where all are equal",
)
SECONDS: Final[Column[Score]] = Column(
    "seconds",
    lambda row: show_seconds(row.seconds),
    priority=3,
    markdown=lambda row: f"{row.seconds:.3g}",
    value=lambda row: row.seconds,
    told="mean wall time of the solver, s",
)
RUNS: Final[Column[Score]] = Column("runs", lambda row: str(row.runs))
FAILED: Final[Column[Score]] = Column(
    "failed",
    lambda row: f"{row.failures}/{row.runs}",
    priority=2,
    value=lambda row: row.failures,
    told="runs without a feasible schedule",
)

MARKDOWN: Final = (
    SOLVER,
    ACCURACY,
    GAP_TO_BEST,
    GAP_TO_BOUND,
    OPTIMAL,
    ENERGY,
    FAIRNESS,
    SECONDS,
    FAILED,
)
PAGE: Final = (*MARKDOWN[:6], SLACK, *MARKDOWN[6:])


def terminal_columns(scores: Sequence[Score]) -> tuple[Column[Score], ...]:
    """The columns that a terminal shows of a benchmark."""
    one = all(row.instances == 1 for row in scores)
    failing = any(row.failures for row in scores)
    return (
        *MARKDOWN[:4],
        WHETHER_OPTIMAL if one else OPTIMAL,
        *MARKDOWN[5:8],
        *([FAILED] if failing else []),
    )


def leaderboard_columns(instances: int) -> tuple[Column[Score], ...]:
    """The columns of the leaderboard, which tells of a suite's instances that were not run."""

    def agent(row: Score) -> str:
        missing = row.instances != instances
        note = f" ({row.instances} of {instances} instances)" if missing else ""
        return f"`{row.solver}`{note}"

    count = replace(FAILED, shown=lambda row: str(row.failures))
    return (replace(SOLVER, heading="agent", markdown=agent), *MARKDOWN[1:8], RUNS, count)


def standing_columns() -> tuple[Column[Standing], ...]:
    """The columns that a terminal shows of an evaluation."""
    # A label may be broken after its commas.
    agent: Column[Standing] = Column(
        "agent", lambda row: row.score.solver.replace(",", ", "), number=False
    )
    return (
        agent,
        _of_score(ACCURACY, "accuracy", 0),
        _of_score(GAP_TO_BOUND, "gap", 3),
        _unless_failed(Column("closed", _closed, 1)),
        _unless_failed(Column("interval", _interval, 4)),
        _unless_failed(Column("W/T/L", lambda row: f"{row.wins}/{row.ties}/{row.losses}", 2)),
        _of_score(SECONDS, "seconds", 5),
    )


def as_cells(columns: Sequence[Column[Row]], rows: Sequence[Row]) -> list[list[str]]:
    """The cells of a terminal's table."""
    return [[column.shown(row) for column in columns] for row in rows]


def as_markdown(columns: Sequence[Column[Row]], rows: Sequence[Row]) -> str:
    """A Markdown table."""
    heads = " | ".join(column.heading for column in columns)
    rules = "|".join("---:" if column.number else "---" for column in columns)
    lines = [f"| {heads} |\n|{rules}|\n"]
    for row in rows:
        cells = " | ".join((column.markdown or column.shown)(row) for column in columns)
        lines.append(f"| {cells} |\n")
    return "".join(lines)


def _with_ends(interval: Interval) -> str:
    return f"{interval.mean:.3%} [{interval.low:.3%}, {interval.high:.3%}]"


def _of_score(column: Column[Score], heading: str, priority: int) -> Column[Standing]:
    """A column of the score within a standing."""
    return _unless_failed(Column(heading, lambda row: column.shown(row.score), priority))


def _unless_failed(column: Column[Standing]) -> Column[Standing]:
    """A dash where the agent never gave a schedule."""
    return replace(
        column,
        shown=lambda row: "-" if row.score.failures == row.score.runs else column.shown(row),
    )


def _closed(row: Standing) -> str:
    return "-" if row.closed is None else f"{_share(row.closed.mean)}%"


def _interval(row: Standing) -> str:
    if row.closed is None or row.closed.low >= row.closed.high:
        return ""
    return f"[{_share(row.closed.low)}, {_share(row.closed.high)}]"


def _share(share: float) -> str:
    return f"{100.0 * share:.1f}" if abs(share) < 10.0 else f"{100.0 * share:.0f}"
