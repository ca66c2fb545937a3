"""The columns of observations: by hand, and all of them against their definitions, by name."""

import functools
import itertools
import math
from enum import IntEnum
from typing import NamedTuple

import gymnasium
import numpy as np
import pytest

from cases import CASES, changed
from dsct_gym.allocation import allocate
from dsct_gym.arrays import Floats
from dsct_gym.envs.observation import BudgetColumn, Layout, MachineColumn, TaskColumn
from dsct_gym.instance import Instance
from dsct_gym.points import DvfsInstance
from dsct_gym.problem import Problem
from dsct_gym.relaxation import relax
from observation_truth import (
    ClockedMoment,
    Columns,
    Moment,
    budget_columns,
    machine_columns,
    task_columns,
)
from playing import ASSIGN, FROM_NOTHING, JOINT, masked_action
from points_truth import SPECIAL, draw_problem

INSTANCE = Instance(
    speeds=[10.0, 30.0],
    efficiencies=[20.0, 5.0],
    deadlines=[2.0, 1.0],
    work=[[0.0, 4.0, 16.0], [0.0, 10.0, 20.0]],
    accuracy=[[0.1, 0.5, 0.7], [0.0, 0.4, 0.4]],
    energy_budget=1.5,
)


def named(env: gymnasium.Env, observation: dict) -> dict[str, dict[str, np.ndarray]]:
    """Columns by name."""
    layout, tables = env.unwrapped.layout, env.unwrapped.layout.tables(observation)
    columns = {
        "task": layout.task,
        "tasks": layout.task,
        "machines": layout.machine,
        "budget": layout.budget,
    }
    return {
        key: {column.name: tables[key][..., column.place] for column in found}
        for key, found in columns.items()
    }


def test_tables_of_columns_are_in_the_order_of_their_places() -> None:
    layout = Layout(1, 1, guidance=True)
    for columns, places in (
        (layout.task, TaskColumn),
        (layout.machine, MachineColumn),
        (layout.budget, BudgetColumn),
    ):
        assert [column.place for column in columns] == list(places)
        assert [column.place.value for column in columns] == list(range(len(columns)))


def close(value: float | list[float]) -> object:
    return pytest.approx(value, rel=1e-6, abs=1e-6)


def test_columns_of_the_joint_environment() -> None:
    env = gymnasium.make(JOINT, instance=INSTANCE)
    shown = named(env, env.reset()[0])
    # Task 1 is due first. A task's share of the capacity is 2 s x 40 GFLOP/s / 2 = 40 GFLOP.
    assert shown["tasks"]["deadline"].tolist() == close([0.5, 1.0])
    assert shown["tasks"]["work"].tolist() == close([math.log(20 / 40), math.log(16 / 40)])
    assert shown["tasks"]["gain"].tolist() == close([0.4, 0.6])
    assert shown["tasks"]["half"].tolist() == close([5 / 20, 3 / 16])
    assert {name: float(value) for name, value in shown["task"].items()} == {
        name: float(values[0]) for name, values in shown["tasks"].items()
    }
    machines = shown["machines"]
    assert machines["speed"].tolist() == close([math.log(10 / 20), math.log(30 / 20)])
    assert machines["efficiency"].tolist() == close([math.log(20 / 12.5), math.log(5 / 12.5)])
    assert machines["room"].tolist() == close([10 / 20, 7.5 / 20])
    assert machines["time"].tolist() == close([math.log(2.0), math.log(20 / 30)])
    assert machines["energy"].tolist() == close([math.log(1 / 0.75), math.log(4 / 0.75)])
    for name in ("used", "load", "spent"):
        assert machines[name].tolist() == [0.0, 0.0]
    budget = {name: float(value) for name, value in shown["budget"].items()}
    assert budget["energy_left"] == 1.0
    assert budget["tasks_left"] == 1.0
    assert budget["accuracy"] == 0.0
    assert budget["rho"] == close(math.log(2 * 40 / 36))
    assert budget["beta"] == close(math.log(1.5 / (2 * (10 / 20 + 30 / 5))))
    assert budget["tasks"] == close(math.log10(2))
    assert budget["machines"] == close(math.log10(2))
    assert budget["price"] == 0.0
    # Level 5 of 10 on machine 0: 5 GFLOP, 0.5 s, 0.25 J, half of the gain of 0.4.
    observation, reward, *_ = env.step(4)
    assert reward == close(0.2)
    shown = named(env, observation)
    assert shown["machines"]["used"].tolist() == close([0.25, 0.0])
    assert shown["machines"]["load"].tolist() == close([0.25, 0.0])
    assert shown["machines"]["spent"].tolist() == close([0.25 / 1.5, 0.0])
    assert shown["machines"]["room"].tolist() == close([15 / 16, 6.25 / 16])
    assert shown["budget"]["energy_left"] == close(1.25 / 1.5)
    assert shown["budget"]["tasks_left"] == 0.5
    assert shown["budget"]["accuracy"] == close(0.1)
    assert observation["tasks_mask"].tolist() == [0.0, 1.0]


