"""What the runs say: means over instances, the best way of each side, the tables of the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.frontier.measuring import (
    ALONE,
    ANY,
    APPROX,
    BY_HAND,
    LEARNED,
    ONE,
    POLICY,
    POLICY_ON,
    THREE,
    TRAINED,
    UNTRAINED,
    Case,
    Run,
)
from dsct_gym.arrays import Floats
from dsct_gym.benchmark.statistics import Interval, ratio_interval

Way = tuple[str, str]

ABLATION: tuple[tuple[str, Way], ...] = (
    ("`approx-refined`, swaps with any task: plain annealing", (APPROX, ANY)),
    ("`descent` before it", (THREE, ANY)),
    ("the policy's pass and `descent` before it", (POLICY_ON, ANY)),
    ("`descent`, partners by hand", (THREE, BY_HAND)),
    ("`descent`, learned partners", (THREE, LEARNED)),
    ("the policy's pass, `descent`, learned partners: `rl`", (POLICY_ON, LEARNED)),
)
"""Rows of the table of what each part contributes."""
AMPLE = 5.0  # passes' time, at which that table compares


class Results:
    """The runs of one size, as means over the instances."""

    def __init__(self, case: Case, runs: Iterable[Run]) -> None:
        self.case = case
        self.runs = [run for run in runs if (run.n, run.m) == (case.n, case.m)]
        self.count = 1 + max(run.index for run in self.runs)
        self.floor = self.plain(APPROX)
        self.best = self.plain("best")
        self.whole = self.best - self.floor

    def plain(self, name: str, value: str = "accuracy") -> Floats:
        """What was run without a walk, on each instance (k,)."""
        return self._collect(
            [run for run in self.runs if run.start == name and not run.passes], value
        )

    def way(self, way: Way, passes: float) -> dict[str, Floats] | None:
        """Accuracy, seconds and moves of a way (k,) in a time; None where it does not fit in."""
        start, partners = way
        if partners == ALONE:
            runs = [run for run in self.runs if run.start == start and not run.passes]
            # The policy's own pass fits in its own time.
            late = self.plain(start, "seconds").mean() > passes * self.unit * (1.0 + 1e-9)
        else:
            runs = [
                run
                for run in self.runs
                if (run.start, run.partners, run.passes) == (start, partners, passes)
            ]
            late = {run.index for run in runs} != set(range(self.count))
        if late:
            return None
        return {value: self._collect(runs, value) for value in ("accuracy", "seconds", "moves")}

    def side(self, ways: Iterable[Way], passes: float) -> tuple[Way, dict[str, Floats]]:
        """The way of a side that is best in the mean, and what it did."""
        found = {way: did for way in ways if (did := self.way(way, passes)) is not None}
        best = max(found, key=lambda way: float(found[way]["accuracy"].mean()))
        return best, found[best]

    @property
    def unit(self) -> float:
        """CPU seconds of the policy's pass, mean over the instances."""
        return float(self.plain(POLICY, "seconds").mean())

    def closed(self, accuracy: Floats) -> Interval:
        """Share of the gap from approx-refined to the best known that is closed."""
        return ratio_interval((accuracy - self.floor)[None], self.whole)

    def ahead(self, one: Floats, other: Floats) -> Interval:
        """Difference of two shares."""
        return ratio_interval((one - other)[None], self.whole)

    def _collect(self, runs: Sequence[Run], value: str) -> Floats:
        """Means over the seeds, for each instance."""
        sums, counts = np.zeros(self.count), np.zeros(self.count)
        for run in runs:
            sums[run.index] += getattr(run, value)
            counts[run.index] += 1
        return sums / counts


def shares(interval: Interval) -> str:
    return f"{100 * interval.mean:.1f} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def points(interval: Interval) -> str:
    """A difference, in bold where its interval does not hold 0."""
    text = (
        f"{100 * interval.mean:+.1f} [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]"
    ).replace("-", "−")
    return f"**{text}**" if interval.low * interval.high > 0.0 else text


def span(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms" if seconds < 1.0 else f"{seconds:.3g} s"


def sheet(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; the first column is text, the others numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def alone_table(results: Sequence[Results]) -> str:
    """Starts without a walk: time and share closed."""
    starts = (ONE, THREE, POLICY, POLICY_ON)
    rows = []
    for result in results:
        cells = (
            f"{span(float(result.plain(start, 'seconds').mean()))}: "
            f"{shares(result.closed(result.plain(start)))}"
            for start in starts
        )
        rows.append((result.case.label, str(result.count), *cells))
    return sheet(("n × m", "instances", *starts), rows)


def time_table(results: Sequence[Results]) -> str:
    """Both sides at equal time."""
    head = ("n × m", "time", "passes", "best untrained way", "best learned way", "difference")
    rows = []
    for result in results:
        for passes in result.case.times:
            _, theirs = result.side(UNTRAINED, passes)
            _, ours = result.side(TRAINED, passes)
            rows.append(
                (
                    result.case.label,
                    span(passes * result.unit),
                    f"{passes:g}",
                    shares(result.closed(theirs["accuracy"])),
                    shares(result.closed(ours["accuracy"])),
                    points(result.ahead(ours["accuracy"], theirs["accuracy"])),
                )
            )
    return sheet(head, rows)


def ways_table(results: Sequence[Results]) -> str:
    """Which ways were the best."""
    rows = []
    for result in results:
        for passes in result.case.times:
            sides = [result.side(ways, passes)[0] for ways in (UNTRAINED, TRAINED)]
            names = [
                start if partners == ALONE else f"{start}; {partners}" for start, partners in sides
            ]
            rows.append((result.case.label, f"{passes:g}", *names))
    return sheet(("n × m", "passes", "untrained", "learned"), rows)


def ablation_table(results: Sequence[Results]) -> str:
    """What start and partners contribute at the same time."""
    rows = []
    for label, way in ABLATION:
        cells = []
        for result in results:
            did = result.way(way, AMPLE)
            cells.append("–" if did is None else shares(result.closed(did["accuracy"])))
        rows.append((label, *cells))
    return sheet(("", *(result.case.label for result in results)), rows)
