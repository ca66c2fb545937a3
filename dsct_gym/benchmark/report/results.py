"""What a report is about: the runs of a folder with everything derived from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from dsct_gym.benchmark.evidence import refutations
from dsct_gym.benchmark.panel import Panel
from dsct_gym.benchmark.provenance import OWN
from dsct_gym.benchmark.record import Record
from dsct_gym.benchmark.scoring import (
    Score,
    Yardstick,
    gaps_to_best,
    references_of,
    refuted_bounds,
    score,
    yardsticks,
)
from dsct_gym.benchmark.statistics import Comparison, compare_pairs
from dsct_gym.benchmark.store import Broken, Store, StoredRun
from dsct_gym.benchmark.wording import show_limit
from dsct_gym.errors import InputError, located
from dsct_gym.problem import Problem
from dsct_gym.schedule import Schedule, idle

FEWEST: Final = 6
"""Of fewer instances no test of pairs can be significant at 5 %: neither tests nor intervals are
shown, nor how gaps are distributed, but what machines do."""


@dataclass(frozen=True)
class Results:
    """The sound runs of a folder.

    Attributes:
        store: The folder.
        runs: Its runs, best solver first.
        broken: Files that hold no run.
        known: What is known of each instance.
        problems: The instances by name.
        idle: The value of doing nothing, of each.
    """

    store: Store
    runs: tuple[StoredRun, ...]
    broken: tuple[Broken, ...]
    known: dict[str, Yardstick]
    problems: dict[str, Problem]
    idle: dict[str, float]

    @classmethod
    def load(cls, folder: Path) -> Results:
        """Reads a folder that ``dsct-gym bench -o`` wrote.

        Raises:
            InputError: If there is no such folder or no sound run in it.
        """
        store = Store(folder)
        runs, broken, problems = _believable(store)
        if not runs:
            first = f": {broken[0].path.name} {broken[0].told}" if broken else ""
            raise InputError(f"{folder}: holds no sound run{first}")
        records = [run.record for run in runs]
        known = yardsticks(records, references_of(problems))
        ranks = {
            row.solver: row.gap_to_best.mean
            for row in sorted(score(records, known), key=lambda row: row.solver)
        }
        runs.sort(key=lambda run: (ranks[run.record.solver], run.record.solver))
        worthless = {label: idle(problems[label]) for label in known}
        return cls(store, tuple(runs), tuple(broken), known, problems, worthless)

    @cached_property
    def records(self) -> list[Record]:
        """The numbers of the runs."""
        return [run.record for run in self.runs]

    @cached_property
    def scores(self) -> list[Score]:
        """The score of each solver, best first."""
        return score(self.records, self.known)

    @cached_property
    def gaps(self) -> Panel:
        """Gap to the best known of each solver on each instance."""
        return gaps_to_best(self.records, self.known)

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Every pair of solvers."""
        return compare_pairs(self.gaps)

    @property
    def solvers(self) -> tuple[str, ...]:
        """Names, best first."""
        return self.gaps.solvers

    @property
    def instances(self) -> tuple[str, ...]:
        """Labels in the order of names."""
        return tuple(sorted(self.gaps.instances))

    @cached_property
    def warnings(self) -> list[str]:
        """What a reader must know before trusting the numbers."""
        return [
            *(f"{each.path.name} {each.told} and left out" for each in self.broken),
            *(
                f"{r.solver} claims a bound on {r.instance} that a schedule exceeds; left out"
                for r in refuted_bounds(self.records)
            ),
            *self._mixtures(),
            *self._gaps_in_the_plan(),
        ]

    @property
    def few(self) -> bool:
        """Whether there are too few instances for statistics."""
        return len(self.instances) < FEWEST

    @property
    def budgeted(self) -> bool:
        """Whether all instances have an energy budget; soft deadlines may do without."""
        return all(map(self.has_budget, self.instances))

    def has_budget(self, label: str) -> bool:
        """Whether energy is limited; where it is not, a core has what no schedule can exceed."""
        problem = self.problems[label]
        return getattr(problem, "budget", problem.core.energy_budget) is not None

    def with_need(self, need: str) -> tuple[str, ...]:
        """The instances whose solvers must know that, in the order of names."""
        return tuple(label for label in self.instances if need in self.problems[label].needs)

    @property
    def failures(self) -> list[Record]:
        """The runs without a feasible schedule."""
        return [record for record in self.records if not record.ok]

    def runs_of(self, solver: str) -> list[StoredRun]:
        """The runs of one solver."""
        return [run for run in self.runs if run.record.solver == solver]

    def schedule_of(self, run: StoredRun) -> Schedule:
        """The schedule of a run.

        Raises:
            InputError: If it is not there or damaged.
        """
        try:
            return Schedule.load(run.schedule_path, self.problems[run.record.instance])
        except InputError as error:
            raise located(run.schedule_path, error) from error

    def _mixtures(self) -> list[str]:
        """Runs that do not compare: several limits for one solver, several machines."""
        found = []
        for solver in self.solvers:
            limits = {run.record.time_limit for run in self.runs_of(solver)}
            if len(limits) > 1:
                shown = ", ".join(show_limit(limit) for limit in sorted(limits, key=_as_number))
                found.append(f"{solver} ran with different time limits ({shown})")
        machines = {str(run.environment.get("processor")) for run in self.runs}
        if len(machines) > 1:
            found.append(f"runs come from different machines ({', '.join(sorted(machines))})")
        versions = {str(run.environment.get("dsct-gym")) for run in self.runs}
        if len(versions) > 1:
            found.append(f"runs come from different versions ({', '.join(sorted(versions))})")
        return found

    def _gaps_in_the_plan(self) -> list[str]:
        total = len(self.instances)
        return [
            f"{row.solver} ran on {row.instances} of {total} instances only: means do not compare"
            for row in self.scores
            if row.instances < total
        ]


def _believable(store: Store) -> tuple[list[StoredRun], list[Broken], dict[str, Problem]]:
    """The runs that their schedules and instances bear out, files that hold none, instances."""
    runs, broken = store.load()
    problems: dict[str, Problem] = {}
    sound = []
    for run in runs:
        label = run.record.instance
        if label not in problems:
            problems[label] = store.load_instance(label)
        wrong = refutations(run, problems[label])
        if wrong:
            broken.append(Broken(run.path, "; ".join(wrong)))
        else:
            sound.append(run)
    return sound, broken, problems


def environments(runs: Sequence[StoredRun]) -> list[dict[str, object]]:
    """The different environments of runs, without what is a solver's own."""
    found = {
        tuple((key, value) for key, value in sorted(run.environment.items()) if key not in OWN)
        for run in runs
    }
    return [dict(entries) for entries in sorted(found, key=str)]


def _as_number(limit: float | None) -> float:
    return float("inf") if limit is None else limit
