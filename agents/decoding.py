"""From a policy to an assignment: a greedy pass, samples, passes of descent, a short search."""

from __future__ import annotations

import time
from typing import Final

import numpy as np

from dsct_gym.agents.beam import play_beam
from dsct_gym.agents.network import Network, Scratch
from dsct_gym.agents.rollout import play_greedily, play_samples
from dsct_gym.arrays import Ints
from dsct_gym.baselines.local_search import Clock, Search, cool, descend
from dsct_gym.instance import Instance
from dsct_gym.plan import Plan, begin, begin_at, ranks_in
from dsct_gym.random import draw_states
from dsct_gym.relaxation import Relaxation

_SAMPLED = 1_000  # decisions of samples between looks at the clock
_SLOWER = 3.0  # times the greedy pass that a sample may take: it changes the plan more often
_TASKS = 200  # decisions of the greedy pass between looks at the clock
_PACE = 20_000  # proposals a second, fewer than walks make
TEMPERATURE: Final = 1.0


class Decoder:
    """The best assignment that a policy has found for an instance so far.

    The plan that the policy starts from is the assignment of approx-refined: whatever the policy
    does, the result is never worse.

    Args:
        network: The policy.
        instance: The problem.
        relaxation: Its relaxation.
        deadline: Moment on the clock of `time.perf_counter` at which to stop; infinite for none.

    Attributes:
        relaxation: As given.
        gain: Accuracy that the best assignment gains over no work at all.
    """

    def __init__(
        self,
        network: Network,
        instance: Instance,
        relaxation: Relaxation,
        deadline: float = np.inf,
    ) -> None:
        self._network = network
        self.relaxation = relaxation
        self._instance = instance
        self._deadline = deadline
        self._plan = Plan.of(instance, relaxation)
        self._scratch = Scratch.empty(network, instance.num_machines)
        self._best = self._plan.outlook.start
        self._pass_seconds = 0.0
        self.gain = -np.inf

    @property
    def machine_of(self) -> Ints:
        """The best assignment (n,), in the order of the instance."""
        return self._best[self._instance.edf_rank]

    @property
    def late(self) -> bool:
        """Whether the time is up."""
        return time.perf_counter() >= self._deadline

    def play_greedily(self) -> None:
        """One pass that takes the best score; what there is no time for stays as it was planned."""
        began = time.perf_counter()
        begin(self._plan)
        self._offer(self._best, self._plan.gain)
        tasks = self._instance.num_tasks
        for first in range(0, tasks, _TASKS):
            if self.late:
                break
            last = min(first + _TASKS, tasks)
            play_greedily(self._network, self._scratch, self._plan, first, last)
        self._offer(self._plan.curves.machine.copy(), self._plan.gain)
        self._pass_seconds = time.perf_counter() - began

    def sample(self, count: int, seed: int) -> None:
        """Draws ``count`` assignments, or as many as there is time for.

        Call `play_greedily` before. A sample cannot be cut short: one that might be late, to judge
        by the greedy pass, is not begun.
        """
        seeds = draw_states(seed, count)
        chunk = max(1, _SAMPLED // self._instance.num_tasks)
        while seeds.size:
            left = self._deadline - time.perf_counter()
            fit = left / (_SLOWER * self._pass_seconds)
            if fit < 1.0:
                break
            some, seeds = np.split(seeds, [int(min(chunk, fit))])
            gains = np.empty(some.size)
            machines = play_samples(
                self._network, self._scratch, self._plan, TEMPERATURE, some, gains
            )
            best = int(gains.argmax())
            self._offer(machines[best], float(gains[best]))

    def search_beam(self, width: int) -> None:
        """Takes the best of the ``width`` most likely assignments, if beam search ends in time."""
        found = play_beam(self._network, self._scratch, self._plan, width, lambda: self.late)
        if found is not None:
            self._offer(*found)

    def descend(self, passes: int) -> None:
        """Passes over the best plan so far, or part of them if the time is up.

        Latest deadline first, every task takes its best change.
        """
        if passes == 0:
            return
        begin_at(self._plan, self._best)
        order = ranks_in("reverse", self._instance.num_tasks)
        for _ in descend(self._plan, order, passes):
            if self.late:
                break
        self._offer(self._plan.curves.machine.copy(), self._plan.gain)

    def improve(self, moves: int, seed: int, partners: Ints) -> None:
        """A walk of ``moves`` proposals from the best, that cools; in the time that is left.

        Args:
            moves: Number of proposals; where there is no time for so many, it cools faster.
            seed: Seed of the walk.
            partners: With which tasks to swap each task (n, k), by EDF rank.
        """
        if self.late or moves <= 0:
            return
        search = Search(self._instance, self.machine_of, seed, partners)
        started = time.perf_counter()
        left = self._deadline - started
        in_time = moves <= _PACE * left
        clock = Clock(started, moves if in_time else None, left if left < np.inf else None)
        try:
            for _ in cool(search, clock):
                pass
        finally:  # what Ctrl-C leaves is kept, too
            gain = search.best_total - float(self._instance.base_accuracy.sum())
            self._offer(search.best[self._instance.edf_order], gain)

    def _offer(self, machine: Ints, gain: float) -> None:
        if gain > self.gain:
            self._best, self.gain = machine, gain
