"""The mixed-integer model of DSCT-EA, in Pyomo.

For task j with segments l of its curve, machine r and the k-th different deadline ``d_k``, with
``M_jr = min(f_j^max, s_r d_j, E_r B)`` the most work that task j can have on machine r:

    maximise    Σ_jl rise_jl done_jl
    subject to  Σ_r place_jr ≤ 1                                 one machine a task
                share_jr ≤ place_jr                              work only where it is placed
                Σ_l width_jl done_jl ≤ Σ_r M_jr share_jr         segments are work
                t_rk busy_rk = t_{r,k−1} busy_{r,k−1} + Σ_{j due at d_k} (M_jr / s_r) share_jr
                Σ_r P_r t_rD busy_rD ≤ B                         energy, at the last deadline D
                place_jr ∈ {0, 1};  share_jr, done_jl, busy_rk ∈ [0, 1]

Curves are concave, so the segments fill in their order by themselves. ``busy_rk`` is the time for
which machine r works on what is due until ``d_k``, as a share of ``t_rk = min(d_k, B / P_r)``, the
longest it may. Chained like this the deadlines cost two or three entries a row, where writing every
prefix sum out costs O(n²) entries a machine, and the energy costs one entry a machine: HiGHS spends
minutes on cuts from a row that names every share. All variables run from 0 to 1, rows are divided
by their largest coefficient, and gains are in units of the largest that a task can reach, so that
the tolerances of a solver mean the same on instances of every scale.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
import pyomo.environ as pyo

from dsct_gym.allocation import allocate
from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.instance import Instance
from dsct_gym.schedule import Schedule


class Programme(Protocol):
    """A model as backends and `mip` use it."""

    @property
    def pyomo(self) -> Any:
        """A `pyomo.environ.ConcreteModel` whose objective is called ``gain``."""
        ...

    @property
    def unit(self) -> float:
        """Accuracy that one unit of gain stands for."""
        ...

    def total(self, gain: float) -> float:
        """The value, which is the total accuracy but in variants, of a gain of the model."""
        ...

    def schedule(self) -> Schedule:
        """The best schedule for what the values of the variables decide."""
        ...

    def set_values(self, schedule: Schedule) -> None:
        """Gives every variable the value that it has in a schedule: a warm start."""
        ...


class Model(NamedTuple):
    """The Pyomo model with what it takes to read it.

    Attributes:
        instance: The problem.
        pyomo: A `pyomo.environ.ConcreteModel` with variables ``place[j, r]``, ``share[j, r]``,
            ``done[j, l]`` and ``busy[r, k]``.
        most: Most work of each task on each machine M_jr (n, m), GFLOP.
        width: Width of each curve segment as far as any machine can get (n, K), GFLOP.
        unit: Accuracy that one unit of gain stands for.
        due: The different deadlines, ascending (D,), s.
        due_rank: Which of them each task has (n,).
        longest: Longest time that each machine may work until each of them t_rk (m, D), s.
    """

    instance: Instance
    pyomo: Any
    most: Floats
    width: Floats
    unit: float
    due: Floats
    due_rank: Ints
    longest: Floats

    @property
    def base(self) -> float:
        """Total accuracy without any work."""
        return float(self.instance.base_accuracy.sum())

    def total(self, gain: float) -> float:
        """Total accuracy of a gain in units of the model."""
        return self.base + self.unit * gain

    def machine_of(self) -> Ints:
        """The assignment in the values of the variables (n,), −1 for none."""
        machine = np.full(self.instance.num_tasks, -1, dtype=np.int64)
        for (task, r), place in self.pyomo.place.items():
            if place.value is not None and place.value > 0.5:
                machine[task] = r
        return machine

    def schedule(self) -> Schedule:
        """The best schedule for the assignment in the values of the variables."""
        return allocate(self.instance, self.machine_of())

    def set_values(self, schedule: Schedule) -> None:
        """Gives every variable the value that it has in a schedule: a warm start."""
        work, machine = schedule.work, schedule.machine
        for (task, r), place in self.pyomo.place.items():
            here = machine[task] == r
            place.set_value(int(here))
            share = min(1.0, work[task] / self.most[task, r]) if here else 0.0
            self.pyomo.share[task, r].set_value(share)
        for (task, segment), done in self.pyomo.done.items():
            start, width = self.instance.work[task, segment], self.width[task, segment]
            done.set_value(min(1.0, max(0.0, (work[task] - start) / width)))
        time = np.zeros((self.instance.num_machines, self.due.size))
        placed = machine >= 0
        np.add.at(time, (machine[placed], self.due_rank[placed]), schedule.duration[placed])
        busy = np.minimum(1.0, np.cumsum(time, axis=1) / self.longest)
        for (r, k), variable in self.pyomo.busy.items():
            variable.set_value(busy[r, k])


def build_model(instance: Instance) -> Model | None:
    """Builds the model.

    Args:
        instance: The problem.

    Returns:
        The model; None when no task can gain anything, so that there is nothing to decide.
    """
    most = most_work(instance)
    reach = np.minimum(instance.work, most.max(axis=1, keepdims=True))
    width = np.diff(reach, axis=1)
    gain = (instance.slopes * width).sum(axis=1)
    unit = float(gain.max())
    if unit <= 0.0:
        return None
    due, due_rank = np.unique(instance.deadlines, return_inverse=True)
    longest = np.minimum(due[None, :], (instance.energy_budget / instance.powers)[:, None])
    model = Model(instance, pyo.ConcreteModel(), most, width, unit, due, due_rank, longest)
    _add_variables(model, gain > 0.0)
    _add_assignment(model)
    _add_curves(model)
    _add_deadlines(model)
    _add_energy(model)
    return model


def most_work(instance: Instance) -> Floats:
    """Most work that each task can have on each machine M_jr (n, m), GFLOP."""
    in_time = instance.deadlines[:, None] * instance.speeds[None, :]
    affordable = instance.energy_budget * instance.efficiencies
    most = np.minimum(in_time, affordable[None, :])
    return np.asarray(np.minimum(most, instance.max_work[:, None]))


def _add_variables(model: Model, useful: Bools) -> None:
    """Only tasks that can gain something, and segments that rise, are in the model."""
    at, instance = model.pyomo, model.instance
    tasks = np.flatnonzero(useful).tolist()
    machines, deadlines = range(instance.num_machines), range(model.due.size)
    rising = (instance.slopes > 0.0) & (model.width > 0.0) & useful[:, None]
    at.place = pyo.Var([(task, r) for task in tasks for r in machines], domain=pyo.Binary)
    at.share = pyo.Var(list(at.place), bounds=(0.0, 1.0))
    at.done = pyo.Var([(int(j), int(k)) for j, k in np.argwhere(rising)], bounds=(0.0, 1.0))
    at.busy = pyo.Var([(r, k) for r in machines for k in deadlines], bounds=(0.0, 1.0))


def _add_assignment(model: Model) -> None:
    at, machines = model.pyomo, range(model.instance.num_machines)
    at.one_machine = pyo.Constraint(
        sorted({task for task, _ in at.place}),
        rule=lambda at, task: pyo.quicksum(at.place[task, r] for r in machines) <= 1,
    )
    at.only_there = pyo.Constraint(
        list(at.place), rule=lambda at, task, r: at.share[task, r] <= at.place[task, r]
    )


def _add_curves(model: Model) -> None:
    at, machines = model.pyomo, range(model.instance.num_machines)
    segments: dict[int, list[int]] = {}
    for task, segment in at.done:
        segments.setdefault(task, []).append(segment)
    scale = model.most.max(axis=1)
    width, most = model.width / scale[:, None], model.most / scale[:, None]

    def work(at: Any, task: int) -> Any:
        wanted = pyo.quicksum(float(width[task, k]) * at.done[task, k] for k in segments[task])
        given = pyo.quicksum(float(most[task, r]) * at.share[task, r] for r in machines)
        return wanted <= given

    rise = model.instance.slopes * model.width / model.unit
    at.curve = pyo.Constraint(list(segments), rule=work)
    at.gain = pyo.Objective(
        expr=pyo.quicksum(float(rise[key]) * done for key, done in at.done.items()),
        sense=pyo.maximize,
    )


def _add_deadlines(model: Model) -> None:
    speeds, longest = model.instance.speeds, model.longest
    tasks: dict[tuple[int, int], list[int]] = {span: [] for span in model.pyomo.busy}
    for task, r in model.pyomo.place:
        tasks[r, int(model.due_rank[task])].append(task)

    def chained(at: Any, r: int, k: int) -> Any:
        before = float(longest[r, k - 1] / longest[r, k]) * at.busy[r, k - 1] if k > 0 else 0.0
        time = model.most[:, r] / (speeds[r] * longest[r, k])
        return at.busy[r, k] == before + pyo.quicksum(
            float(time[task]) * at.share[task, r] for task in tasks[r, k]
        )

    model.pyomo.deadline = pyo.Constraint(list(tasks), rule=chained)


def _add_energy(model: Model) -> None:
    instance, last = model.instance, model.due.size - 1
    # As a share of the budget: never more than 1, whatever the budget.
    energy = model.longest[:, last] * instance.powers / instance.energy_budget
    if float(energy.sum()) > 1.0:
        busy = model.pyomo.busy
        model.pyomo.energy = pyo.Constraint(
            expr=pyo.quicksum(float(share) * busy[r, last] for r, share in enumerate(energy)) <= 1
        )
