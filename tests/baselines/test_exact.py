import itertools
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsct_gym import generate, make_solver, upper_bound
from dsct_gym.allocation import allocate
from dsct_gym.baselines import exact
from dsct_gym.baselines.branch_and_price.columns import Columns
from dsct_gym.baselines.branch_and_price.compact import finish
from dsct_gym.baselines.branch_and_price.packed import PackedInstance
from dsct_gym.baselines.branch_and_price.piecewise import convolve, maximum, simplify
from dsct_gym.baselines.branch_and_price.pricing import SKIPPED, Offer, exclude, price
from dsct_gym.baselines.branch_and_price.tree import BranchAndPrice
from dsct_gym.baselines.exact import Exact, column_bound
from dsct_gym.certificate import CertifiedBound
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.relaxation import relax
from dsct_gym.solver import Progress
from shapes import EDGE_CASES
from strategies import instances

GO_ON = np.zeros(1, dtype=np.bool_)


def brute_force(instance: Instance) -> float:
    machines = range(instance.num_machines)
    every = itertools.product(machines, repeat=instance.num_tasks)
    return max(allocate(instance, np.array(choice)).total_accuracy for choice in every)


def check_against_brute_force(instance: Instance) -> None:
    best = brute_force(instance)
    solution = Exact(tolerance=1e-6).solve(instance)
    total, bound = solution.schedule.total_accuracy, solution.upper_bound
    assert bound is not None
    assert total >= best * (1 - 1e-6) - 1e-15
    assert best * (1 - 1e-9) <= bound <= total * (1 + 1.01e-6)


@settings(max_examples=60, deadline=None)
@given(instances(max_tasks=5))
def test_equals_brute_force_on_ragged_and_tied_instances(instance: Instance) -> None:
    check_against_brute_force(instance)


@pytest.mark.parametrize("seed", range(8))
def test_equals_brute_force_on_random_instances(seed: int) -> None:
    random = np.random.default_rng(seed)
    mu, rho, beta = random.uniform([1.0, 0.2, 0.1], [20.0, 1.0, 1.0])
    n, m = [(9, 2), (6, 3), (5, 4), (3, 6)][seed % 4]
    check_against_brute_force(generate(n, m, mu=mu, rho=rho, beta=beta, segments=3, seed=seed))


