"""The mixed-integer models of soft deadlines, in Pyomo.

For task j with segments l of its curve and machine r, with ``t_jr`` its time there in units of
``M_jr = f_j^max / s_r``, both models

    maximise    Σ_jl rise_jl done_jl − Σ_j w_j q_j − price × energy
    subject to  Σ_r place_jr ≤ 1, or = 1 where none may be refused
                t_jr ≤ place_jr, or = place_jr where the task is whole
                Σ_l width_jl done_jl ≤ Σ_r s_r M_jr t_jr            segments are work
                energy within the budget

and differ in what they make of the penalty q_j:

- `step_model`: with a step only the set of tasks in time matters, which run by deadline:
  ``Σ_{d_i ≤ d_j} M_ir t_ir ≤ d_j`` on every machine. Whatever is late runs at the end, as if on one
  more machine that is as efficient as the best and has no deadlines.
- `order_model`: ``C_j ≥ C_i + M_jr t_jr − H (3 − before_ij − place_ir − place_jr)`` for every pair
  on every machine, with H a time by which all is done; lateness ``x_j ≥ C_j − d_j``; q_j at least
  x_j / scale, or each of several tangents of the exponential, unless the task is ``capped_j``.
  Tangents lie below, so the programme's bound holds, and its optimum is one for the tangents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.sequencing.rules import improved
from dsct_gym.schedule import Schedule
from dsct_gym.soft import SoftInstance, Step
from dsct_gym.soft.penalties import Exponential, of_refusal, penalties

_TANGENTS = 12


@dataclass(frozen=True)
class SoftModel:
    """A Pyomo model with what it takes to read it.

    Attributes:
        problem: The problem.
        pyomo: A `pyomo.environ.ConcreteModel` with variables ``place[j, r]``, ``time[j, r]`` and
            ``done[j, l]``; where order matters ``end[j]`` and ``before[i, j]`` as well.
        speed: Speeds of the machines of the model, GFLOP/s.
        efficiency: Their efficiencies, GFLOP/J.
        machine: Which of the problem's machines each is.
        horizon: H, s.
        base: Value of no gain: what is certain, which a solver does not see.
        unit: Value that one unit of gain stands for.
    """

    problem: SoftInstance
    pyomo: Any
    speed: Floats
    efficiency: Floats
    machine: Ints
    horizon: float
    base: float
    unit: float = 1.0

    @property
    def late_machine(self) -> int:
        """The machine for what is late, −1 where there is none."""
        extra = self.machine.size > self.problem.core.num_machines
        return self.machine.size - 1 if extra else -1

    def total(self, gain: float) -> float:
        """The value of a gain in units of the model."""
        return self.base + gain

    def schedule(self) -> Schedule:
        """The schedule in the values of the variables, as good as small changes make it."""
        core = self.problem.core
        machine, place = np.full(core.num_tasks, -1, dtype=np.int64), core.deadlines.copy()
        work = np.zeros(core.num_tasks)
        for (task, r), chosen in self.pyomo.place.items():
            if chosen.value is not None and chosen.value > 0.5:
                machine[task] = self.machine[r]
                work[task] = core.max_work[task] * min(1.0, self.pyomo.time[task, r].value)
                if r == self.late_machine:
                    place[task] += 2.0 * core.horizon
                elif self.late_machine < 0:
                    place[task] = self.pyomo.end[task].value
        return improved(self.problem, machine, place, work)

    def set_values(self, schedule: Schedule) -> None:
        """Gives every variable the value that it has in a schedule: a warm start."""
        core, at = self.problem.core, self.pyomo
        late = (schedule.work > 0.0) & (schedule.finish > core.deadlines * (1.0 + 1e-9))
        moved = late if self.late_machine >= 0 else np.zeros(core.num_tasks, dtype=np.bool_)
        machine = np.where(moved, self.late_machine, schedule.machine)
        for (task, r), place in at.place.items():
            here = machine[task] == r
            place.set_value(int(here))
            share = schedule.work[task] / core.max_work[task]
            at.time[task, r].set_value(min(1.0, share) if here else 0.0)
        for (task, segment), done in at.done.items():
            start, width = core.work[task, segment], np.diff(core.work[task])[segment]
            share = (schedule.work[task] - start) / width
            done.set_value(min(1.0, max(0.0, share)))
        if self.late_machine < 0:
            self._set_order(schedule)

    def _set_order(self, schedule: Schedule) -> None:
        at, problem = self.pyomo, self.problem
        lateness = np.maximum(0.0, schedule.finish - problem.core.deadlines)
        lateness = np.where(schedule.machine >= 0, lateness, 0.0)
        paid = penalties(problem.penalty, lateness)
        if problem.may_refuse:
            paid = np.where(schedule.machine < 0, of_refusal(problem.penalty), paid)
        for task, end in at.end.items():
            end.set_value(float(schedule.finish[task] / self.horizon))
            at.late[task].set_value(float(lateness[task] / self.horizon))
            at.paid[task].set_value(float(paid[task]))
            if problem.may_refuse:
                capped = paid[task] >= of_refusal(problem.penalty) * (1.0 - 1e-9)
                at.capped[task].set_value(int(capped))
        for (one, other), before in at.before.items():
            before.set_value(int(schedule.start[one] <= schedule.start[other]))


def build_soft_model(problem: SoftInstance) -> SoftModel:
    """The model of a problem: `step_model` for a step, else `order_model`."""
    return step_model(problem) if isinstance(problem.penalty, Step) else order_model(problem)


def step_model(problem: SoftInstance) -> SoftModel:
    """The model in which only who is in time matters."""
    core = problem.core
    best = int(np.argmax(core.efficiencies))
    charge = 1.0 if problem.penalty.cap is None else of_refusal(problem.penalty)
    model = SoftModel(
        problem=problem,
        pyomo=pyo.ConcreteModel(),
        speed=np.append(core.speeds, core.speeds[best]),
        efficiency=np.append(core.efficiencies, core.efficiencies[best]),
        machine=np.append(np.arange(core.num_machines), best),
        horizon=core.horizon,
        base=float(core.base_accuracy.sum() - charge * problem.weights.sum()),
    )
    at, early = model.pyomo, range(core.num_machines)
    _add_works(model)
    # Whoever is placed on a real machine is in time, and pays nothing.
    spared = pyo.quicksum(
        float(charge * problem.weights[task]) * at.place[task, r]
        for task in range(core.num_tasks)
        for r in early
    )
    _add_value(model, spared)
    duration = core.max_work[:, None] / core.speeds[None, :]
    order = core.edf_order.tolist()

    def in_time(at: Any, r: int, k: int) -> Any:
        due = core.deadlines[order[k]]
        spent = pyo.quicksum(
            float(duration[task, r] / due) * at.time[task, r] for task in order[: k + 1]
        )
        return spent <= 1.0

    at.deadline = pyo.Constraint([(r, k) for r in early for k in range(len(order))], rule=in_time)
    return model


def order_model(problem: SoftInstance) -> SoftModel:
    """The model in which the order of every pair is decided."""
    core = problem.core
    horizon = float((core.max_work[:, None] / core.speeds[None, :]).max(axis=1).sum())
    model = SoftModel(
        problem=problem,
        pyomo=pyo.ConcreteModel(),
        speed=core.speeds,
        efficiency=core.efficiencies,
        machine=np.arange(core.num_machines),
        horizon=horizon,
        base=float(core.base_accuracy.sum()),
    )
    _add_works(model)
    _add_order(model)
    _add_penalties(model)
    at, weights = model.pyomo, problem.weights
    paid = pyo.quicksum(float(weights[task]) * at.paid[task] for task in at.paid)
    _add_value(model, -paid)
    return model


def _add_works(model: SoftModel) -> None:
    """Who is placed where with how much work."""
    at, core, problem = model.pyomo, model.problem.core, model.problem
    tasks, machines = range(core.num_tasks), range(model.machine.size)
    width = np.diff(core.work, axis=1)
    rising = (core.slopes > 0.0) & (width > 0.0)
    pairs = [(task, r) for task in tasks for r in machines]
    at.place = pyo.Var(pairs, domain=pyo.Binary)
    at.time = pyo.Var(pairs, bounds=(0.0, 1.0))
    at.done = pyo.Var([(int(j), int(k)) for j, k in np.argwhere(rising)], bounds=(0.0, 1.0))

    def one_machine(at: Any, task: int) -> Any:
        placed = pyo.quicksum(at.place[task, r] for r in machines)
        return placed <= 1 if problem.may_refuse else placed == 1

    def only_there(at: Any, task: int, r: int) -> Any:
        if problem.whole[task]:
            return at.time[task, r] == at.place[task, r]
        return at.time[task, r] <= at.place[task, r]

    def work(at: Any, task: int) -> Any:
        segments = np.flatnonzero(rising[task]).tolist()
        if not segments:
            return pyo.Constraint.Skip
        share = width[task] / core.max_work[task]
        wanted = pyo.quicksum(float(share[k]) * at.done[task, k] for k in segments)
        return wanted <= pyo.quicksum(at.time[task, r] for r in machines)

    at.one_machine = pyo.Constraint(list(tasks), rule=one_machine)
    at.only_there = pyo.Constraint(pairs, rule=only_there)
    at.work = pyo.Constraint(list(tasks), rule=work)


def _add_value(model: SoftModel, spared: Any) -> None:
    """The objective, and the budget."""
    at, problem, core = model.pyomo, model.problem, model.problem.core
    energy = core.max_work[:, None] / model.efficiency[None, :]
    rise = core.slopes * np.diff(core.work, axis=1)
    gained = pyo.quicksum(float(rise[key]) * done for key, done in at.done.items())
    spent = pyo.quicksum(
        float(problem.energy_price * energy[key]) * time for key, time in at.time.items()
    )
    at.gain = pyo.Objective(expr=gained + spared - spent, sense=pyo.maximize)
    if problem.budget is not None:
        scale = max(problem.budget, float(energy.max()))
        at.energy = pyo.Constraint(
            expr=pyo.quicksum(float(energy[key] / scale) * t for key, t in at.time.items())
            <= problem.budget / scale
        )


def _add_order(model: SoftModel) -> None:
    """When each task ends, in units of the horizon."""
    at, core, machines = model.pyomo, model.problem.core, range(model.machine.size)
    tasks = range(core.num_tasks)
    takes = core.max_work[:, None] / model.speed[None, :] / model.horizon
    at.end = pyo.Var(list(tasks), bounds=(0.0, 1.0))
    at.before = pyo.Var([(i, j) for j in tasks for i in range(j)], domain=pyo.Binary)

    def own(at: Any, task: int) -> Any:
        return at.end[task] >= pyo.quicksum(
            float(takes[task, r]) * at.time[task, r] for r in machines
        )

    def behind(at: Any, one: int, other: int, r: int) -> Any:
        first = at.before[one, other] if one < other else 1 - at.before[other, one]
        apart = 3 - first - at.place[one, r] - at.place[other, r]
        return at.end[other] >= at.end[one] + float(takes[other, r]) * at.time[other, r] - apart

    at.own = pyo.Constraint(list(tasks), rule=own)
    at.behind = pyo.Constraint(
        [(i, j, r) for i in tasks for j in tasks if i != j for r in machines], rule=behind
    )


def _add_penalties(model: SoftModel) -> None:
    """What each task pays, for a weight of 1."""
    at, problem, core = model.pyomo, model.problem, model.problem.core
    tasks, machines = range(core.num_tasks), range(model.machine.size)
    lines = _lines(problem, model.horizon)
    most = max(slope + offset for slope, offset in lines)
    cap = of_refusal(problem.penalty) if problem.may_refuse else most
    at.late = pyo.Var(list(tasks), bounds=(0.0, 1.0))
    at.paid = pyo.Var(list(tasks), bounds=(0.0, cap))
    due = core.deadlines / model.horizon
    at.lateness = pyo.Constraint(
        list(tasks), rule=lambda at, task: at.late[task] >= at.end[task] - float(due[task])
    )
    if problem.may_refuse:
        at.capped = pyo.Var(list(tasks), domain=pyo.Binary)
        at.cap = pyo.Constraint(
            list(tasks), rule=lambda at, task: at.paid[task] >= cap * at.capped[task]
        )
        at.refused = pyo.Constraint(
            list(tasks),
            rule=lambda at, task: (
                at.capped[task] >= 1 - pyo.quicksum(at.place[task, r] for r in machines)
            ),
        )

    def pays(at: Any, task: int, line: int) -> Any:
        slope, offset = lines[line]
        charged = slope * at.late[task] + offset
        if problem.may_refuse:
            charged = charged - (slope + max(0.0, offset)) * at.capped[task]
        return at.paid[task] >= charged

    at.pays = pyo.Constraint([(j, k) for j in tasks for k in range(len(lines))], rule=pays)


def _lines(problem: SoftInstance, horizon: float) -> list[tuple[float, float]]:
    """Slope and offset of lines that lie below the penalty of a lateness in units of the horizon.

    Those of the exponential touch it at lateness up to that of the cap, or of the end of all.
    """
    penalty = problem.penalty
    if not isinstance(penalty, Exponential):
        return [(horizon / penalty.scale, 0.0)]
    steep = horizon / penalty.scale
    last = steep if penalty.cap is None else min(steep, math.log1p(penalty.cap))
    lines = []
    for share in np.linspace(0.0, min(last, 20.0), _TANGENTS):
        height = math.exp(share)
        lines.append((height * steep, height - 1.0 - height * share))
    return lines
