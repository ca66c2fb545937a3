"""What a benchmark runs: solvers on instances, with several seeds where they are random."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.spec import Spec
from dsct_gym.errors import InputError
from dsct_gym.problem import Problem, knowledge_of
from dsct_gym.solver import as_seed, as_time_limit, check_solver_knows, solver_entry_points


def label_instances(chosen: Iterable[tuple[str, Problem]]) -> dict[str, Problem]:
    """Instances by label: their name, or the one that is given beside them.

    Raises:
        InputError: If two have the same.
    """
    labelled: dict[str, Problem] = {}
    for fallback, instance in chosen:
        label = instance.name or fallback
        if label in labelled:
            raise InputError(f"INSTANCE: two are called {label!r}; their records would be mixed")
        labelled[label] = instance
    return labelled


def default_solvers(problems: Iterable[Problem]) -> tuple[list[Spec], list[str]]:
    """The registered solvers that can be made and know what all problems need; why not others.

    Those that are meant for something that not all problems have are left out without a word.
    """
    each = [problem.needs for problem in problems]
    needs, shared = frozenset[str]().union(*each), frozenset[str].intersection(*each)
    found, left_out = [], []
    for solver in map(Spec, solver_entry_points()):
        try:
            agent = solver.make()
        except InputError as error:
            left_out.append(str(error))
            continue
        if not getattr(agent, "meant_for", shared) <= shared:
            continue
        missing = needs - knowledge_of(agent)
        if missing:
            left_out.append(f"{solver.name} does not know {' and '.join(sorted(missing))}")
        else:
            found.append(solver)
    return found, left_out


def seeds_for(solver: Spec, seeds: Sequence[int | None]) -> Sequence[int | None]:
    """The seeds that a solver runs with: all where it is random, otherwise the first.

    A class of a third party that does not say so by ``stochastic`` counts as random.
    """
    random = len(seeds) > 1 and getattr(solver.make(), "stochastic", True)
    return seeds if random else seeds[:1]


def plan_jobs(
    instances: Mapping[str, Problem],
    solvers: Sequence[Spec],
    *,
    seeds: Sequence[int | None] = (None,),
    time_limit: float | None = None,
) -> list[Job]:
    """Every solver on every instance, instance by instance.

    Args:
        instances: By label.
        solvers: Whose names and options are right.
        seeds: Seeds of what is random; others run with the first alone.
        time_limit: Wall-clock limit of each run, s.

    Raises:
        InputError: If the limit or a seed is none, or a solver cannot be made or does not know what
            a problem needs.
    """
    for solver in solvers:
        agent = solver.make()
        for problem in instances.values():
            check_solver_knows(agent, problem, solver.name)
    limit = as_time_limit(time_limit)
    runs = [(solver, as_seed(seed)) for solver in solvers for seed in seeds_for(solver, seeds)]
    return [
        Job(label, instance, solver, limit, seed)
        for label, instance in instances.items()
        for solver, seed in runs
    ]
