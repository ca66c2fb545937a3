"""Prices and sensitivities against finite differences, linear programmes and hand-made cases."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.optimize import linprog

from cases import CASES, changed
from dsct_gym.allocation import allocate
from dsct_gym.generator import generate
from dsct_gym.instance import Instance
from dsct_gym.online import OnlineInstance
from dsct_gym.online.generator import generate_online
from dsct_gym.online.schedule import started_at
from dsct_gym.operator.changes import with_budget
from dsct_gym.operator.explanation import explain
from dsct_gym.operator.sensitivity import Limit, limits_of_schedule, sensitivity
from dsct_gym.points.generator import draw_points
from dsct_gym.points.instance import DvfsInstance
from dsct_gym.points.operating_points import OperatingPoints
from dsct_gym.relaxation import upper_bound
from strategies import instances
from truth import linear_programme

STEP = 1e-6


def around(price: float, worth, at: float, scale: float) -> None:
    """A price is between the derivatives to the right and to the left of a concave function."""
    step = STEP * at
    here, least = worth(at), 1e-9 * max(1.0, scale)
    right, left = (worth(at + step) - here) / step, (here - worth(at - step)) / step
    assert right - least / step <= price <= left + least / step
    assert right <= price + 1e-3 * max(left - right, abs(price)) + least / step


@pytest.mark.parametrize("name", [*CASES])
def test_prices_are_derivatives(name):
    instance = CASES[name]
    told = sensitivity(instance)
    scale = upper_bound(instance)
    if instance.energy_budget > 0.0:
        around(
            told.energy_price,
            lambda budget: upper_bound(with_budget(instance, budget)),
            instance.energy_budget,
            scale,
        )
    for r in range(min(instance.num_machines, 3)):

        def faster(speed: float, r: int = r) -> float:
            speeds = instance.speeds.copy()
            speeds[r] = speed
            return upper_bound(changed(instance, speeds=speeds))

        around(told.speed_prices[r], faster, instance.speeds[r], scale)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("beta", [0.15, 0.6, 5.0])
def test_prices_of_deadlines_are_derivatives(seed, beta):
    instance = generate(9, 3, rho=0.5, beta=beta, seed=seed)
    told = sensitivity(instance)
    for task in range(9):

        def later(deadline: float, task: int = task) -> float:
            deadlines = instance.deadlines.copy()
            deadlines[task] = deadline
            return upper_bound(changed(instance, deadlines=deadlines))

        around(told.deadline_prices[task], later, instance.deadlines[task], upper_bound(instance))
    short_of_time = np.isin(told.limits, [Limit.DEADLINE, Limit.BOTH])
    assert (told.deadline_prices > 0.0).any() or not short_of_time.any()


def test_equal_deadlines_are_moved_together():
    drawn = generate(8, 2, rho=0.5, beta=0.7, seed=3)
    deadlines = np.sort(drawn.deadlines)[[1, 1, 3, 3, 3, 6, 7, 7]]
    told = sensitivity(changed(drawn, deadlines=deadlines))
    for moment in np.unique(deadlines):
        here = deadlines == moment
        (price,) = np.unique(told.deadline_prices[here])

        def later(to: float, here: np.ndarray = here) -> float:
            return upper_bound(changed(drawn, deadlines=np.where(here, to, deadlines)))

        around(price, later, moment, upper_bound(drawn))


@pytest.mark.parametrize("beta", [0.1, 0.4, 5.0])
@pytest.mark.parametrize("seed", range(4))
def test_prices_with_arrivals_are_derivatives(seed, beta):
    """Of energy, of speeds and of deadlines, by finite differences of the clairvoyant bound."""
    problem = generate_online(12, 3, arrivals="bursty", beta=beta, seed=seed)
    core, scale, told = problem.core, upper_bound(problem), sensitivity(problem)

    def bound(**fields: object) -> float:
        return upper_bound(replace(problem, core=changed(core, **fields)))

    def moved(values: np.ndarray, place: int) -> Callable[[float], np.ndarray]:
        return lambda to: np.where(np.arange(values.size) == place, to, values)

    budget = core.energy_budget
    around(told.energy_price, lambda to: bound(energy_budget=to), budget, scale)
    for r, price in enumerate(told.speed_prices):
        speeds = moved(core.speeds, r)
        around(price, lambda to, of=speeds: bound(speeds=of(to)), core.speeds[r], scale)
    for task, price in enumerate(told.deadline_prices):
        due = moved(core.deadlines, task)
        around(price, lambda to, of=due: bound(deadlines=of(to)), core.deadlines[task], scale)
    short_of_time = np.isin(told.limits, [Limit.DEADLINE, Limit.BOTH])
    assert (told.deadline_prices > 0.0).any() or not short_of_time.any()


def test_by_hand_limits_of_schedules_with_arrivals():
    """On a machine of 1 GFLOP/s: b has to run from 3 to 5; a ends when b begins, or before.

    c fills its window from 6 to 8, and d comes when c is done and has time to spare.
    """
    core = Instance(
        speeds=[1.0],
        efficiencies=[1.0],
        deadlines=[10.0, 5.0, 8.0, 12.0],
        work=[[0.0, 9.0]] * 4,
        accuracy=[[0.0, 0.9]] * 4,
        energy_budget=100.0,
    )
    problem = OnlineInstance(core, [0.0, 3.0, 6.0, 7.0], 12.0)
    start = np.array([0.0, 3.0, 6.0, 8.0])
    for first, cut in ((3.0, Limit.DEADLINE), (2.0, Limit.ROOM)):
        work = np.array([first, 2.0, 2.0, 1.0])
        schedule = started_at(problem, np.zeros(4, dtype=int), start, work)
        assert schedule.verify().ok
        found = limits_of_schedule(schedule).tolist()
        assert found == [cut, Limit.DEADLINE, Limit.DEADLINE, Limit.ROOM]


@pytest.mark.parametrize("seed", range(5))
def test_prices_are_the_duals_of_the_linear_programme(seed):
    """Of random instances, whose duals are unique."""
    instance = generate(12, 3, rho=0.4, beta=0.4, seed=seed)
    programme = linear_programme(instance)
    bounds = np.stack([np.zeros_like(programme.upper), programme.upper], axis=1)
    solved = linprog(
        programme.cost, A_ub=programme.matrix, b_ub=programme.rhs, bounds=bounds, method="highs"
    )
    told = sensitivity(instance)
    unit = instance.max_work.mean()
    assert told.energy_price == pytest.approx(
        -solved.ineqlin.marginals[-1] / instance.energy_budget, rel=1e-6
    )
    # The last variables are the works of machines up to each deadline, at most s_r d_k.
    duals = -solved.upper.marginals[-12 * 3 :].reshape(12, 3) / unit
    deadline = instance.deadlines[instance.edf_order]
    assert told.speed_prices == pytest.approx(deadline @ duals, rel=1e-6, abs=1e-12)
    assert told.deadline_prices[instance.edf_order] == pytest.approx(
        duals @ instance.speeds, rel=1e-6, abs=1e-9
    )


@pytest.mark.parametrize("seed", range(4))
def test_prices_with_clocks_are_derivatives(seed):
    problem = draw_points(generate(10, 3, rho=0.5, beta=0.3, seed=seed), 4, seed=seed)
    told = sensitivity(problem)
    scale = upper_bound(problem)
    budget = problem.core.energy_budget
    around(told.energy_price, lambda b: upper_bound(with_budget(problem, b)), budget, scale)
    for r, points in enumerate(problem.points):

        def faster(factor: float, r: int = r, points: OperatingPoints = points) -> float:
            scaled = OperatingPoints(points.speeds * factor, points.powers * factor)
            return upper_bound(
                DvfsInstance.of(
                    problem.core, [*problem.points[:r], scaled, *problem.points[r + 1 :]]
                )
            )

        around(told.speed_prices[r] * problem.core.speeds[r], faster, 1.0, scale)


@settings(max_examples=60, deadline=None)
@given(instances())
def test_rents_bound_what_machines_bring_and_cost(instance: Instance) -> None:
    told = explain(instance)
    tolerance = 1e-9 * max(1.0, told.sensitivity.relaxation.bound)
    for machine in told.machines:
        assert machine.gain - tolerance <= machine.rent <= machine.loss + tolerance


@settings(max_examples=60, deadline=None)
@given(instances())
def test_the_value_of_everything_is_the_bound(instance: Instance) -> None:
    """Strong duality: rents, the price of the budget and what is left to the tasks."""
    told = sensitivity(instance)
    price = told.relaxation.marginal_prices
    surplus = (instance.accuracy - price[:, None] * instance.work).max(axis=1).sum()
    worth = told.rents.sum() + told.energy_price * instance.energy_budget + surplus
    assert worth == pytest.approx(told.relaxation.bound, rel=1e-9, abs=1e-9)


# One machine of 10 GFLOP/s at 1 GFLOP/J; curves that rise by 0.01 a GFLOP up to 40 GFLOP.
ONE = Instance(
    speeds=[10.0],
    efficiencies=[1.0],
    deadlines=[1.0, 5.0],
    work=[[0, 40], [0, 40]],
    accuracy=[[0, 0.4], [0, 0.4]],
    energy_budget=1e3,
)


def test_by_hand_cut_by_deadlines():
    told = sensitivity(ONE)  # 10 GFLOP by 1 s, 40 more by 5 s: the machine is always busy
    assert told.energy_price == 0.0
    assert told.limits.tolist() == [Limit.DEADLINE, Limit.FULL]
    assert told.first_seconds == pytest.approx([0.1])
    assert told.deadline_prices.sum() == pytest.approx(0.1)


def test_by_hand_cut_by_energy():
    told = sensitivity(with_budget(ONE, 20.0))
    assert told.energy_price == pytest.approx(0.01)
    assert set(told.limits.tolist()) == {Limit.ENERGY}
    assert told.rents.tolist() == [0.0]
    assert told.deadline_prices.tolist() == [0.0, 0.0]


def test_by_hand_cut_by_both():
    """The efficient machine is busy all the time, the other at half of its time."""
    two = changed(
        ONE,
        speeds=np.array([10.0, 10.0]),
        efficiencies=np.array([2.0, 1.0]),
        work=np.array([[0.0, 400.0], [0.0, 400.0]]),
        energy_budget=25.0 + 25.0,
    )
    told = sensitivity(two)
    assert set(told.limits.tolist()) == {Limit.BOTH}
    assert told.energy_price == pytest.approx(0.001)
    # A second of the first machine is 10 GFLOP at 5 J less than they take on the second.
    assert told.first_seconds == pytest.approx([5 * 0.001, 0.0])
    assert told.rents == pytest.approx([5 * 5 * 0.001, 0.0])


def test_by_hand_limits_of_schedules():
    def limits(instance: Instance, machine_of: list[int]) -> list[int]:
        return limits_of_schedule(allocate(instance, np.array(machine_of))).tolist()

    assert limits(ONE, [0, 0]) == [Limit.DEADLINE, Limit.FULL]
    assert limits(ONE, [-1, 0]) == [Limit.LEFT_OUT, Limit.FULL]
    assert limits(with_budget(ONE, 45.0), [0, 0])[1] in (Limit.FULL, Limit.ENERGY)
    assert sorted(limits(with_budget(ONE, 5.0), [0, 0])) == [Limit.ENERGY, Limit.LEFT_OUT]
    late = replace(ONE, deadlines=np.array([1.0, 2.0]))
    # The second task fills the machine until 2 s, so the first is cut by that deadline, too.
    assert limits(late, [0, 0]) == [Limit.DEADLINE, Limit.DEADLINE]


def test_a_schedule_with_room():
    schedule = allocate(ONE, np.array([-1, 0]))
    lazy = type(schedule).from_work(ONE, np.array([-1, 0]), np.array([0.0, 7.0]))
    assert limits_of_schedule(lazy).tolist() == [Limit.LEFT_OUT, Limit.ROOM]


def test_a_slow_clock_is_energy_and_not_time():
    """At its slow clock the machine is busy until the deadline, and could be faster."""
    points = [OperatingPoints([5.0, 10.0], [2.0, 10.0])]
    problem = DvfsInstance.of(
        changed(ONE, deadlines=np.array([1.0, 2.0]), energy_budget=4.0), points
    )
    schedule = allocate(problem, np.array([-1, 0]))
    assert schedule.finish[1] == pytest.approx(2.0)
    assert limits_of_schedule(schedule).tolist() == [Limit.LEFT_OUT, Limit.ENERGY]


def test_what_rounding_leaves_of_prices_binds_nothing():
    """Without energy no deadline is worth anything, however prices are rounded."""
    generator = np.random.default_rng(0)
    for _ in range(20):
        width = generator.uniform(0.5, 4.0, (5, 3))
        slope = -np.sort(-generator.uniform(0.0, 0.05, (5, 3)), axis=1)
        instance = Instance(
            speeds=generator.uniform(1.0, 20.0, 3),
            efficiencies=generator.uniform(0.5, 6.0, 3),
            deadlines=generator.uniform(0.2, 1.0, 5),
            work=np.insert(np.cumsum(width, axis=1), 0, 0.0, axis=1),
            accuracy=np.insert(np.cumsum(width * slope, axis=1), 0, 0.0, axis=1),
            energy_budget=0.0,
        )
        assert explain(instance).deadlines == ()