def test_equals_brute_force_with_equal_machines() -> None:
    like = generate(6, 2, mu=8, rho=0.5, seed=4)
    check_against_brute_force(
        Instance(
            np.repeat(like.speeds, [2, 1]),
            np.repeat(like.efficiencies, [2, 1]),
            like.deadlines / 1.5,
            like.work,
            like.accuracy,
            like.energy_budget,
        )
    )


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(instance=instances(max_tasks=5))
def test_the_compact_programme_alone_proves(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    Exact().warm_up()  # once in a process, which needs the tree
    monkeypatch.setattr(BranchAndPrice, "run", lambda *_: None)
    check_against_brute_force(instance)


def test_what_the_compact_programme_leaves_is_a_valid_bound() -> None:
    instance = generate(12, 3, mu=10, rho=0.4, beta=0.5, seed=1)
    optimum = Exact(tolerance=1e-6).solve(instance).schedule.total_accuracy
    nothing = np.full(12, -1)
    with ThreadPoolExecutor(1) as pool:
        late, search = (
            BranchAndPrice(
                instance,
                relax(instance),
                nothing,
                tolerance=1e-6,
                deadline=deadline,
                pool=pool,
                seed=0,
                tell=lambda best, bound: None,
            )
            for deadline in (time.perf_counter() - 1.0, np.inf)
        )
        search.learn(1.5 * optimum)
        assert search.bound == relax(instance).bound
        assert not search.done
        finish(late, instance, seed=0)
        assert late.bound == relax(instance).bound
        assert not late.done
        finish(search, instance, seed=0)
    assert search.done
    assert optimum * (1 - 1e-6) <= search.incumbent.total <= optimum * (1 + 1e-6)
    assert search.incumbent.total <= search.bound <= optimum * (1 + 2e-6)


@pytest.mark.parametrize("case", EDGE_CASES)
def test_every_shape_is_proven(case: str) -> None:
    instance = EDGE_CASES[case]
    solution = make_solver("exact").solve(instance, time_limit=20)
    total, bound = solution.schedule.total_accuracy, solution.upper_bound
    assert bound is not None
    assert bound <= total * (1 + 1.01e-5)
    assert bound <= upper_bound(instance) * (1 + 1e-9)
    if instance.num_machines**instance.num_tasks < 3000:
        assert total >= brute_force(instance) * (1 - 1.01e-5)


@pytest.mark.parametrize("seed", range(2))
def test_equals_the_mip(seed: int) -> None:
    instance = generate(11, 3, mu=10, rho=0.5, beta=0.4, seed=seed)
    ours = make_solver("exact").solve(instance, time_limit=30)
    theirs = make_solver("mip").solve(instance, time_limit=30)
    assert ours.upper_bound is not None
    assert theirs.upper_bound is not None
    assert ours.schedule.total_accuracy <= theirs.upper_bound * (1 + 1e-9)
    assert theirs.schedule.total_accuracy <= ours.upper_bound * (1 + 1e-9)
    assert ours.upper_bound <= ours.schedule.total_accuracy * (1 + 1.01e-5)


@pytest.mark.parametrize("seed", [13, 85, 117, 143])
def test_ends_only_with_the_proof_that_was_asked_for(seed: int) -> None:
    # Here the first columns found for a set of tasks share its work out badly.
    instance = generate(10, 4, mu=8, rho=0.4, beta=1.0, segments=3, seed=seed)
    solution = Exact(tolerance=1e-6).solve(instance, time_limit=30)
    assert solution.seconds < 30
    assert solution.upper_bound is not None
    assert solution.upper_bound <= solution.schedule.total_accuracy * (1 + 1.001e-6)


def test_a_better_column_for_the_same_tasks_and_energy_is_kept() -> None:
    columns = Columns(2)
    both = np.ones(2, dtype=np.bool_)
    first = columns.add(0, both, 0.5, 0.25)
    assert columns.add(0, both, 0.4, 0.25) == first
    better = columns.add(0, both, 0.6, 0.25)
    assert better != first
    assert columns.gain[better] == 0.6
    assert columns.add(0, both, 0.5, 0.25) == better


def test_columns_bound_tighter_than_the_relaxation() -> None:
    instance = generate(20, 6, mu=10, rho=0.4, beta=0.5, seed=1)
    proven = Exact().solve(instance, time_limit=30)
    bound, fractional = column_bound(instance), upper_bound(instance)
    best = proven.schedule.total_accuracy
    assert best * (1 - 1e-9) <= bound
    assert bound - best < 0.3 * (fractional - best)


@settings(max_examples=30, deadline=None)
@given(instances(max_tasks=5))
def test_column_bound_is_valid(instance: Instance) -> None:
    bound = column_bound(instance)
    assert brute_force(instance) * (1 - 1e-9) <= bound <= upper_bound(instance) * (1 + 1e-9)


def check_certificate(instance: Instance, bound: float) -> None:
    """The checker finds what the solver claims, from the prices alone."""
    if not isinstance(bound, CertifiedBound):
        assert bound == pytest.approx(upper_bound(instance), rel=1e-12)  # nothing can be gained
        return
    claimed = bound.certificate.upper_bound
    assert claimed == bound
    proven = bound.certificate.check(instance, precision=1e-9)
    assert min(proven, upper_bound(instance)) <= bound * (1 + 1e-9)
    assert Exact().solve(instance).schedule.total_accuracy <= proven


@settings(max_examples=30, deadline=None)
@given(instances(max_tasks=5))
def test_the_checker_confirms_the_column_bound(instance: Instance) -> None:
    check_certificate(instance, column_bound(instance))


@pytest.mark.parametrize("seed", range(3))
def test_the_checker_finds_the_column_bound_itself(seed: int) -> None:
    """Solved to the end, pricing makes no error any more: then both find the same number."""
    instance = generate(10, 3, mu=8, rho=0.35, beta=0.5, seed=seed)
    bound = column_bound(instance, tolerance=1e-9)
    check_certificate(instance, bound)
    assert isinstance(bound, CertifiedBound)
    exact = replace(bound.certificate, upper_bound=None).check(instance, precision=1e-10)
    assert exact == pytest.approx(bound, rel=1e-9)


def test_ctrl_c_leaves_the_prices_until_then() -> None:
    instance = generate(25, 6, mu=10, rho=0.4, beta=0.5, seed=3)

    def stop(news: Progress) -> None:
        if news.bound is not None and news.bound < 0.999 * upper_bound(instance):
            raise KeyboardInterrupt

    bound = column_bound(instance, progress=stop)
    assert isinstance(bound, CertifiedBound)
    assert bound.interrupted
    assert bound.certificate.check(instance) <= bound * (1 + 1e-9)


@pytest.mark.parametrize("time_limit", [None, 1e-3, 1e-9])
@pytest.mark.parametrize("case", EDGE_CASES)
def test_column_bound_of_every_shape(case: str, time_limit: float | None) -> None:
    instance = EDGE_CASES[case]
    proven = Exact().solve(instance, time_limit=20).schedule.total_accuracy
    bound = column_bound(instance, time_limit=time_limit)
    assert proven * (1 - 1e-9) <= bound <= upper_bound(instance) * (1 + 1e-9)


def test_column_bound_falls_with_time_and_stays_above_the_optimum() -> None:
    instance = generate(25, 6, mu=10, rho=0.4, beta=0.5, seed=3)
    best = Exact().solve(instance, time_limit=30).schedule.total_accuracy
    told: list[float] = []

    def hear(news: Progress) -> None:
        assert news.bound is not None
        told.append(news.bound)

    last = column_bound(instance, progress=hear)
    assert told == sorted(told, reverse=True)
    assert len(set(told)) > 3
    assert min(told) == last
    for bound in (*told, column_bound(instance, time_limit=0.05)):
        assert best * (1 - 1e-9) <= bound <= upper_bound(instance) * (1 + 1e-9)


def test_is_anytime() -> None:
    instance = generate(40, 10, mu=10, rho=0.5, beta=0.4, seed=2)
    heard: list[Progress] = []
    solver = Exact(tolerance=1e-9)
    solver.progress = heard.append
    solution = solver.solve(instance, time_limit=1.0)
    assert solution.seconds < 2.5
    best = [news.best for news in heard if news.best is not None]
    bounds = [news.bound for news in heard if news.bound is not None]
    assert best == sorted(best)
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] < upper_bound(instance)
    assert solution.schedule.total_accuracy >= best[-1] * (1 - 1e-9)
    assert solution.upper_bound == pytest.approx(bounds[-1])


