"""The clairvoyant bound is the optimum of the interval linear programme."""

import json

import numpy as np
import pytest

from dsct_gym import Instance, generate, make_solver
from dsct_gym.accuracy import evaluate_curves
from dsct_gym.bounds import bound_for
from dsct_gym.cli import run as command
from dsct_gym.files import write_instance
from dsct_gym.online import OnlineInstance
from dsct_gym.online.capped import capped_bound
from dsct_gym.online.relaxation import least_prices
from dsct_gym.relaxation import has_relaxation, relax, upper_bound
from dsct_gym.running import run_bound
from online_truth import SPECIAL, draw_arrivals, draw_online, interval_lp, release_mip

EXACT = {"rel": 1e-9, "abs": 1e-9}


def value_of(problem, relaxation):
    """What the works of a relaxation earn."""
    core = problem.core
    return float(evaluate_curves(core.work, core.accuracy, relaxation.work).sum())


class TestTruth:
    @pytest.mark.parametrize("name", sorted(SPECIAL))
    def test_extremes(self, name):
        problem = SPECIAL[name]
        assert upper_bound(problem) == pytest.approx(interval_lp(problem), **EXACT)

    @pytest.mark.parametrize("seed", range(20))
    def test_random(self, seed):
        problem = draw_online(seed, n=10, m=1 + seed % 4, segments=1 + seed % 5)
        assert upper_bound(problem) == pytest.approx(interval_lp(problem), **EXACT)

    @pytest.mark.parametrize("seed", range(10))
    def test_budgets_from_nothing_to_enough(self, seed):
        core = generate(9, 3, mu=10.0, rho=0.1 + 0.1 * seed, beta=1.5 * seed / 9, seed=seed)
        problem = draw_arrivals(core, seed)
        assert upper_bound(problem) == pytest.approx(interval_lp(problem), **EXACT)

    @pytest.mark.parametrize("segments", [1, 5, 64])
    def test_without_arrivals_it_is_the_plain_relaxation(self, segments):
        core = generate(200, 6, mu=10.0, rho=0.4, beta=0.3, segments=segments, seed=1)
        problem = OnlineInstance(core, np.zeros(200), float(core.deadlines.max()))
        assert upper_bound(problem) == pytest.approx(upper_bound(core), rel=1e-11)


class TestSolution:
    @pytest.fixture(params=[(400, 5, 0.3), (300, 8, 3.0)])
    def solved(self, request):
        n, m, beta = request.param
        problem = draw_online(7, n=n, m=m, beta=beta, segments=5)
        return problem, relax(problem)

    def test_its_works_earn_what_its_prices_prove(self, solved):
        problem, relaxation = solved
        assert value_of(problem, relaxation) == pytest.approx(relaxation.bound, rel=1e-12)

    def test_its_works_fit_into_every_interval(self, solved):
        problem, relaxation = solved
        arrivals, deadlines = problem.arrivals, problem.core.deadlines
        speed = problem.core.speeds.sum()
        for start in arrivals[::7]:
            later = arrivals >= start
            for end in deadlines[::7]:
                inside = relaxation.work[later & (deadlines <= end)].sum()
                assert inside <= speed * max(0.0, end - start) * (1 + 1e-12)

    def test_energy_and_time_are_those_of_its_works(self, solved):
        problem, relaxation = solved
        core = problem.core
        assert (relaxation.busy_time * core.speeds).sum() == pytest.approx(relaxation.work.sum())
        assert relaxation.energy == pytest.approx(relaxation.busy_time * core.powers)
        budget = core.energy_budget
        assert relaxation.energy.sum() <= budget * (1 + 1e-12)
        if relaxation.energy_price > 0.0:
            assert relaxation.energy.sum() == pytest.approx(budget, rel=1e-12)

    def test_a_task_is_done_up_to_its_price(self, solved):
        problem, relaxation = solved
        core = problem.core
        done = relaxation.work[:, None] >= core.work[:, 1:] * (1 - 1e-12)
        price = relaxation.marginal_prices[:, None]
        rising = core.slopes > 0.0
        assert done[(core.slopes > price * (1 + 1e-9)) & rising].all()
        begun = relaxation.work[:, None] > core.work[:, :-1] * (1 + 1e-12)
        assert not begun[(core.slopes < price * (1 - 1e-9)) & rising].any()

    def test_later_arrivals_never_raise_it(self):
        core = generate(60, 4, rho=0.4, seed=2)
        rng = np.random.default_rng(0)
        share = rng.uniform(0.0, 0.9, 60)
        bounds = [
            upper_bound(OnlineInstance(core, scale * share * core.deadlines, 1e9))
            for scale in (0.0, 0.3, 0.6, 0.9, 1.0)
        ]
        assert np.diff(bounds).max() <= 1e-9
        assert bounds[0] > bounds[-1]


class TestCapped:
    @pytest.mark.parametrize("name", sorted(SPECIAL))
    def test_between_the_fractional_bound_and_what_can_be_done(self, name):
        problem = SPECIAL[name]
        found = make_solver("hindsight", moves=1_000).solve(problem, seed=0)
        total = found.schedule.total_accuracy
        bound = run_bound(bound_for(problem, "capped"), problem, "capped")
        assert total * (1 - 1e-9) <= bound <= upper_bound(problem) * (1 + 1e-9)

    @pytest.mark.parametrize("seed", range(4))
    def test_no_optimum_is_above_it(self, seed):
        problem = draw_online(seed, n=5, m=2, rho=0.1, segments=2)
        assert capped_bound(problem) >= release_mip(problem) * (1 - 1e-6)

    def test_by_hand(self):
        # Within 0.5 s the faster machine does 1 GFLOP of 4, both together 1.5: 0.25, not 0.375.
        core = Instance([2.0, 1.0], [1.0, 1.0], [1.0], [[0.0, 4.0]], [[0.0, 1.0]], 100.0)
        problem = OnlineInstance(core, np.array([0.5]), 1.0)
        assert upper_bound(problem) == pytest.approx(0.375)
        assert capped_bound(problem) == pytest.approx(0.25)
        assert capped_bound(core) == pytest.approx(0.5)


def test_least_prices_by_brute_force():
    rng = np.random.default_rng(3)
    for cells in (1, 2, 5, 16, 33):
        price = rng.random(cells)
        first = rng.integers(0, cells, 40)
        end = first + 1 + (rng.random(40) * (cells - first)).astype(np.int64)
        expected = [price[a:b].min() for a, b in zip(first, end, strict=True)]
        assert least_prices(first, end, price).tolist() == expected


def test_the_command_tells_it(tmp_path, capsys):
    problem = draw_online(1)
    assert has_relaxation(problem)
    path = tmp_path / "online.json"
    write_instance(problem, path)
    assert command(["bound", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["total_accuracy"] == pytest.approx(interval_lp(problem), **EXACT)
    assert command(["bound", str(path), "--method", "columns"]) == 2
    assert "'columns' does not know; those that do: capped, fractional" in capsys.readouterr().err
