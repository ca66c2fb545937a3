"""`annealing`: simulated annealing over assignments, every one with its exact processing times.

Where deadlines are soft, over sequences and works.
"""

from __future__ import annotations

from functools import singledispatch

from dsct_gym.allocation import allocate
from dsct_gym.baselines.descent import Descent
from dsct_gym.baselines.local_search import Run, Search, Start, as_moves, completed, cool, descended
from dsct_gym.baselines.sequencing.search import COURSE, SequenceSearch
from dsct_gym.errors import InputError
from dsct_gym.list_schedule import assign
from dsct_gym.problem import Problem
from dsct_gym.relaxation import Relaxation, relax
from dsct_gym.soft import SoftInstance
from dsct_gym.solver import Answer, Solver, practises

_MANY = 100  # tasks from which a run starts from a descent: those of fewer soon forget it
_COOLED = 0.15  # share of a run over sequences that cools, before kicks


@practises(moves=100)
class Annealing(Solver):
    """Simulated annealing over assignments.

    It starts from `approx-refined`, from 100 tasks on after three passes of `descent`, and proposes
    to move a task to another machine or to swap two tasks. Temperatures are set from the losses of
    sampled changes and fall geometrically with the moves, or with the time where only that is
    limited. A long run cools several times, each time from the best so far. The upper bound that it
    returns is the fractional one.

    Where deadlines are soft it walks over the sequences of all machines, and over works where tasks
    are compressible. It starts from the rule `atc`, cools once in a sixth of the run, and goes from
    local optimum to local optimum for the rest: a few changes at random, a short cold walk, taken
    back where that ends worse. Without a time limit it then makes 2,000,000 + 10,000 n proposals.

    Args:
        moves: Number of proposals. With it, the same seed gives the same schedule, unless the time
            limit ends the run first. Left out, it is 20,000 + 100 n without a time limit and
            unlimited with one. Without a seed, the seed is 0.

    Raises:
        InputError: If ``moves`` is not a whole number of at least 0.
    """

    name = "annealing"
    knows = frozenset({"points", "soft"})
    stochastic = True
    takes_warm_start = True

    def __init__(self, moves: int | None = None) -> None:
        self.moves = as_moves(moves)

    def practise(self, problem: Problem) -> None:
        """As the base class; toys have too few tasks to be descended from."""
        super().practise(problem)
        if not isinstance(problem, SoftInstance):
            Descent().practise(problem)

    def _solve(self, instance: Problem, *, time_limit: float | None, seed: int | None) -> Answer:
        moves = self.moves
        if moves is None and time_limit is None:
            moves = default_moves(instance)
        return anneal(instance, Run(moves, time_limit, seed, self.progress, self.warm_start))


@singledispatch
def default_moves(problem: Problem) -> int:
    """Proposals of a run that nothing limits."""
    return 20_000 + 100 * problem.core.num_tasks


@default_moves.register
def _(problem: SoftInstance) -> int:
    return 2_000_000 + 10_000 * problem.core.num_tasks


@singledispatch
def anneal(problem: Problem, run: Run) -> Answer:
    """Anneals a problem within a run."""
    relaxation = relax(problem)
    start = _start(problem, relaxation, run)
    interrupted = start.interrupted
    search = Search(problem, start.machine_of, run.seed)
    try:
        if not interrupted:
            for done in cool(search, run.clock()):
                run.tell(search.best_total, done)
    except KeyboardInterrupt:
        interrupted = True
    return Answer(allocate(problem, search.best), relaxation.bound, interrupted)


@anneal.register
def _(problem: SoftInstance, run: Run) -> Answer:
    if run.warm_start is not None:
        raise InputError("start: annealing with soft deadlines begins from the rule atc")
    search, interrupted = SequenceSearch(problem, run.seed), False
    try:
        for done in cool(search, run.clock(_COOLED), COURSE):
            run.tell(search.best_total, _COOLED * done)
        for done in search.kick(run.clock(), run.moves):
            run.tell(search.best_total, done)
    except KeyboardInterrupt:
        interrupted = True
    return Answer(search.schedule(), relax(problem).bound, interrupted)


def _start(problem: Problem, relaxation: Relaxation, run: Run) -> Start:
    if run.warm_start is not None:
        return Start(completed(problem, relaxation, run.warm_start), interrupted=False)
    if problem.core.num_tasks < _MANY:
        return Start(assign(problem, relaxation), interrupted=False)
    return descended(problem, relaxation, run.deadline)
