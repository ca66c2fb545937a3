"""`hindsight`: what could have been done, had all arrivals been known: annealing over orders."""

from __future__ import annotations

from dsct_gym.baselines.local_search import OrderSearch, Run, as_moves, cool
from dsct_gym.online.toy import toy_with_arrivals
from dsct_gym.problem import Problem
from dsct_gym.relaxation import relax
from dsct_gym.solver import Answer, Solver, practises


@practises(moves=100)
class Hindsight(Solver):
    """Simulated annealing over assignments and orders, with full knowledge of what arrives.

    No online agent can do what it does; it tells how much of the gap to the clairvoyant bound,
    which lets tasks be split and preempted, can be closed at all. It begins with each task on the
    machine where it gains most as tasks arrive, and proposes to move a task to another machine or
    place, to leave it out, or to exchange two that arrived about when each other did. Works are the
    exact ones for the order (`dsct_gym.online.sequences`). It cools as `annealing` does. The upper
    bound that it returns is the clairvoyant one.

    Args:
        moves: Number of proposals. With it, the same seed gives the same schedule, unless the time
            limit ends the run first. Left out, it is 50,000 + 500 n without a time limit and
            unlimited with one. Without a seed, the seed is 0.

    Raises:
        InputError: If ``moves`` is not a whole number of at least 0.
    """

    name = "hindsight"
    knows = frozenset({"arrivals"})
    stochastic = True

    def __init__(self, moves: int | None = None) -> None:
        self.moves = as_moves(moves)

    def warm_up(self) -> None:
        """As the base class, and the kernels of the bound with arrivals."""
        super().warm_up()
        self.practise(toy_with_arrivals())

    def _solve(self, instance: Problem, *, time_limit: float | None, seed: int | None) -> Answer:
        moves = self.moves
        if moves is None and time_limit is None:
            moves = 50_000 + 500 * instance.core.num_tasks
        run = Run(moves, time_limit, seed, self.progress)
        bound = relax(instance).bound
        search = OrderSearch(instance, run.seed)
        interrupted = False
        try:
            for done in cool(search, run.clock()):
                run.tell(search.best_total, done)
        except KeyboardInterrupt:
            interrupted = True
        return Answer(search.schedule(), bound, interrupted)
