"""`proteus-lp`: a linear programme divides the expected requests among machines and levels."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from dsct_gym.arguments import as_number
from dsct_gym.arrays import Floats
from dsct_gym.baselines.dispatch.arrival_rate import arrival_rate
from dsct_gym.baselines.dispatch.round_robin import RoundRobin
from dsct_gym.online.known import NOTHING, Choice, Known
from dsct_gym.online.policy import PlainPolicy
from dsct_gym.online.simulator import next_arrival
from dsct_gym.solver import practises


@practises()
class ProteusLp(PlainPolicy):
    """Shares of requests for each machine and level, worked out anew now and then.

    Now and then a linear programme finds what share ``z_rl`` of the requests machine r should
    answer at level l, so that the mean gain is largest while, at 1.05 times the arrival rate of
    the time just past and with the mean works of the tasks seen, no machine is overloaded and the
    energy left lasts to the end. Tasks take these shares in turn. One that cannot make its deadline
    at its level gets the next lower one on its machine that can; one beyond the shares nothing.

    Source: Proteus (Ahmad et al., ASPLOS 2024). There a machine holds one variant of the model, so
    that the programme has integers in it; here it may run every level, so that none is needed. The
    limit of energy is this project's own.

    Args:
        every: Time between two programmes, as a share of the horizon.
        window: Time over which the rate is estimated, as a share of the horizon.
        headroom: By how much the machines must be able to do more than the demand.
        levels: As for `DispatchPolicy`.
        pace: As for `DispatchPolicy`.

    Raises:
        InputError: If an option is out of range.
    """

    name = "proteus-lp"
    turns = staticmethod(next_arrival)

    def __init__(
        self,
        *,
        every: float = 0.01,
        window: float = 0.1,
        headroom: float = 1.05,
        levels: int = 10,
        pace: float | None = None,
    ) -> None:
        super().__init__(levels=levels, pace=pace)
        self.every = as_number(every, "every", 0.0, 1.0)
        self.window = as_number(window, "window", 1e-6, 1.0)
        self.headroom = as_number(headroom, "headroom", 0.01, 100.0)
        self.begin()

    def begin(self) -> None:
        """Forgets everything: a game begins."""
        self._due = 0.0
        self._turns = RoundRobin(np.zeros(0))

    def decide(self, known: Known) -> Choice:
        """The machine and the level whose turn it is."""
        if known.clock >= self._due:
            shares = self.shares(known)
            if self._turns.weights.size == shares.size:
                self._turns.weights = shares
            else:
                self._turns = RoundRobin(shares)
            self._due = known.clock + self.every * known.horizon
        turn = self._turns.next()
        machine, level = divmod(turn, self.levels)
        if machine == known.speed.size:
            return NOTHING
        task = int(known.waiting[0])
        most = self.room(known, task, machine)
        for work in known.level[task, level::-1]:
            if 0.0 < work <= most:
                return Choice(task=task, machine=machine, work=float(work))
        return NOTHING

    def shares(self, known: Known) -> Floats:
        """Shares of the requests for each machine and level, and last for none (m·L + 1,)."""
        machines = known.speed.size
        rate = self.headroom * arrival_rate(known.arrival, known.clock, self.window * known.horizon)
        demand = rate * known.level.mean(axis=0)  # GFLOP/s at each level
        energy = max(known.budget - known.spent, 0.0)
        rest = known.horizon - known.clock
        time = np.kron(np.eye(machines), demand) / known.speed[:, None]
        power = np.outer(1.0 / known.efficiency, demand).ravel() * rest
        limits = np.concatenate((np.ones(machines), [energy, 1.0]))
        rows = np.vstack((time, power, np.ones(machines * self.levels)))
        scale = np.maximum(np.abs(rows).max(axis=1), 1e-300)
        gain = np.tile(known.gain.mean(axis=0), machines)
        solved = linprog(-gain, A_ub=rows / scale[:, None], b_ub=limits / scale, method="highs")
        found = np.zeros(gain.size) if solved.x is None else np.clip(solved.x, 0.0, 1.0)
        return np.append(found, max(0.0, 1.0 - found.sum()))
