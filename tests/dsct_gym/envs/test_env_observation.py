"""The columns of observations, by hand."""

import math

import gymnasium
import numpy as np
import pytest

from dsct_gym.envs.observation import BudgetColumn, Layout, MachineColumn, TaskColumn
from dsct_gym.instance import Instance
from dsct_gym.relaxation import relax
from playing import ASSIGN, IDS, JOINT

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


@pytest.mark.parametrize("env_id", IDS)
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