def test_interrupt_returns_the_best_so_far() -> None:
    instance = generate(120, 10, mu=10, rho=0.5, beta=0.4, seed=2)
    solver = Exact(tolerance=1e-9)
    heard: list[Progress] = []
    solver.progress = heard.append
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    started = time.perf_counter()
    timer.start()
    try:
        solution = solver.solve(instance)
    finally:
        timer.cancel()
    assert solution.interrupted
    assert time.perf_counter() - started < 4.0
    assert solution.upper_bound is not None
    best = heard[-1].best if heard else None
    assert best is None or solution.schedule.total_accuracy >= best * (1 - 1e-9)


def test_interrupt_before_the_search_stands_leaves_the_fractional_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    instance = generate(12, 3, mu=10, rho=0.4, beta=0.5, seed=1)
    Exact().warm_up()
    monkeypatch.setattr(exact, "BranchAndPrice", interrupt)
    solution = Exact().solve(instance)
    assert solution.interrupted
    assert solution.upper_bound == pytest.approx(upper_bound(instance), rel=1e-12)
    assert solution.schedule.verify()


def test_same_result_every_time_and_on_one_thread() -> None:
    instance = generate(20, 4, mu=10, rho=0.5, beta=0.4, seed=5)
    first, second, third = (Exact(threads=k).solve(instance, seed=3) for k in (2, 2, 1))
    for other in (second, third):
        assert np.array_equal(first.schedule.machine, other.schedule.machine)
        assert np.array_equal(first.schedule.work, other.schedule.work)
        assert first.upper_bound == other.upper_bound


@pytest.mark.parametrize("options", [{"tolerance": 0.0}, {"tolerance": 1.0}, {"threads": 0}])
def test_options_are_checked(options: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(options))):
        make_solver("exact", **options)


def greedy_value(data: PackedInstance, tasks: tuple[int, ...], rate: float) -> float:
    """Best value of a set of tasks on a machine: segments by slope, as deadlines allow."""
    capacity = data.capacity[0].copy()
    pieces = [(data.slope[j, k] - rate, -k, j) for j in tasks for k in range(data.slope.shape[1])]
    value = 0.0
    for net, minus_k, j in sorted(pieces, reverse=True):
        done = min(data.width[j, -minus_k], capacity[j:].min())
        if net > 0 and done > 0:
            capacity[j:] -= done
            value += net * done
    return value