def test_assign_shows_the_allocation_so_far() -> None:
    env = gymnasium.make(ASSIGN, instance=INSTANCE)
    env.reset()
    shown = named(env, env.step(1)[0])
    # Task 1 alone on machine 1: 1.5 J buy 7.5 of the 10 GFLOP that gain 0.04 each.
    assert shown["machines"]["spent"].tolist() == close([0.0, 1.0])
    assert shown["machines"]["used"].tolist() == close([0.0, 0.25 / 2.0])
    assert shown["budget"]["energy_left"] == close(0.0)
    assert shown["budget"]["price"] == close(math.log(0.04 * 5 * 1.5 / 2))
    # Room in the Assign environment is a matter of time alone.
    assert shown["machines"]["room"].tolist() == close([1.0, 1.0])
    assert shown["machines"]["load"].tolist() == close([0.0, 0.125])


@pytest.mark.parametrize("env_id", FROM_NOTHING)
def test_guidance_shows_the_relaxation(env_id: str) -> None:
    relaxed = relax(INSTANCE)
    env = gymnasium.make(env_id, instance=INSTANCE, guidance=True)
    shown = named(env, env.reset()[0])
    order = INSTANCE.edf_order
    assert shown["tasks"]["fraction"].tolist() == close(
        (relaxed.work / INSTANCE.max_work)[order].tolist()
    )
    gains = INSTANCE.top_accuracy - INSTANCE.base_accuracy
    paid = (relaxed.marginal_prices * INSTANCE.max_work / gains)[order]
    assert shown["tasks"]["price"].tolist() == close(np.log(paid).tolist())
    machines = shown["machines"]
    assert machines["profile"].tolist() == close((relaxed.energy / 1.5).tolist())
    assert machines["profile_left"].tolist() == close((relaxed.energy / 1.5).tolist())
    ratio = relaxed.energy_price / INSTANCE.efficiencies / relaxed.marginal_prices[order[0]]
    assert machines["price"].tolist() == close(np.log(ratio).tolist())
    fraction = relaxed.work[order[0]] / INSTANCE.speeds / INSTANCE.deadlines[order[0]]
    assert machines["fraction_time"].tolist() == close(fraction.tolist())
    assert shown["budget"]["relaxed_price"] == close(math.log(relaxed.energy_price * 1.5 / 2))
    assert shown["budget"]["slack"] == close(math.log(80 / relaxed.work.sum()))


class Sample(NamedTuple):
    """What is shown at one moment of a table, rows as they stand, and the truth."""

    shown: Floats
    true: Floats


def stacked(columns: type[IntEnum], truth: Columns) -> Floats:
    return np.column_stack([truth[place] for place in columns])


def in_edf_order(instance: Instance) -> Instance:
    order = instance.edf_order
    return changed(
        instance,
        deadlines=instance.deadlines[order],
        work=instance.work[order],
        accuracy=instance.accuracy[order],
    )


CLOCKED = SPECIAL | {f"points {seed}": draw_problem(seed, n=8, most=5) for seed in range(80, 84)}
"""Problems whose machines have operating points."""


def clocked_in_edf_order(problem: DvfsInstance) -> DvfsInstance:
    return DvfsInstance.of(in_edf_order(problem.core), problem.points)


