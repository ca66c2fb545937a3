"""`des`: tasks go to machines in turn, and each machine's are planned anew as others arrive."""

from __future__ import annotations

import numpy as np

from dsct_gym.allocation import Packed, optimal_work
from dsct_gym.arguments import as_number
from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.dispatch.round_robin import RoundRobin
from dsct_gym.online.known import NOTHING, Choice, Known
from dsct_gym.online.policy import PlainPolicy
from dsct_gym.online.simulator import next_idle
from dsct_gym.solver import practises


@practises()
class Des(PlainPolicy):
    """Machines in turn, works by plan, settled when a task starts.

    Tasks go to machines as they arrive, in turn and in proportion to their speeds. When a machine
    is idle, the works of all tasks that wait are planned: the exact optimum for these machines,
    from when each is free on, with the energy that has come in by now and does so within a lead,
    less what is spent. The machine begins with the most urgent of its tasks that has work, with
    this work; all others are planned again.

    Source: DES (Du, Sun, He, He, Bader and Zhang, "Energy-efficient scheduling for best-effort
    interactive services to achieve high response quality", IPDPS 2013): cumulative round robin, a
    budget of power and the best plan for the requests present. Its machines change their speed,
    here they share the energy.

    Args:
        lead: How far ahead energy may be planned with, as a share of the horizon.
        levels: As for `DispatchPolicy`; it uses none, works are any.
        pace: As for `DispatchPolicy`.

    Raises:
        InputError: If an option is out of range.
    """

    name = "des"
    turns = staticmethod(next_idle)

    def __init__(self, *, lead: float = 0.05, levels: int = 10, pace: float | None = None) -> None:
        super().__init__(levels=levels, pace=pace)
        self.lead = as_number(lead, "lead", 0.0, 1.0)
        self.begin()

    def begin(self) -> None:
        """Forgets everything: a game begins."""
        self._owner: list[int] = []
        self._turns = RoundRobin(np.zeros(0))

    def decide(self, known: Known) -> Choice:
        """The most urgent of the machine's tasks that the plan has work for."""
        if not self._owner:
            self._turns = RoundRobin(known.speed)
        while len(self._owner) < known.arrival.size:
            self._owner.append(self._turns.next())
        come = known.budget * min(1.0, known.clock / known.horizon + self.lead)
        energy = min(known.left, max(0.0, come - known.spent))
        machine_of = np.array([self._owner[task] for task in known.waiting])
        for place, planned in enumerate(best_works(known, machine_of, energy)):
            if machine_of[place] == known.machine:
                task = int(known.waiting[place])
                work = min(float(planned), self.room(known, task, known.machine))
                if work > 0.0:
                    return Choice(task=task, machine=known.machine, work=work)
        return NOTHING


def best_works(known: Known, machine_of: Ints, energy: float) -> Floats:
    """The best works of the tasks that wait, with machines that are free only later.

    What a machine has yet to do is a task of its own in it, the most urgent there, whose gain is so
    steep that it is always done, and whose energy is there in addition.

    Args:
        known: What is known.
        machine_of: Machine of each waiting task (w,).
        energy: What may be spent on them, J.

    Returns:
        Work of each waiting task (w,), GFLOP.
    """
    busy = np.maximum(known.free - known.clock, 0.0)
    blocked = np.flatnonzero(busy > 0.0)
    blocked = blocked[np.argsort(busy[blocked], kind="stable")]
    due = np.concatenate((busy[blocked], known.deadline[known.waiting] - known.clock))
    order = np.argsort(due, kind="stable")
    place = np.argsort(order, kind="stable")
    machine: Ints = np.concatenate((blocked, machine_of))[order]
    width = np.diff(known.reach[known.waiting], axis=1)
    rise = np.diff(known.value[known.waiting], axis=1)
    rising = np.nonzero((width > 0.0) & (rise > 0.0))
    rest = busy[blocked] * known.speed[blocked]
    task = np.concatenate((np.arange(blocked.size), blocked.size + rising[0]))
    width = np.concatenate((rest, width[rising]))
    slope = np.concatenate((np.full(blocked.size, np.inf), rise[rising] / width[blocked.size :]))
    steepest = np.argsort(-slope, kind="stable")
    task = place[task[steepest]]
    packed = Packed(
        deadline=due[order],
        speed=known.speed,
        efficiency=known.efficiency,
        budget=np.array([energy + (rest / known.efficiency[blocked]).sum()]),
        task=task,
        slope=slope[steepest],
        width=width[steepest],
        first=np.searchsorted(np.sort(task), np.arange(due.size + 1)),
        own=np.argsort(task, kind="stable"),
    )
    return optimal_work(packed, machine)[place[blocked.size :]]