@settings(max_examples=60, deadline=None)
@given(
    instances(max_tasks=6, max_machines=1).filter(
        lambda i: i.energy_budget > 0 and (i.slopes > 0).any()
    ),
    st.integers(0, 2**32 - 1),
)
def test_pricing_equals_enumeration(instance: Instance, seed: int) -> None:
    random = np.random.default_rng(seed)
    data, n = PackedInstance.of(instance), instance.num_tasks
    fee = random.choice([0.0, 0.1, 0.4, 0.8], n) * random.choice([1.0, random.random()])
    rate = float(random.choice([0.0, 0.5]) * np.median(data.slope))
    allowed = random.random(n) < 0.9
    sets = [
        tasks
        for size in range(n + 1)
        for tasks in itertools.combinations(np.flatnonzero(allowed).tolist(), size)
    ]
    values = [greedy_value(data, tasks, rate) - fee[list(tasks)].sum() for tasks in sets]
    best = max(values)
    offer = Offer(
        capacity=data.capacity[0],
        slope=data.slope,
        width=data.width,
        energy_rate=rate,
        fee=fee,
        allowed=allowed,
    )
    for floor in (0.0, 0.9 * best, best + 0.01):
        found, works, points = price(offer, floor, 0.0, GO_ON)
        assert found == pytest.approx(max(best, floor), abs=1e-9)
        assert not (works[~allowed] != SKIPPED).any()
        if points > 0:
            taken = works != SKIPPED
            done = np.where(taken, works, 0.0)
            assert (np.cumsum(done) <= data.capacity[0] * (1 + 1e-9)).all()
            value = data.gain(done) - rate * done.sum() - fee[taken].sum()
            assert value == pytest.approx(found, abs=1e-9)
        rough, _, _ = price(offer, floor, 1e-3, GO_ON)
        assert found - 1e-12 <= rough <= found + n * 1e-3
    for floor in (0.5 * best, best - 1e-6):
        if floor > 0.0:
            out = exclude(offer, floor, 0.0, GO_ON)
            for j in np.flatnonzero(out):
                with_j = [v for v, tasks in zip(values, sets, strict=True) if j in tasks]
                assert max(with_j) < floor


@st.composite
def piecewise(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """A non-decreasing function with ties among its slopes."""
    values = st.sampled_from([0.25, 0.5, 1.0]) | st.floats(0.05, 2.0)
    widths = draw(st.lists(values, min_size=1, max_size=8))
    slopes = [draw(st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0.0, 3.0)) for _ in widths]
    start = draw(st.sampled_from([0.0, 0.7]))
    xs = start + np.concatenate([[0.0], np.cumsum(widths)])
    return xs, np.concatenate([[0.0], np.cumsum(np.multiply(widths, slopes))])


@settings(max_examples=200, deadline=None)
@given(piecewise(), st.floats(0.1, 2.5), st.sampled_from([0.1, 0.5, 2.0, 30.0]), st.floats(0, 5))
def test_convolution_maximum_and_simplification(
    function: tuple[np.ndarray, np.ndarray], slope: float, width: float, beyond: float
) -> None:
    xs, ys = function
    size, end = xs.size, xs[-1] + beyond
    out_xs, out_ys = np.empty(4 * size + 8), np.empty(4 * size + 8)
    scratch = np.empty(size), np.empty(size, dtype=np.int64)
    count = convolve(xs, ys, size, slope, width, end, out_xs, out_ys, *scratch)
    at = np.unique(np.concatenate([np.linspace(xs[0], end, 50), out_xs[:count]]))
    # At the optimum a piece is empty or full, or what it is added to sits at a breakpoint.
    parts = np.stack([np.zeros_like(at), np.full_like(at, width), *(at - x for x in xs)])
    fits = (parts >= -1e-12) & (parts <= width + 1e-12) & (at - parts >= xs[0] - 1e-12)
    truth = np.where(fits, np.interp(at - parts, xs, ys) + slope * parts, -np.inf).max(axis=0)
    assert np.interp(at, out_xs[:count], out_ys[:count]) == pytest.approx(truth, abs=1e-9)

    top_xs, top_ys = np.empty(4 * (size + count)), np.empty(4 * (size + count))
    top = maximum(xs, ys, size, out_xs, out_ys, count, -0.3, top_xs, top_ys)
    larger = np.maximum(np.interp(at, xs, ys), truth - 0.3)
    found = np.interp(at, top_xs[:top], top_ys[:top])
    assert found == pytest.approx(larger, abs=1e-9)

    few_xs, few_ys = np.empty(top), np.empty(top)
    few = simplify(top_xs, top_ys, top, 0.05, few_xs, few_ys)
    assert few <= top
    above = np.interp(at, few_xs[:few], few_ys[:few]) - found
    assert above.min() >= -1e-9
    assert above.max() <= 0.05 + 1e-9
