import itertools
import os
import signal
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings

from dsct_gym import generate, make_solver, upper_bound
from dsct_gym.allocation import allocate
from dsct_gym.baselines.milp.backend import Limits, Outcome
from dsct_gym.baselines.milp.highs import run_highs
from dsct_gym.baselines.milp.model import Model, build_model
from dsct_gym.baselines.mip import Mip
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.schedule import Schedule
from dsct_gym.solver import Progress, Solution
from shapes import EDGE_CASES
from strategies import instances


def brute_force(instance: Instance) -> float:
    """The best exact allocation over every assignment; leaving a task out never helps."""
    machines = range(instance.num_machines)
    every = itertools.product(machines, repeat=instance.num_tasks)
    return max(allocate(instance, np.array(choice)).total_accuracy for choice in every)


def small_instances() -> list[Instance]:
    return [
        generate(n, m, mu=8, rho=rho, beta=beta, segments=3, seed=seed)
        for seed, (n, m, rho, beta) in enumerate(
            [(6, 2, 0.35, 0.5), (5, 3, 0.2, 0.3), (4, 4, 0.5, 0.2), (7, 2, 0.8, 0.1), (5, 3, 1, 1)]
        )
    ]


def started(instance: Instance) -> tuple[Model, Schedule]:
    model = build_model(instance)
    assert model is not None
    start = make_solver("approx-refined").solve(instance).schedule
    model.set_values(start)
    return model, start


@pytest.mark.parametrize(
    "instance", small_instances(), ids=lambda i: f"{i.num_tasks}x{i.num_machines}"
)
def test_equals_brute_force(instance: Instance) -> None:
    solution = make_solver("mip").solve(instance)
    best = brute_force(instance)
    assert solution.schedule.total_accuracy == pytest.approx(best, rel=1e-6)
    assert solution.upper_bound == pytest.approx(best, rel=2e-6)
    assert solution.upper_bound >= best * (1 - 1e-9)


@settings(max_examples=60, deadline=None)
@given(instances(max_tasks=4))
def test_equals_brute_force_on_ragged_and_tied_instances(instance: Instance) -> None:
    solution = make_solver("mip").solve(instance)
    best = brute_force(instance)
    assert solution.schedule.total_accuracy == pytest.approx(best, rel=1e-6, abs=1e-12)
    assert solution.upper_bound is not None
    assert best * (1 - 1e-9) <= solution.upper_bound <= best * (1 + 1e-5) + 1e-12


@pytest.mark.parametrize("case", EDGE_CASES)
def test_every_shape_is_solved(case: str) -> None:
    instance = EDGE_CASES[case]
    solution = make_solver("mip").solve(instance, time_limit=20)
    best = brute_force(instance) if instance.num_machines**instance.num_tasks < 3000 else 0.0
    assert solution.schedule.total_accuracy >= best * (1 - 1e-6)
    assert solution.upper_bound is not None
    assert best * (1 - 1e-9) <= solution.upper_bound <= upper_bound(instance) * (1 + 1e-12)


@pytest.mark.parametrize("name", ["highs", "appsi_highs"])
def test_without_a_solution_in_time_the_start_is_returned(name: str) -> None:
    instance = generate(60, 6, seed=1)
    start = make_solver("greedy").solve(instance)
    solver = make_solver("mip", solver=name, start="greedy")
    solution = solver.solve(instance, time_limit=1e-3)
    assert solution.schedule.total_accuracy == start.schedule.total_accuracy
    assert solution.upper_bound == pytest.approx(upper_bound(instance))


def test_the_warm_start_is_accepted() -> None:
    for instance in [*small_instances(), generate(30, 5, seed=4), EDGE_CASES["ragged curves"]]:
        model, start = started(instance)
        outcome = run_highs(model, Limits(0.5, 0.0, threads=1, seed=0), None)
        assert outcome.start_accepted is True
        assert allocate(instance, model.machine_of()).total_accuracy >= (
            start.total_accuracy * (1 - 1e-6)
        )


def test_a_wrong_start_is_not_reported_as_accepted() -> None:
    # Every task everywhere at full work: HiGHS must refuse it.
    model, _ = started(generate(12, 3, seed=2))
    for variable in [*model.pyomo.place.values(), *model.pyomo.share.values()]:
        variable.set_value(1)
    outcome = run_highs(model, Limits(20.0, 1e-3, threads=1, seed=0), None)
    assert outcome.start_accepted is False
    assert outcome.found


