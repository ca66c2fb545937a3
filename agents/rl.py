"""`rl`, `rl-greedy`, `rl-sample`: the policy that ships, or one of the user's, three ways."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import numpy as np

from dsct_gym.agents.checkpoint import load_policy
from dsct_gym.agents.decoding import Decoder
from dsct_gym.agents.partners import SHIPPED_PARTNERS, list_partners, load_partner_weights
from dsct_gym.allocation import allocate
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.relaxation import relax
from dsct_gym.solver import Answer, Solver, practises

SHIPPED: Final = Path(__file__).parent / "weights" / "policy.safetensors"
"""The weights that ship."""


class _Learned(Solver):
    """A policy with a way of decoding it.

    Args:
        checkpoint: Weights to play; those that ship when left out.
    """

    def __init__(self, checkpoint: str | Path | None = None) -> None:
        self.network, self.header = load_policy(SHIPPED if checkpoint is None else checkpoint)

    def _solve(self, instance: Instance, *, time_limit: float | None, seed: int | None) -> Answer:
        started = time.perf_counter()
        relaxation = relax(instance)
        limit = np.inf if time_limit is None else time_limit
        decoder = Decoder(self.network, instance, relaxation, started + limit)
        interrupted = False
        try:
            self._decode(decoder, instance, 0 if seed is None else seed)
        except KeyboardInterrupt:
            interrupted = True
        return Answer(allocate(instance, decoder.machine_of), relaxation.bound, interrupted)

    def _decode(self, decoder: Decoder, instance: Instance, seed: int) -> None:
        decoder.play_greedily()


@practises()
class RlGreedy(_Learned):
    """The policy in one pass, always taking the machine with the best score.

    It needs no seed, and no less time than the pass takes.
    """

    name = "rl-greedy"


@practises(samples=1)
class RlSample(_Learned):
    """The best of a greedy pass and several sampled ones, valued exactly.

    Args:
        checkpoint: Weights to play; those that ship when left out.
        samples: Number of samples; fewer when the time is up.
    """

    name = "rl-sample"
    stochastic = True

    def __init__(self, checkpoint: str | Path | None = None, samples: int = 32) -> None:
        super().__init__(checkpoint)
        self.samples = _whole(samples, "samples", 0)

    def _decode(self, decoder: Decoder, instance: Instance, seed: int) -> None:
        decoder.play_greedily()
        decoder.sample(self.samples, seed)


@practises(width=1)
class RlBeam(_Learned):
    """The best of a greedy pass and beam search, valued exactly.

    For up to a few hundred tasks: where the time is up before beam search ends, the pass remains.

    Args:
        checkpoint: Weights to play; those that ship when left out.
        width: Sequences of decisions that are kept.
    """

    name = "rl-beam"

    def __init__(self, checkpoint: str | Path | None = None, width: int = 8) -> None:
        super().__init__(checkpoint)
        self.width = _whole(width, "width", 1)

    def _decode(self, decoder: Decoder, instance: Instance, seed: int) -> None:
        decoder.play_greedily()
        decoder.search_beam(self.width)


@practises(samples=1, passes=1, moves=10)
class Rl(_Learned):
    """The policy in one pass, two passes of `descent`, then a walk that has learnt whom to swap.

    The best combination for milliseconds. Most of it needs no training: at equal time what is
    learned in it is worth at most a point of the gap over `descent` and `annealing`, and nothing
    at 50 tasks (docs/agents.md tells what each part contributes). The walk is that of `annealing`
    with other partners for its swaps (`dsct_gym.agents.partners`).

    Args:
        checkpoint: Weights of the policy to play; those that ship when left out.
        samples: Number of samples of the policy, of which the best may replace its pass.
        passes: Number of passes of `descent` from there.
        moves: Proposals of the walk for each task.
        partners: Weights of the partners, a file of `dsct_gym.training.partners`; those that ship
            when left out.
    """

    name = "rl"
    stochastic = True

    def __init__(
        self,
        checkpoint: str | Path | None = None,
        samples: int = 0,
        passes: int = 2,
        moves: int = 300,
        partners: str | Path | None = None,
    ) -> None:
        super().__init__(checkpoint)
        self.samples = _whole(samples, "samples", 0)
        self.passes = _whole(passes, "passes", 0)
        self.moves = _whole(moves, "moves", 0)
        self.partner_weights = load_partner_weights(partners or SHIPPED_PARTNERS)

    def _decode(self, decoder: Decoder, instance: Instance, seed: int) -> None:
        decoder.play_greedily()
        decoder.sample(self.samples, seed)
        decoder.descend(self.passes)
        partners = list_partners(instance, decoder.relaxation, self.partner_weights)
        decoder.improve(self.moves * instance.num_tasks, seed, partners)


def _whole(value: int, option: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"{option}: must be a whole number of at least {least}, got {value!r}")
    return value
