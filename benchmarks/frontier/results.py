"""What the runs say: means over instances, the best way of each side, the tables of the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

import numpy as np

from benchmarks.frontier.measuring import APPROX, CLASSICAL, GREEDY, POLICY, SCHEDULES, Case, Run
from dsct_gym.arrays import Floats
from dsct_gym.benchmark.statistics import Interval, ratio_interval


class Results:
    """The runs of one size, as means over the instances."""

    def __init__(self, case: Case, runs: Iterable[Run]) -> None:
        self.case = case
        self.runs = [run for run in runs if (run.n, run.m) == (case.n, case.m)]
        self.count = 1 + max(run.index for run in self.runs)
        self.floor = self.plain(APPROX)
        self.best = np.full(self.count, -np.inf)
        for run in self.runs:
            if run.start != "bound":
                self.best[run.index] = max(self.best[run.index], run.accuracy)
        self.whole = self.best - self.floor

    def plain(self, name: str, value: str = "accuracy") -> Floats:
        """What was run without annealing, on each instance (k,)."""
        return self._collect(
            [run for run in self.runs if run.start == name and not run.limit], value
        )

    def side(
        self, names: Sequence[str], limit: str, amount: float
    ) -> tuple[str, dict[str, Floats]]:
        """The best of the ways of a side: its name; accuracy, seconds and moves (k,).

        Where the time is over before anything can be annealed, the start itself is what there is.
        """
        ways: dict[str, dict[str, Floats]] = {}
        for name, schedule in product(names, ("", *SCHEDULES)):
            runs = [
                run
                for run in self.runs
                if (run.start, run.schedule) == (name, schedule)
                and (not schedule or (run.limit, run.amount) == (limit, amount))
            ]
            allowed = amount * self.plain(POLICY, "seconds").mean()
            late = (
                not schedule and limit == "times" and self.plain(name, "seconds").mean() > allowed
            )
            if {run.index for run in runs} == set(range(self.count)) and not late:
                ways[f"{name}, {schedule}"] = {
                    value: self._collect(runs, value) for value in ("accuracy", "seconds", "moves")
                }
        way = max(ways, key=lambda way: float(ways[way]["accuracy"].mean()))
        return way, ways[way]

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
    return f"{100 * interval.mean:.0f} [{100 * interval.low:.0f}, {100 * interval.high:.0f}]"


def points(interval: Interval) -> str:
    """A difference, in bold where its interval does not hold 0."""
    text = (
        f"{100 * interval.mean:+.1f} [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]"
    ).replace("-", "−")
    return f"**{text}**" if interval.low * interval.high > 0.0 else text


def span(seconds: Floats) -> str:
    mean = float(seconds.mean())
    return f"{1e3 * mean:.3g} ms" if mean < 1.0 else f"{mean:.3g} s"


def sheet(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; the first column is text, the others numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def alone_table(results: Sequence[Results]) -> str:
    head = (
        "n × m",
        "instances",
        "policy",
        "µs a decision",
        "`approx-refined`",
        "`greedy`",
        "policy",
        "best known",
        "bound",
        "better / equal / worse",
    )
    rows = []
    for result in results:
        policy, floor = result.plain(POLICY), result.floor
        equal = np.abs(policy - floor) <= 1e-9
        rows.append(
            (
                result.case.label,
                str(result.count),
                span(result.plain(POLICY, "seconds")),
                f"{1e6 * result.plain(POLICY, 'passing').mean() / result.case.n:.0f}",
                *(
                    f"{values.mean():.5f}"
                    for values in (floor, result.plain(GREEDY), policy, result.best)
                ),
                f"{result.plain('bound').mean():.5f}",
                f"{((policy > floor) & ~equal).sum()} / {equal.sum()} / "
                f"{((policy < floor) & ~equal).sum()}",
            )
        )
    return sheet(head, rows)


def time_table(results: Sequence[Results]) -> str:
    head = (
        "n × m",
        "time",
        "moves a task after the policy",
        "policy, then annealing",
        "annealing alone",
        "difference",
    )
    rows = []
    for result, amount in at_least_the_pass(results):
        _, ours = result.side((POLICY,), "times", amount)
        _, theirs = result.side(CLASSICAL, "times", amount)
        rows.append(
            (
                result.case.label,
                span(amount * result.plain(POLICY, "seconds")),
                f"{ours['moves'].mean() / result.case.n:,.0f}",
                shares(result.closed(ours["accuracy"])),
                shares(result.closed(theirs["accuracy"])),
                points(result.ahead(ours["accuracy"], theirs["accuracy"])),
            )
        )
    return sheet(head, rows)


def at_least_the_pass(results: Sequence[Results]) -> Iterator[tuple[Results, float]]:
    """Each size with the times in which the policy gets through its pass."""
    for result in results:
        for amount in result.case.times:
            if amount >= 1.0:
                yield result, amount


def moves_table(results: Sequence[Results]) -> str:
    head = (
        "n × m",
        "moves a task",
        "from policy",
        "from `approx-refined`",
        "from `greedy`",
        "policy less the best classical",
    )
    rows = []
    for result in results:
        for amount in (0, *result.case.moves):
            sides = {
                name: result.plain(name)
                if amount == 0
                else result.side((name,), "moves", amount)[1]["accuracy"]
                for name in (POLICY, *CLASSICAL)
            }
            best = max(CLASSICAL, key=lambda name: float(sides[name].mean()))
            rows.append(
                (
                    result.case.label,
                    f"{amount:,}",
                    *(shares(result.closed(values)) for values in sides.values()),
                    points(result.ahead(sides[POLICY], sides[best])),
                )
            )
    return sheet(head, rows)


def ways_table(results: Sequence[Results]) -> str:
    rows = []
    for result, amount in at_least_the_pass(results):
        sides = [result.side(names, "times", amount) for names in ((POLICY,), CLASSICAL)]
        ways = [way.rstrip(", ") for way, _ in sides]
        rows.append((result.case.label, f"{amount:g}", *ways))
    return sheet(("n × m", "times the pass", "policy's side", "classical side"), rows)
