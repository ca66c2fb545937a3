import numpy as np
import pytest
from hypothesis import given, settings

from dsct_gym.accuracy import evaluate_curves, exponential_curves
from dsct_gym.allocation import allocate
from dsct_gym.instance import Instance
from dsct_gym.relaxation import relax, upper_bound
from strategies import assigned, instances
from truth import fractional_lp


def random_instance(seed: int, n: int, m: int, segments: int = 5, beta: float = 0.5) -> Instance:
    rng = np.random.default_rng(seed)
    work, accuracy = exponential_curves(rng.uniform(1e-3, 5e-3, n), segments)
    speeds, efficiencies = rng.uniform(1e3, 2e4, m), rng.uniform(5.0, 60.0, m)
    horizon = 0.35 * work[:, -1].sum() / speeds.sum()
    deadlines = np.append(rng.uniform(0.0, horizon, n - 1), horizon)
    budget = beta * horizon * float((speeds / efficiencies).sum())
    return Instance(speeds, efficiencies, deadlines, work, accuracy, budget)


@settings(max_examples=120, deadline=None)
@given(instances())
def test_bound_equals_the_linear_programme(instance: Instance) -> None:
    assert upper_bound(instance) == pytest.approx(fractional_lp(instance), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("beta", [0.1, 0.5, 2.0])
def test_bound_equals_the_linear_programme_at_size(seed: int, beta: float) -> None:
    instance = random_instance(seed, n=80, m=6, beta=beta)
    assert upper_bound(instance) == pytest.approx(fractional_lp(instance), rel=1e-9)


@settings(max_examples=100, deadline=None)
@given(instances())
def test_primal_attains_the_bound_within_time_and_budget(instance: Instance) -> None:
    relaxation = relax(instance)
    earned = evaluate_curves(instance.work, instance.accuracy, relaxation.work).sum()
    assert earned == pytest.approx(relaxation.bound, rel=1e-9, abs=1e-9)
    assert relaxation.work.sum() == pytest.approx(
        relaxation.busy_time @ instance.speeds, rel=1e-9, abs=1e-12
    )
    assert relaxation.energy.sum() <= instance.energy_budget * (1 + 1e-9)
    assert (relaxation.busy_time <= instance.horizon * (1 + 1e-12)).all()
    # Every deadline prefix fits into what all machines together can do until then.
    order = instance.edf_order
    spent = np.cumsum(relaxation.work[order])
    room = instance.speeds.sum() * instance.deadlines[order]
    assert (spent <= room * (1 + 1e-9)).all()


@settings(max_examples=100, deadline=None)
@given(instances())
def test_prices_certify_the_bound(instance: Instance) -> None:
    """The returned prices alone prove the bound: they are a feasible dual of the same value."""
    relaxation = relax(instance)
    order = instance.edf_order
    price, energy_price = relaxation.marginal_prices[order], relaxation.energy_price
    assert energy_price >= 0.0
    assert (np.diff(price) <= 1e-12 * price[0]).all()
    surplus = (instance.accuracy[order] - price[:, None] * instance.work[order]).max(axis=1)
    rent = np.maximum(0.0, price[:, None] - energy_price / instance.efficiencies)
    span = np.diff(instance.deadlines[order], prepend=0.0)
    dual = surplus.sum() + span @ (rent @ instance.speeds) + energy_price * instance.energy_budget
    assert dual == pytest.approx(relaxation.bound, rel=1e-9, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(assigned())
def test_no_schedule_exceeds_the_bound(case: tuple[Instance, np.ndarray]) -> None:
    instance, machine_of = case
    total = allocate(instance, machine_of).total_accuracy
    assert total <= upper_bound(instance) * (1 + 1e-12)


def test_one_task_on_one_machine_by_hand() -> None:
    # 2 s at 10 GFLOP/s allow 20 GFLOP, 3 J at 5 GFLOP/J allow 15: 10 at slope 0.04, 5 at 0.02.
    instance = Instance([10.0], [5.0], [2.0], [[0.0, 10.0, 30.0]], [[0.1, 0.5, 0.9]], 3.0)
    relaxation = relax(instance)
    assert relaxation.bound == pytest.approx(0.6)
    assert relaxation.work == pytest.approx([15.0])
    assert relaxation.energy_price == pytest.approx(0.02 * 5.0)
    assert relaxation.busy_time == pytest.approx([1.5])


def test_zero_budget_and_flat_curves_earn_the_guess() -> None:
    curve = [[0.0, 1.0]]
    assert upper_bound(Instance([1.0], [1.0], [1.0], curve, [[0.2, 0.8]], 0.0)) == 0.2
    assert upper_bound(Instance([1.0], [1.0], [1.0], curve, [[0.2, 0.2]], 9.0)) == 0.2


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_units_do_not_matter(scale: float) -> None:
    plain = random_instance(0, n=30, m=4)
    scaled = Instance(
        plain.speeds * scale,
        plain.efficiencies,
        plain.deadlines,
        plain.work * scale,
        plain.accuracy,
        plain.energy_budget * scale,
    )
    assert upper_bound(scaled) == pytest.approx(upper_bound(plain), rel=1e-12)
