"""`ramsis`: levels by number waiting and slack, from a Markov decision process solved ahead."""

from __future__ import annotations

import numpy as np

from dsct_gym.arguments import as_number
from dsct_gym.baselines.dispatch.arrival_rate import arrival_rate
from dsct_gym.baselines.dispatch.round_robin import RoundRobin
from dsct_gym.baselines.dispatch.waiting_process import BINS, MOST, level_table
from dsct_gym.online.known import NOTHING, Choice, Known
from dsct_gym.online.policy import PlainPolicy
from dsct_gym.online.simulator import next_idle
from dsct_gym.solver import practises

_GRID = 2
"""Tables lie this many to a doubling of rate and of time."""


@practises()
class Ramsis(PlainPolicy):
    """Levels looked up in tables of a model of arrivals, by queue and slack.

    Tasks go to machines as they arrive, in turn and in proportion to their speeds. An idle machine
    takes its own most urgent task, at the level that a table says for the number that wait and for
    the time left to this task, or the next lower one that fits; what fits at no level is passed
    over. The table is the best policy of a Markov decision process in which what comes to one
    machine is every so many of a Poisson stream, all tasks have the mean work and the mean
    latency of those seen so far, and curves are the exponential ones of the generator
    (`level_table`). Tables are worked out for a grid of rates and of times when first needed and
    kept; which one is used follows the rate of the time just past. There is no energy in it.

    Source: RAMSIS (Mendoza, Romero and Trippel, EuroSys 2024), after its published model; batches
    are of one.

    Args:
        window: Time over which the rate is estimated, as a share of the horizon.
        levels: As for `DispatchPolicy`.
        pace: As for `DispatchPolicy`.

    Raises:
        InputError: If an option is out of range.
    """

    name = "ramsis"
    turns = staticmethod(next_idle)

    def __init__(self, *, window: float = 0.1, levels: int = 10, pace: float | None = None) -> None:
        super().__init__(levels=levels, pace=pace)
        self.window = as_number(window, "window", 1e-6, 1.0)
        self.begin()

    def begin(self) -> None:
        """Forgets everything but the tables: a game begins."""
        self._owner: list[int] = []
        self._turns = RoundRobin(np.zeros(0))

    def decide(self, known: Known) -> Choice:
        """The machine's most urgent task that fits, at most at the level of the table."""
        if not self._owner:
            self._turns = RoundRobin(known.speed)
        while len(self._owner) < known.arrival.size:
            self._owner.append(self._turns.next())
        mine = [int(task) for task in known.waiting if self._owner[task] == known.machine]
        for passed, task in enumerate(mine):
            top = self._level(known, task, len(mine) - passed)
            most = self.room(known, task, known.machine)
            for work in known.level[task, top::-1]:
                if 0.0 < work <= most:
                    return Choice(task=task, machine=known.machine, work=float(work))
        return NOTHING

    def _level(self, known: Known, task: int, waiting: int) -> int:
        """The level of the table, from 0."""
        patience = float((known.deadline - known.arrival).mean())
        share = float(known.speed[known.machine] / known.speed.sum())
        rate = arrival_rate(known.arrival, known.clock, self.window * known.horizon)
        whole = float(known.reach[:, -1].mean() / known.speed[known.machine]) / patience
        sources = max(1, round(1.0 / share))
        table = level_table(
            self.levels, _on_grid(rate * share * patience), _on_grid(whole), sources
        )
        slack = (known.deadline[task] - known.clock) / patience
        place = min(BINS, max(0, int(slack * BINS)))
        return int(table[min(waiting, MOST), place])


def _on_grid(number: float) -> float:
    """The nearest point of the grid of tables."""
    return float(2.0 ** (round(_GRID * np.log2(min(max(number, 1e-3), 1e3))) / _GRID))
