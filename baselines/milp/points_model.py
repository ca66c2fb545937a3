"""The mixed-integer model where machines have operating points, in Pyomo.

As `dsct_gym.baselines.milp.model`, with a share for each point p on the hull of a machine instead
of one: ``T_jrp = min(f_j^max / s_rp, d_j, B / P_rp)`` is the longest that task j can run there and
``M_jr = min(f_j^max, s_r d_j)`` the most that it can get at full clock:

    maximise    Σ_jl rise_jl done_jl
    subject to  Σ_r place_jr ≤ 1
                Σ_p s_rp T_jrp share_jrp ≤ M_jr place_jr          work only where it is placed
                Σ_l width_jl done_jl ≤ Σ_rp s_rp T_jrp share_jrp
                t_k busy_rk = t_{k−1} busy_{r,k−1} + Σ_{j due at d_k} Σ_p T_jrp share_jrp
                spent_r = Σ_jp P_rp T_jrp share_jrp / B,  Σ_r spent_r ≤ 1
                place_jr ∈ {0, 1};  share_jrp, done_jl, busy_rk, spent_r ∈ [0, 1]

A schedule runs a task at the two points next to its average speed, so nothing is lost in it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyomo.environ as pyo

from dsct_gym.allocation import allocate
from dsct_gym.arrays import Floats, Ints
from dsct_gym.points import DvfsInstance
from dsct_gym.schedule import Schedule


class PointsModel(NamedTuple):
    """The Pyomo model with what it takes to read it.

    Attributes:
        problem: The problem.
        pyomo: A `pyomo.environ.ConcreteModel` with variables ``place[j, r]``, ``share[j, r, p]``,
            ``done[j, l]``, ``busy[r, k]`` and ``spent[r]``.
        speed: Speed of each point on the hull of each machine, GFLOP/s.
        power: Power of the same, W.
        width: Width of each curve segment (n, K), GFLOP.
        unit: Accuracy that one unit of gain stands for.
        due: The different deadlines, ascending (D,), s.
        due_rank: Which of them each task has (n,).
    """

    problem: DvfsInstance
    pyomo: Any
    speed: list[Floats]
    power: list[Floats]
    width: Floats
    unit: float
    due: Floats
    due_rank: Ints

    @property
    def base(self) -> float:
        """Total accuracy without any work."""
        return float(self.problem.core.base_accuracy.sum())

    def total(self, gain: float) -> float:
        """Total accuracy of a gain in units of the model."""
        return self.base + self.unit * gain

    def longest(self, task: int, r: int, point: int) -> float:
        """Longest time that a task can run at a point T_jrp, s."""
        core = self.problem.core
        full = core.max_work[task] / self.speed[r][point]
        affordable = core.energy_budget / self.power[r][point]
        return float(min(full, core.deadlines[task], affordable))

    def most(self, task: int, r: int) -> float:
        """Most work that a task can have on a machine M_jr, GFLOP."""
        core = self.problem.core
        return float(min(core.max_work[task], core.speeds[r] * core.deadlines[task]))

    def machine_of(self) -> Ints:
        """The assignment in the values of the variables (n,), −1 for none."""
        machine = np.full(self.problem.core.num_tasks, -1, dtype=np.int64)
        for (task, r), place in self.pyomo.place.items():
            if place.value is not None and place.value > 0.5:
                machine[task] = r
        return machine

    def schedule(self) -> Schedule:
        """The best schedule for the assignment in the values of the variables."""
        return allocate(self.problem, self.machine_of())

    def set_values(self, schedule: Schedule) -> None:
        """Gives every variable the value that it has in a schedule: a warm start."""
        core, at = self.problem.core, self.pyomo
        for (task, r), place in at.place.items():
            place.set_value(int(schedule.machine[task] == r))
        time: dict[tuple[int, int, int], float] = {}
        if schedule.pieces is not None:
            pieces = schedule.pieces
            columns = (pieces.task.tolist(), pieces.speed.tolist(), pieces.duration.tolist())
            for task, speed, duration in zip(*columns, strict=True):
                r = int(schedule.machine[task])
                point = int(np.argmin(np.abs(self.speed[r] - speed)))
                time[task, r, point] = duration
        for key, share in at.share.items():
            share.set_value(min(1.0, time.get(key, 0.0) / self.longest(*key)))
        for (task, segment), done in at.done.items():
            start, width = core.work[task, segment], self.width[task, segment]
            done.set_value(min(1.0, max(0.0, (schedule.work[task] - start) / width)))
        busy = np.zeros((core.num_machines, self.due.size))
        placed = schedule.machine >= 0
        where = (schedule.machine[placed], self.due_rank[placed])
        np.add.at(busy, where, schedule.duration[placed])
        busy = np.minimum(1.0, np.cumsum(busy, axis=1) / self.due)
        for (r, k), variable in at.busy.items():
            variable.set_value(busy[r, k])
        spent = np.zeros(core.num_machines)
        np.add.at(spent, schedule.machine[placed], schedule.task_energy[placed])
        for r, variable in at.spent.items():
            variable.set_value(min(1.0, spent[r] / core.energy_budget))


def build_points_model(problem: DvfsInstance) -> PointsModel | None:
    """Builds the model; None when no task can gain anything."""
    core = problem.core
    width = np.diff(core.work, axis=1)
    gain = (core.slopes * width).sum(axis=1)
    unit = float(gain.max())
    if unit <= 0.0 or core.energy_budget <= 0.0:
        return None
    due, due_rank = np.unique(core.deadlines, return_inverse=True)
    model = PointsModel(
        problem=problem,
        pyomo=pyo.ConcreteModel(),
        speed=[points.speeds[points.hull] for points in problem.points],
        power=[points.powers[points.hull] for points in problem.points],
        width=width,
        unit=unit,
        due=due,
        due_rank=due_rank,
    )
    _add_variables(model, np.flatnonzero(gain > 0.0).tolist())
    _add_tasks(model)
    _add_machines(model)
    return model


def _add_variables(model: PointsModel, tasks: list[int]) -> None:
    """Only tasks that can gain something, and segments that rise, are in the model."""
    at, core = model.pyomo, model.problem.core
    machines = range(core.num_machines)
    rising = (core.slopes > 0.0) & (model.width > 0.0)
    at.place = pyo.Var([(j, r) for j in tasks for r in machines], domain=pyo.Binary)
    shares = [(j, r, p) for j in tasks for r in machines for p in range(model.speed[r].size)]
    at.share = pyo.Var(shares, bounds=(0.0, 1.0))
    segments = [(j, int(k)) for j in tasks for k in np.flatnonzero(rising[j])]
    at.done = pyo.Var(segments, bounds=(0.0, 1.0))
    at.busy = pyo.Var([(r, k) for r in machines for k in range(model.due.size)], bounds=(0.0, 1.0))
    at.spent = pyo.Var(list(machines), bounds=(0.0, 1.0))


def _done_on(model: PointsModel, task: int, r: int, scale: float) -> Any:
    """Work of a task on a machine in units of ``scale``."""
    speed, share = model.speed[r], model.pyomo.share
    return pyo.quicksum(
        float(speed[p] * model.longest(task, r, p) / scale) * share[task, r, p]
        for p in range(speed.size)
    )


def _add_tasks(model: PointsModel) -> None:
    at, core = model.pyomo, model.problem.core
    machines = range(core.num_machines)
    segments: dict[int, list[int]] = {}
    for task, segment in at.done:
        segments.setdefault(task, []).append(segment)
    at.one_machine = pyo.Constraint(
        list(segments),
        rule=lambda at, task: pyo.quicksum(at.place[task, r] for r in machines) <= 1,
    )
    at.only_there = pyo.Constraint(
        list(at.place),
        rule=lambda at, j, r: _done_on(model, j, r, model.most(j, r)) <= at.place[j, r],
    )

    def work(at: Any, task: int) -> Any:
        scale = float(core.max_work[task])
        wanted = pyo.quicksum(
            float(model.width[task, k] / scale) * at.done[task, k] for k in segments[task]
        )
        return wanted <= pyo.quicksum(_done_on(model, task, r, scale) for r in machines)

    rise = core.slopes * model.width / model.unit
    at.curve = pyo.Constraint(list(segments), rule=work)
    at.gain = pyo.Objective(
        expr=pyo.quicksum(float(rise[key]) * done for key, done in at.done.items()),
        sense=pyo.maximize,
    )


def _add_machines(model: PointsModel) -> None:
    at, due, budget = model.pyomo, model.due, model.problem.core.energy_budget
    shares: dict[tuple[int, int], list[tuple[int, int, int]]] = {span: [] for span in at.busy}
    for key in at.share:
        shares[key[1], int(model.due_rank[key[0]])].append(key)

    def chained(at: Any, r: int, k: int) -> Any:
        before = float(due[k - 1] / due[k]) * at.busy[r, k - 1] if k > 0 else 0.0
        return at.busy[r, k] == before + pyo.quicksum(
            float(model.longest(*key) / due[k]) * at.share[key] for key in shares[r, k]
        )

    def spending(at: Any, r: int) -> Any:
        return at.spent[r] == pyo.quicksum(
            float(model.power[r][key[2]] * model.longest(*key) / budget) * at.share[key]
            for k in range(due.size)
            for key in shares[r, k]
        )

    at.deadline = pyo.Constraint(list(shares), rule=chained)
    at.spending = pyo.Constraint(list(at.spent), rule=spending)
    at.energy = pyo.Constraint(expr=pyo.quicksum(at.spent.values()) <= 1)
