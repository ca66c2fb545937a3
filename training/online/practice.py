"""Arrivals to practise on, and a kernel that plays them with many weights in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Final, NamedTuple

import numpy as np

from dsct_gym.agents.online.decision import decide
from dsct_gym.agents.online.outlook import COSTS
from dsct_gym.arrays import Floats
from dsct_gym.baselines.dispatch.price import Price
from dsct_gym.catalog import families
from dsct_gym.jit import helper, kernel
from dsct_gym.online import OnlineInstance
from dsct_gym.online.arrivals import ArrivalProcess, Poisson
from dsct_gym.online.arrivals.diurnal import Diurnal
from dsct_gym.online.arrivals.markov import bursty
from dsct_gym.online.arrivals.shipped import (
    NEVER_TRAINED_ON,
    TRACES,
    TRAINING,
    shipped_trace,
)
from dsct_gym.online.generator import TOLERANCE, OnlineScenario
from dsct_gym.online.known import Known
from dsct_gym.online.simulator import (
    Counter,
    Game,
    Meter,
    carry_out,
    know,
    next_idle,
)
from dsct_gym.random import spawn
from dsct_gym.relaxation import relax
from dsct_gym.training.online.config import Practice, process_of

_STREAM: Final = 0xA221
_HELD_OUT: Final = 1
"""Held-out instances have a stream of their own, whatever the seed of the run."""


def _poisson(rng: np.random.Generator) -> ArrivalProcess:
    return Poisson()


def _bursty(rng: np.random.Generator) -> ArrivalProcess:
    """Bursts of 3 to 20 times the rate, short or long, rare or not."""
    factor, share, length = 3.0 + 17.0 * rng.random(), rng.random(), rng.random()
    return bursty(factor=factor, share=0.1 + 0.2 * share, length=0.02 + 0.13 * length)


def _diurnal(rng: np.random.Generator) -> ArrivalProcess:
    return Diurnal()


def _trace(rng: np.random.Generator) -> ArrivalProcess:
    """The first half of one of the traces that are not kept for tests."""
    names = [name for name in TRACES if name != NEVER_TRAINED_ON]
    return shipped_trace(names[int(rng.random() * len(names))], **TRAINING)


Draw = Callable[[np.random.Generator], ArrivalProcess]
"""Draws an arrival process."""

KINDS: Final[dict[str, Draw]] = {
    "poisson": _poisson,
    "bursty": _bursty,
    "diurnal": _diurnal,
    "trace": _trace,
}
"""Kinds of arrivals to practise on, where nothing else is told."""


def kinds_of(practice: Practice) -> dict[str, Draw]:
    """What draws each kind of arrivals: what is told, or `KINDS`."""
    if not practice.arrivals:
        return KINDS
    return {
        f"{place}: {told['name']}": _always(process_of(told))
        for place, told in enumerate(practice.arrivals)
    }


def _always(process: ArrivalProcess) -> Draw:
    return lambda _: process


def draw_practice(practice: Practice, draw: Draw, rng: np.random.Generator) -> OnlineInstance:
    """Draws an instance.

    Args:
        practice: Where it comes from.
        draw: What draws its arrivals, one of `kinds_of`.
        rng: Source of randomness.
    """
    arrivals = draw(rng)
    fewest, most = practice.n
    low, high = practice.patience
    tasks = round(fewest * (most / fewest) ** rng.random())
    patience = low * (high / low) ** rng.random()
    scenario = OnlineScenario.of(
        arrivals=arrivals,
        tolerance=(TOLERANCE[0], patience),
        n=tasks,
        m=practice.m,
        family=_family(rng) if rng.random() < practice.families else None,
        mu=practice.mu,
        rho=practice.rho,
        beta=practice.beta,
    )
    return scenario.sample(rng)


def _family(rng: np.random.Generator) -> str:
    """A model family of the catalogue."""
    known = families()
    return known[int(rng.random() * len(known))].name


class Match(NamedTuple):
    """A game to play again and again.

    Attributes:
        game: The game.
        memory: What a rule keeps in mind during it.
    """

    game: Game
    memory: Floats

    @classmethod
    def of(cls, problem: OnlineInstance) -> Match:
        """A game of a problem."""
        return cls(Game.of(problem, 1), np.zeros(COSTS + problem.core.num_machines))


def play_matches(matches: Sequence[Match], weights: Floats, pool: Executor) -> Floats:
    """Mean accuracy above that of no work, of each match with each of many weights (k, w).

    Args:
        matches: The games (k).
        weights: Parameters of `rl-online` (w, SIZE).
        pool: Threads that play.
    """

    def play(match: Match) -> Floats:
        earned = np.empty(len(weights))
        if not play_each(match.game, match.memory, weights, earned):
            raise RuntimeError("rl-online: chose what is not possible")
        return earned

    return np.array(list(pool.map(play, matches)))


@kernel
def play_each(game: Game, memory: Floats, weights: Floats, earned: Floats) -> bool:
    """Plays a game with each of many weights (w, SIZE), whose mean accuracy is written (w,).

    Returns:
        Whether everything that was chosen was possible.
    """
    for row in range(weights.shape[0]):
        _begin_anew(game)
        earned[row] = 0.0
        for place in range(memory.size):
            memory[place] = 0.0
        while next_idle(game):
            known = know(game)
            choice = decide(known, memory, weights[row])
            if not carry_out(game, choice):
                return False
            if choice.task >= 0:
                earned[row] += _gain(known, choice.task, choice.work)
        earned[row] /= game.work.size
    return True


@helper
def _begin_anew(game: Game) -> None:
    """Sets a game back to its beginning; what was decided of each task stays to be overwritten."""
    game.meters[Meter.CLOCK] = 0.0
    game.meters[Meter.SPENT] = 0.0
    game.counters[Counter.ARRIVED] = 0
    game.counters[Counter.WAITING] = 0
    game.counters[Counter.MACHINE] = -1
    for machine in range(game.free.size):
        game.free[machine] = 0.0


@helper
def _gain(known: Known, task: int, work: float) -> float:
    """Accuracy that work on a task gains over none."""
    gain = 0.0
    for k in range(1, known.reach.shape[1]):
        before, until = known.reach[task, k - 1], known.reach[task, k]
        if work <= before or until <= before:
            break
        rise = known.value[task, k] - known.value[task, k - 1]
        gain += rise * min(1.0, (work - before) / (until - before))
    return gain


def draw_training(practice: Practice, seed: int, count: int) -> dict[str, list[Match]]:
    """Games to train on, so many of each kind."""
    return {
        kind: [
            Match.of(draw_practice(practice, draw, spawn(seed, _STREAM, place, index)))
            for index in range(count)
        ]
        for place, (kind, draw) in enumerate(kinds_of(practice).items())
    }


class HeldOut:
    """Games that are never trained on, always the same, and not those of any suite.

    Args:
        practice: Where they come from.
        count: How many of each kind.
    """

    def __init__(self, practice: Practice, count: int) -> None:
        self._matches: dict[str, list[Match]] = {}
        self._rule: dict[str, float] = {}
        self._bound: dict[str, float] = {}
        rule = Price()
        for place, (kind, draw) in enumerate(kinds_of(practice).items()):
            problems = [
                draw_practice(practice, draw, spawn(_HELD_OUT, _STREAM, place, index))
                for index in range(count)
            ]
            self._matches[kind] = [Match.of(problem) for problem in problems]
            self._rule[kind] = (
                sum(_above(each, rule.solve(each).schedule.total_accuracy) for each in problems)
                / count
            )
            self._bound[kind] = sum(_above(each, relax(each).bound) for each in problems) / count

    def closed(self, weights: Floats, pool: Executor) -> dict[str, float]:
        """Share of the gap from `price` to the clairvoyant bound that is closed, by kind, and mean.

        Args:
            weights: Parameters of `rl-online` (SIZE,).
            pool: Threads that play.
        """
        shares = {}
        for kind, matches in self._matches.items():
            earned = float(play_matches(matches, weights[None, :], pool).mean())
            shares[kind] = (earned - self._rule[kind]) / (self._bound[kind] - self._rule[kind])
        return shares | {"mean": sum(shares.values()) / len(shares)}


def _above(problem: OnlineInstance, total: float) -> float:
    """Mean accuracy above that of no work."""
    return (total - float(problem.core.base_accuracy.sum())) / problem.core.num_tasks