def episode(env_id: str, problem: Problem) -> tuple[list[dict], list[Moment]]:
    """The tables at every moment of an episode of random allowed actions, and these moments."""
    env = gymnasium.make(env_id, instance=problem, guidance=True)
    instance = problem.core
    layout, rng = env.unwrapped.layout, np.random.default_rng(instance.num_tasks)
    observation, info = env.reset()
    shown, actions, over = [layout.tables(observation)], [], False
    while not over:
        actions.append(masked_action(env, info["action_mask"], rng))
        observation, _, over, _, info = env.step(actions[-1])
        shown.append(layout.tables({key: value.copy() for key, value in observation.items()}))
    ends = info["schedule"]
    machine, shared = ends.machine, env_id == ASSIGN
    if shared:
        machine = np.where(np.array(actions) == instance.num_machines, -1, actions)
    moments = []
    for decided in range(instance.num_tasks + 1):
        so_far = np.where(np.arange(instance.num_tasks) < decided, machine, -1)
        work = allocate(problem, so_far).work if shared else np.where(so_far >= 0, ends.work, 0.0)
        told = instance, so_far, work, decided, shared
        clocked = isinstance(problem, DvfsInstance)
        moments.append(ClockedMoment(*told, problem.points) if clocked else Moment(*told))
    return shown, moments


@functools.cache
def samples(env_id: str, case: str) -> dict[type[IntEnum], list[Sample]]:
    """All that an episode shows, beside the truth, table by table."""
    problem = in_edf_order(CASES[case]) if case in CASES else clocked_in_edf_order(CLOCKED[case])
    found: dict[type[IntEnum], list[Sample]] = {
        TaskColumn: [],
        MachineColumn: [],
        BudgetColumn: [],
    }
    for tables, moment in zip(*episode(env_id, problem), strict=True):
        tasks = stacked(TaskColumn, task_columns(moment))
        at_hand = np.vstack([tasks, np.zeros((1, tasks.shape[1]))])[moment.decided]
        tasks[: moment.decided] = 0.0
        found[TaskColumn].append(Sample(tables["tasks"], tasks))
        found[TaskColumn].append(Sample(tables["task"][None], at_hand[None]))
        machines = stacked(MachineColumn, machine_columns(moment))
        found[MachineColumn].append(Sample(tables["machines"], machines))
        budget = stacked(BudgetColumn, budget_columns(moment))
        found[BudgetColumn].append(Sample(tables["budget"][None], budget))
    return found


def wrong(columns: type[IntEnum], shown: Floats, true: Floats) -> list[IntEnum]:
    """Columns that are not what they should be; NaN stands where rounding decides."""
    right = np.isnan(true) | np.isclose(shown, true, rtol=2e-5, atol=2e-5)
    return [place for place in columns if not right[..., place].all()]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("env_id", FROM_NOTHING)
def test_every_column_is_what_its_name_says(env_id: str, case: str) -> None:
    for columns, found in samples(env_id, case).items():
        for moment, sample in enumerate(found):
            assert wrong(columns, sample.shown, sample.true) == [], moment


@pytest.mark.parametrize("case", CLOCKED)
def test_every_column_is_what_its_name_says_with_operating_points(case: str) -> None:
    for columns, found in samples(ASSIGN, case).items():
        for moment, sample in enumerate(found):
            assert wrong(columns, sample.shown, sample.true) == [], moment


def test_rounding_decides_hardly_anywhere() -> None:
    tables = [s.true for case in CASES for found in samples(ASSIGN, case).values() for s in found]
    assert sum(np.isnan(table).sum() for table in tables) < 0.001 * sum(t.size for t in tables)


@pytest.mark.parametrize("columns", [TaskColumn, MachineColumn, BudgetColumn])
def test_no_two_columns_could_be_exchanged(columns: type[IntEnum]) -> None:
    found = [sample for case in CASES for sample in samples(ASSIGN, case)[columns]]
    shown = np.concatenate([sample.shown for sample in found])
    true = np.concatenate([sample.true for sample in found])
    for one, other in itertools.combinations(columns, 2):
        exchanged = shown.copy()
        exchanged[:, [one, other]] = shown[:, [other, one]]
        assert wrong(columns, exchanged, true) == [one, other]
