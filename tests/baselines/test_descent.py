"""`descent`: better than its start, a true local optimum, the same every time, any time."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings

from dsct_gym import Instance, allocate, generate, make_solver, upper_bound
from dsct_gym.baselines.descent import Descent
from dsct_gym.errors import InputError
from dsct_gym.plan import Plan, begin
from dsct_gym.solver import Progress
from shapes import EDGE_CASES
from strategies import instances

ORDERS = ["edf", "reverse"]


def total(instance: Instance, **options: object) -> float:
    return make_solver("descent", **options).solve(instance).schedule.total_accuracy


def refined(instance: Instance) -> float:
    return make_solver("approx-refined").solve(instance).schedule.total_accuracy


def neighbours(machine_of: np.ndarray, machines: int) -> list[np.ndarray]:
    """Every assignment that is one move or one swap away."""
    found = []
    for task, r in itertools.product(range(machine_of.size), range(machines)):
        if r != machine_of[task]:
            found.append(machine_of.copy())
            found[-1][task] = r
    for one, other in itertools.combinations(range(machine_of.size), 2):
        if machine_of[one] != machine_of[other]:
            found.append(machine_of.copy())
            found[-1][[one, other]] = machine_of[[other, one]]
    return found


def spelt_out(instance: Instance, order: list[int]) -> float:
    """One pass of the rule with a fresh exact allocation for every change; n is at most 33."""
    edf = in_edf_order(instance)
    plan = Plan.of(edf)
    begin(plan)
    machine = plan.curves.machine.copy()
    value = allocate(edf, machine).total_accuracy
    for task in order:
        best, then = value, machine
        for r in range(edf.num_machines):
            for other in [-1, *range(task + 1, edf.num_tasks)]:
                if machine[task] == r or (other >= 0 and machine[other] != r):
                    continue
                trial = machine.copy()
                trial[task] = r
                if other >= 0:
                    trial[other] = machine[task]
                gained = allocate(edf, trial).total_accuracy
                if gained > best + 1e-10:
                    best, then = gained, trial
        value, machine = best, then
    return value


def in_edf_order(instance: Instance) -> Instance:
    """The instance with its tasks in EDF order."""
    order = instance.edf_order
    return Instance(
        instance.speeds,
        instance.efficiencies,
        instance.deadlines[order],
        instance.work[order],
        instance.accuracy[order],
        instance.energy_budget,
    )


@pytest.mark.parametrize("order", ORDERS)
def test_a_pass_is_the_rule_spelt_out(order: str) -> None:
    for seed in range(6):
        instance = generate(14, 3, mu=10.0, seed=seed)
        ranks = list(range(14))[:: 1 if order == "edf" else -1]
        expected = spelt_out(instance, ranks)
        assert total(instance, passes=1, order=order) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(instances())
def test_never_worse_than_its_start_and_passes_add_up(instance: Instance) -> None:
    values = [total(instance, passes=passes) for passes in (0, 1, 2, 3, "none")]
    assert values[0] == pytest.approx(refined(instance), rel=1e-12, abs=1e-12)
    assert all(more >= less - 1e-12 for less, more in itertools.pairwise(values))
    assert values[-1] <= upper_bound(instance) + 1e-9


@pytest.mark.parametrize("order", ORDERS)
def test_no_single_move_or_swap_improves_a_local_optimum(order: str) -> None:
    for seed in range(5):
        instance = generate(12, 3, mu=10.0, rho=0.5, seed=seed)
        schedule = make_solver("descent", passes=None, order=order).solve(instance).schedule
        assert schedule.total_accuracy > refined(instance)
        for other in neighbours(np.array(schedule.machine), 3):
            assert allocate(instance, other).total_accuracy <= schedule.total_accuracy + 1e-9


def test_a_local_optimum_is_one_beyond_the_partners_that_a_task_looks_at() -> None:
    # Of 80 tasks each looks at the next 32 only; changes are drawn from all.
    instance = generate(80, 3, mu=10.0, seed=2)
    schedule = make_solver("descent", passes="none").solve(instance).schedule
    some = neighbours(np.array(schedule.machine), 3)
    for index in np.random.default_rng(0).choice(len(some), 400, replace=False):
        assert allocate(instance, some[index]).total_accuracy <= schedule.total_accuracy + 1e-9


def test_a_swap_that_no_pass_sees_is_found_in_the_end() -> None:
    found = 0
    for seed in range(4):
        instance = generate(120, 3, mu=10.0, seed=seed)
        found += total(instance, passes=None) > total(instance, passes=50) + 1e-9
    assert found > 0


def test_two_tasks_that_share_a_machine_are_parted() -> None:
    # Two equal machines of 1 GFLOP/s, all tasks due at 1 s, energy for nothing, curves that gain
    # 1 for 1 GFLOP (a), 0.6 for 1 (b), 0.5 for 1 (c). One task a machine is done in full; the best
    # that two machines can do is a and b alone on theirs: 1.6, c getting nothing.
    rise = np.array([1.0, 0.6, 0.5])
    instance = Instance(
        speeds=[1.0, 1.0],
        efficiencies=[1.0, 1.0],
        deadlines=[1.0, 1.0, 1.0],
        work=np.tile([0.0, 1.0], (3, 1)),
        accuracy=np.stack([np.zeros(3), rise], axis=1),
        energy_budget=10.0,
    )
    schedule = make_solver("descent").solve(instance).schedule
    assert schedule.total_accuracy == pytest.approx(1.6, rel=1e-12)
    assert schedule.machine[0] != schedule.machine[1]


@pytest.mark.parametrize("case", EDGE_CASES)
def test_a_local_optimum_of_every_shape(case: str) -> None:
    instance = EDGE_CASES[case]
    assert total(instance, passes=None) >= refined(instance) * (1 - 1e-12)


def test_neither_seed_nor_repetition_changes_anything() -> None:
    instance = generate(60, 4, seed=3)
    solver = make_solver("descent")
    machines = [solver.solve(instance, seed=seed).schedule.machine for seed in (None, 0, 7)]
    assert np.array_equal(machines[0], machines[1])
    assert np.array_equal(machines[0], machines[2])


def test_the_order_of_the_file_does_not_matter() -> None:
    instance = generate(30, 4, seed=3)
    shuffled = np.random.default_rng(0).permutation(30)
    other = Instance(
        instance.speeds,
        instance.efficiencies,
        instance.deadlines[shuffled],
        instance.work[shuffled],
        instance.accuracy[shuffled],
        instance.energy_budget,
    )
    assert total(instance) == pytest.approx(total(other), rel=1e-12)


def test_orders_lead_to_different_plans() -> None:
    instance = generate(60, 5, mu=10.0, seed=1)
    plans = [
        make_solver("descent", passes=1, order=order).solve(instance).schedule.machine
        for order in ORDERS
    ]
    assert not np.array_equal(*plans)


def test_ctrl_c_keeps_what_there_is() -> None:
    heard: list[Progress] = []

    def interrupt(progress: Progress) -> None:
        heard.append(progress)
        raise KeyboardInterrupt

    instance = generate(2000, 10, mu=10.0, seed=2)
    solver = Descent(passes=None)
    solver.progress = interrupt
    solution = solver.solve(instance)
    assert solution.interrupted
    assert solution.schedule.total_accuracy == pytest.approx(heard[0].best, rel=1e-9)
    assert solution.schedule.total_accuracy > refined(instance)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"passes": -1}, "passes: must be"),
        ({"passes": 1.5}, "passes: must be"),
        ({"passes": True}, "passes: must be"),
        ({"passes": "all"}, "passes: must be"),
        ({"order": "late"}, "order: 'late' is not one of edf, reverse"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        make_solver("descent", **options)