def test_the_bound_is_the_solvers_where_it_is_less_than_the_fractional() -> None:
    # One task cannot be in two places: the fractional bound is far off.
    instance = Instance(
        speeds=[1.0, 1.0],
        efficiencies=[1.0, 1.0],
        deadlines=[1.0],
        work=[[0.0, 2.0]],
        accuracy=[[0.0, 0.8]],
        energy_budget=10.0,
    )
    solution = make_solver("mip").solve(instance)
    assert upper_bound(instance) == pytest.approx(0.8)
    assert solution.upper_bound == pytest.approx(0.4)
    assert solution.schedule.total_accuracy == pytest.approx(0.4)


def test_progress_tells_best_and_bound() -> None:
    instance = generate(40, 4, seed=0)
    heard: list[Progress] = []
    solver = Mip()
    solver.progress = heard.append
    solution = solver.solve(instance, time_limit=3)
    assert heard
    last = heard[-1]
    assert last.best is not None
    assert last.bound is not None
    assert last.best <= solution.schedule.total_accuracy * (1 + 1e-6)
    assert last.bound >= solution.schedule.total_accuracy * (1 - 1e-6)


def test_interrupt_returns_the_best_so_far() -> None:
    instance = generate(80, 8, seed=1)
    make_solver("mip").solve(generate(4, 2))  # imports and compiles
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    began = time.perf_counter()
    timer.start()
    solution = make_solver("mip").solve(instance, time_limit=60)
    assert solution.interrupted
    assert time.perf_counter() - began < 30
    start = make_solver("approx-refined").solve(instance).schedule
    assert solution.schedule.total_accuracy >= start.total_accuracy
    assert solution.upper_bound is not None
    # A second proves nothing here: a bound that meets the schedule would be a false proof.
    assert solution.upper_bound > solution.schedule.total_accuracy * (1 + 1e-5)


def test_interrupting_the_start_ends_it() -> None:
    class Interrupted:
        def solve(
            self, instance: Instance, *, time_limit: float | None = None, seed: int | None = None
        ) -> Solution:
            assert time_limit == 1.0
            schedule = allocate(instance, np.zeros(instance.num_tasks, dtype=np.int64))
            return Solution(schedule, None, 0.0, interrupted=True)

    instance = generate(60, 6, seed=1)
    for smooth in (False, True):
        solver = Mip(smooth=smooth)
        solver._start = Interrupted()
        solution = solver.solve(instance)
        assert solution.interrupted
        assert set(solution.schedule.machine) <= {-1, 0}


def test_a_backend_that_finds_nothing_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    solver = Mip()
    monkeypatch.setattr(solver, "_backend", lambda *_: Outcome())
    instance = small_instances()[0]
    start = make_solver("approx-refined").solve(instance).schedule
    assert solver.solve(instance).schedule.total_accuracy == start.total_accuracy


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": "nonsense"}, "solver: Pyomo knows no solver 'nonsense'"),
        ({"solver": "baron"}, "solver: 'baron' is not installed on this machine"),
        ({"relative_gap": -0.1}, "relative_gap: must be in"),
        ({"relative_gap": 1.0}, "relative_gap: must be in"),
        ({"threads": 0}, "threads: must be a whole number of at least 1"),
        ({"threads": 1.5}, "threads: must be a whole number of at least 1"),
        ({"smooth": "perhaps"}, "smooth: must be true, false or SmoothCurves"),
        ({"start": "mip"}, "start: mip cannot start from itself"),
        ({"start": "nobody"}, "no solver 'nobody'"),
        ({"gap": 0.1}, "gap: solver 'mip' has no such option"),
    ],
)
def test_options_are_checked(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_solver("mip", **options)


def test_a_seed_gives_one_schedule() -> None:
    instance = generate(14, 3, seed=6)
    one, other = (make_solver("mip").solve(instance, seed=3).schedule for _ in range(2))
    assert np.array_equal(one.machine, other.machine)
    assert np.array_equal(one.work, other.work)


def test_thread_counts_may_change_within_a_process() -> None:
    instance = small_instances()[0]
    totals = [
        make_solver("mip", threads=threads).solve(instance).schedule.total_accuracy
        for threads in (1, 2, 1)
    ]
    assert totals == pytest.approx([totals[0]] * 3, rel=1e-6)
