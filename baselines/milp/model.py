"""The mixed-integer model of DSCT-EA, in Pyomo.

For task j, machine r and the k-th different deadline ``d_k``, with ``M_jr = min(f_j^max, s_r d_j,
E_r B)`` the most work that task j can have on machine r:

    maximise    Σ_j gain_j
    subject to  Σ_r place_jr ≤ 1                                 one machine a task
                share_jr ≤ place_jr                              work only where it is placed
                gain_j ≤ intercept_jl + slope_jl Σ_r M_jr share_jr      for every segment l
                t_rk busy_rk = t_{r,k−1} busy_{r,k−1} + Σ_{j due at d_k} (M_jr / s_r) share_jr
                Σ_r P_r t_rD busy_rD ≤ B                         energy, at the last deadline D
                place_jr ∈ {0, 1};  share_jr, busy_rk ∈ [0, 1];  gain_j ≥ 0

``busy_rk`` is the time for which machine r works on what is due until ``d_k``, as a share of
``t_rk = min(d_k, B / P_r)``, the longest it may. Chained like this the deadlines cost two or three
entries a row, where writing every prefix sum out costs O(n²) entries a machine, and the energy
costs one entry a machine: HiGHS spends minutes on cuts from a row that names every share. All
variables run from 0 to 1, rows are divided by their largest coefficient, and gains are in units of
the largest that a task can reach, so that the tolerances of a solver mean the same on instances of
every scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyomo.environ as pyo

from dsct_gym.accuracy import evaluate_curves
from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.instance import Instance
from dsct_gym.schedule import Schedule


class Model(NamedTuple):
    """The Pyomo model with what it takes to read it.

    Attributes:
        instance: The problem.
        pyomo: A `pyomo.environ.ConcreteModel` with variables ``place[j, r]``, ``share[j, r]``,
            ``gain[j]`` and ``busy[r, k]``.
        most: Most work of each task on each machine M_jr (n, m), GFLOP.
        unit: Accuracy that one unit of gain stands for.
        due: The different deadlines, ascending (D,), s.
        due_rank: Which of them each task has (n,).
        longest: Longest time that each machine may work until each of them t_rk (m, D), s.
    """

    instance: Instance
    pyomo: Any
    most: Floats
    unit: float
    due: Floats
    due_rank: Ints
    longest: Floats

    @property
    def base(self) -> float:
        """Total accuracy without any work."""
        return float(self.instance.base_accuracy.sum())

    def machine_of(self) -> Ints:
        """The assignment in the values of the variables (n,), −1 for none."""
        machine = np.full(self.instance.num_tasks, -1, dtype=np.int64)
        for (task, r), place in self.pyomo.place.items():
            if place.value is not None and place.value > 0.5:
                machine[task] = r
        return machine

    def set_values(self, schedule: Schedule) -> None:
        """Gives every variable the value that it has in a schedule: a warm start."""
        work, machine = schedule.work, schedule.machine
        base = self.instance.base_accuracy
        for (task, r), place in self.pyomo.place.items():
            here = machine[task] == r
            place.set_value(int(here))
            share = min(1.0, work[task] / self.most[task, r]) if here else 0.0
            self.pyomo.share[task, r].set_value(share)
        for task, gain in self.pyomo.gain.items():
            reached = (schedule.accuracy[task] - base[task]) / self.unit
            gain.set_value(min(max(0.0, reached), gain.ub))
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
    gain = _reachable_gain(instance, most)
    useful: Bools = gain > 0.0
    if not useful.any():
        return None
    due, due_rank = np.unique(instance.deadlines, return_inverse=True)
    unit = float(gain.max())
    longest = np.minimum(due[None, :], (instance.energy_budget / instance.powers)[:, None])
    model = Model(instance, pyo.ConcreteModel(), most, unit, due, due_rank, longest)
    _add_variables(model, gain, useful)
    _add_assignment(model)
    _add_curves(model)
    _add_deadlines(model)
    _add_energy(model)
    model.pyomo.total = pyo.Objective(
        expr=pyo.quicksum(model.pyomo.gain.values()), sense=pyo.maximize
    )
    return model


def most_work(instance: Instance) -> Floats:
    """Most work that each task can have on each machine M_jr (n, m), GFLOP."""
    in_time = instance.deadlines[:, None] * instance.speeds[None, :]
    affordable = instance.energy_budget * instance.efficiencies
    most = np.minimum(in_time, affordable[None, :])
    return np.asarray(np.minimum(most, instance.max_work[:, None]))


def _reachable_gain(instance: Instance, most: Floats) -> Floats:
    """Accuracy that each task can gain on each machine (n, m)."""
    reached = [evaluate_curves(instance.work, instance.accuracy, column) for column in most.T]
    return np.maximum(0.0, np.stack(reached, axis=1) - instance.base_accuracy[:, None])


def _add_variables(model: Model, gain: Floats, useful: Bools) -> None:
    pairs = [(int(task), int(r)) for task, r in np.argwhere(useful)]
    tasks = np.flatnonzero(useful.any(axis=1)).tolist()
    highest = gain.max(axis=1) / model.unit
    spans = [(r, k) for r in range(model.instance.num_machines) for k in range(model.due.size)]
    model.pyomo.place = pyo.Var(pairs, domain=pyo.Binary)
    model.pyomo.share = pyo.Var(pairs, bounds=(0.0, 1.0))
    model.pyomo.gain = pyo.Var(tasks, bounds=lambda _, task: (0.0, float(highest[task])))
    model.pyomo.busy = pyo.Var(spans, bounds=(0.0, 1.0))


def machines_by_task(model: Model) -> dict[int, list[int]]:
    """The machines on which each task can gain something."""
    machines: dict[int, list[int]] = {task: [] for task in model.pyomo.gain}
    for task, r in model.pyomo.place:
        machines[task].append(r)
    return machines


def _add_assignment(model: Model) -> None:
    at, machines = model.pyomo, machines_by_task(model)
    at.one_machine = pyo.Constraint(
        list(machines),
        rule=lambda at, task: pyo.quicksum(at.place[task, r] for r in machines[task]) <= 1,
    )
    at.only_there = pyo.Constraint(
        list(at.place), rule=lambda at, task, r: at.share[task, r] <= at.place[task, r]
    )


def segment_lines(model: Model) -> dict[tuple[int, int], tuple[float, float]]:
    """Intercept and slope of every curve segment over the accuracy without work, in gain units."""
    instance, lines = model.instance, {}
    for task in model.pyomo.gain:
        for position in np.flatnonzero(np.diff(instance.work[task]) > 0.0).tolist():
            slope = instance.slopes[task, position] / model.unit
            rise = instance.accuracy[task, position] - instance.accuracy[task, 0]
            intercept = rise / model.unit - slope * instance.work[task, position]
            lines[task, position] = (float(intercept), float(slope))
    return lines


def _add_curves(model: Model) -> None:
    machines, lines = machines_by_task(model), segment_lines(model)

    def below(at: Any, task: int, position: int) -> Any:
        intercept, slope = lines[task, position]
        steepness = [float(slope * model.most[task, r]) for r in machines[task]]
        # A row with a huge coefficient would be refused; divided by it, it says the same.
        scale = max(1.0, *steepness)
        worth = zip(machines[task], steepness, strict=True)
        return at.gain[task] / scale <= intercept / scale + pyo.quicksum(
            (steep / scale) * at.share[task, r] for r, steep in worth
        )

    model.pyomo.curve = pyo.Constraint(list(lines), rule=below)


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


def equal_machines(instance: Instance) -> Sequence[tuple[int, int]]:
    """Pairs of consecutive machines (one, next) among those of the same speed and efficiency."""
    seen: dict[tuple[float, float], int] = {}
    pairs = []
    for r, kind in enumerate(zip(instance.speeds, instance.efficiencies, strict=True)):
        if kind in seen:
            pairs.append((seen[kind], r))
        seen[kind] = r
    return pairs
