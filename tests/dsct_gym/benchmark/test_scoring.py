import csv
import io
from dataclasses import asdict, replace

import numpy as np
import pytest

from dsct_gym import allocate, generate, make_solver
from dsct_gym.benchmark.execution import run_job
from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.record import (
    Record,
    Status,
    jain_index,
    mean_slack,
    records_as_csv,
    tolerance_of,
)
from dsct_gym.benchmark.scoring import (
    gaps_to_best,
    panel,
    references_of,
    refuted_bounds,
    score,
    yardsticks,
)
from dsct_gym.benchmark.spec import Spec
from dsct_gym.suites.suite import load_suite
from records import record


class TestRecord:
    def test_gap_is_to_the_lesser_bound(self):
        assert record("a", "x", 6.0).gap == pytest.approx(0.25)
        proven = record("a", "x", 6.0, proven_bound=7.5)
        assert proven.gap == pytest.approx(0.2)
        assert proven.has_own_bound
        loose = record("a", "x", 6.0, proven_bound=9.0)
        assert loose.gap == pytest.approx(0.25)
        assert not loose.has_own_bound

    def test_energy_share_of_no_budget_is_nil(self):
        assert record("a", "x", 6.0).energy_share == 0.75
        assert record("a", "x", 6.0, energy=0.0, energy_budget=0.0).energy_share == 0.0

    def test_csv_holds_every_field(self):
        kept = record("a", "x,y", 6.0)
        (row,) = csv.DictReader(io.StringIO(records_as_csv([kept])))
        assert row.keys() == asdict(kept).keys()
        assert (row["solver"], float(row["total_accuracy"])) == ("x,y", 6.0)

    def test_fairness(self):
        assert jain_index(np.array([0.5, 0.5, 0.5])) == pytest.approx(1.0)
        assert jain_index(np.array([1.0, 0.0, 0.0, 0.0])) == pytest.approx(0.25)
        assert jain_index(np.array([1.0, 0.5])) == pytest.approx(2.25 / 2.5)
        assert jain_index(np.zeros(3)) == 1.0

    def test_slack(self):
        instance = generate(6, 2, seed=3)
        assert mean_slack(allocate(instance, np.full(6, -1))) == 0.0
        schedule = allocate(instance, np.array([0, 1, 0, 1, 0, -1]))
        left = [
            1.0 - schedule.finish[j] / instance.deadlines[j]
            for j in range(6)
            if schedule.work[j] > 0.0
        ]
        assert mean_slack(schedule) == pytest.approx(sum(left) / len(left), abs=1e-12)


class TestScore:
    def test_by_hand(self):
        records = [
            record("a", "x", 6.0, seconds=1.0, slack=0.2),
            record("b", "x", 4.0, seconds=3.0, energy=1.0, slack=0.4),
            record("a", "y", 7.5, proven_bound=7.5),
            record("b", "y", 4.0, proven_bound=5.0),
        ]
        x, y = score(records)
        assert (x.solver, x.instances, x.runs, x.failures, x.optimal) == ("x", 2, 2, 0, 0)
        assert x.mean_accuracy.mean == pytest.approx(0.5)
        # Instance a is proven to reach 7.5 at most, b 5, whoever proved it.
        assert x.gap == pytest.approx((1.5 / 7.5 + 1.0 / 5.0) / 2)
        assert x.gap_to_best.mean == pytest.approx((1.5 / 7.5 + 0.0) / 2)
        assert x.energy_share == pytest.approx((0.75 + 0.25) / 2)
        assert x.slack == pytest.approx(0.3)
        assert x.seconds == 2.0
        assert (y.solver, y.optimal) == ("y", 1)
        assert y.gap == pytest.approx(0.1)

    def test_instances_count_the_same_however_many_seeds(self):
        records = [
            record("a", "x", 6.0, seed=0),
            record("a", "x", 4.0, seed=1),
            record("b", "x", 8.0, seed=0),
        ]
        (x,) = score(records)
        assert (x.instances, x.runs) == (2, 3)
        assert x.mean_accuracy.mean == pytest.approx((0.5 + 0.8) / 2)

    def test_failures_count_as_they_stand(self):
        failed = record("a", "x", 0.0, status=Status.FAILED, message="no")
        (x,) = score([failed, record("b", "x", 8.0)])
        assert (x.failures, x.gap) == (1, 0.5)

    def test_yardsticks(self):
        records = [record("a", "x", 6.0), record("a", "y", 6.5, proven_bound=7.0)]
        known = yardsticks(records)["a"]
        assert (known.best, known.bound) == (6.5, 7.0)

    def test_a_bound_that_a_schedule_exceeds_does_not_count(self):
        liar = record("a", "x", 5.0, proven_bound=5.0)
        records = [liar, record("a", "y", 6.0)]
        assert yardsticks(records)["a"].bound == 8.0
        assert refuted_bounds(records) == [liar]

    def test_values_below_nothing(self):
        """Idleness costs 5; the bound of -1 is reached exactly by one, missed by the other."""
        soft = {"floor": -5.0, "fractional_bound": -0.5, "needs": ("soft",)}
        reached = record("a", "x", 4.0, value=-1.0, proven_bound=-1.0, **soft)
        missed = record("a", "y", 6.0, value=-3.0, **soft)
        records = [reached, missed]
        assert refuted_bounds(records) == []
        known = yardsticks(records)["a"]
        assert (known.best, known.bound, known.floor, known.gap) == (-1.0, -1.0, -5.0, 0.0)
        x, y = score(records)
        assert (x.gap, x.gap_to_best.mean, x.optimal) == (0.0, 0.0, 1)
        assert (y.gap, y.gap_to_best.mean, y.optimal) == (0.5, 0.5, 0)
        assert (reached.gap, missed.gap) == (0.0, pytest.approx(2.5 / 4.5))
        # Accuracy is a measure like others here: who has more of it may be worth less.
        assert y.mean_accuracy.mean > x.mean_accuracy.mean

    def test_a_negative_bound_that_a_schedule_exceeds(self):
        liar = record("a", "x", 5.0, value=-3.0, floor=-5.0, proven_bound=-2.0)
        better = record("a", "y", 5.0, value=-1.9, floor=-5.0)
        assert refuted_bounds([liar, better]) == [liar]
        assert yardsticks([liar, better])["a"].bound == 8.0

    def test_rounding_refutes_nothing_whatever_the_sign(self):
        loose = {"fractional_bound": 2e6, "floor": -1e7}
        for value in (-1.0, 0.0, 1.0, -1e6, 1e6):
            near = record("a", "x", 0.0, value=value, proven_bound=value - 1e-8, **loose)
            assert refuted_bounds([near]) == []
            far = record("a", "x", 0.0, value=value, proven_bound=value - 1.0, **loose)
            assert refuted_bounds([far]) == [far]

    def test_all_bounds_refuted(self):
        """What is known then is the best alone; nothing is lost, and the forgery is named."""
        records = [
            record("a", "x", 9.0, fractional_bound=8.0),
            record("a", "y", 6.0, fractional_bound=8.0),
        ]
        assert refuted_bounds(records) == records
        known = yardsticks(records)["a"]
        assert (known.best, known.bound, known.gap) == (9.0, 9.0, 0.0)
        assert [row.gap for row in score(records)] == pytest.approx([0.0, 1 / 3])

    def test_references_of_suites_count(self):
        suite = load_suite("tiny")
        instance = suite[0]
        label = str(instance.name)
        found = references_of({label: instance, "tiny-x": suite[0:2][1], "b": instance})
        assert list(found) == [label, "tiny-x"]
        assert found["tiny-x"].instance.name != label
        low = record(label, "x", 0.5 * suite.references[0].total_accuracy, fractional_bound=1e3)
        known = yardsticks([low], found)[label]
        assert known.best == suite.references[0].total_accuracy
        assert known.bound == suite.references[0].upper_bound

    def test_panel(self):
        records = [record("a", "x", 6.0), record("b", "y", 3.0), record("b", "x", 4.0)]
        gaps = gaps_to_best(records, yardsticks(records))
        assert (gaps.solvers, gaps.instances) == (("x", "y"), ("a", "b"))
        np.testing.assert_allclose(gaps.values, [[0.0, 0.0], [np.nan, 0.25]])
        assert panel(records, lambda r: r.total_accuracy).row("x").tolist() == [6.0, 4.0]

    def test_nothing_gives_nothing(self):
        assert score([]) == []


class TestProven:
    """One meaning: the solver's own bound, to the solver's own tolerance."""

    def test_who_proves_to_its_tolerance_has_proved(self):
        near = record("a", "exact", 6.0, proven_bound=6.0 * (1.0 + 0.9e-5))
        assert near.proven
        assert not replace(near, proven_bound=6.0 * (1.0 + 2e-5)).proven
        assert replace(near, proven_bound=6.0 * (1.0 + 2e-5), tolerance=1e-4).proven

    def test_who_reaches_what_another_proved_has_not(self):
        exact = record("a", "exact", 6.0, proven_bound=6.0 + 5e-5)
        annealing = record("a", "annealing", 6.0 + 4e-5, proven_bound=8.0)
        greedy = record("a", "greedy", 6.0 + 4e-5)
        found = {row.solver: row.optimal for row in score([exact, annealing, greedy])}
        assert found == {"exact": 1, "annealing": 0, "greedy": 0}

    def test_a_bound_that_others_refute_proves_nothing(self):
        liar = record("a", "liar", 5.0, proven_bound=5.0)
        assert liar.proven
        assert score([liar, record("a", "x", 6.0)])[0].optimal == 0

    def test_what_failed_has_proved_nothing(self):
        failed = record("a", "x", 0.0, status=Status.FAILED, proven_bound=0.0)
        assert score([failed])[0].optimal == 0

    @pytest.mark.parametrize(
        ("name", "options", "tolerance"),
        [
            ("exact", {}, 1e-5),
            ("exact", {"tolerance": 1e-3}, 1e-3),
            ("exact", {"tolerance": 1e-8}, 1e-5),
            ("mip", {}, 1e-5),
            ("mip", {"relative_gap": 0.02}, 0.02),
            ("mip", {"smooth": True}, 1e-4),
            ("annealing", {}, 1e-5),
        ],
    )
    def test_the_tolerance_is_the_solvers(self, name, options, tolerance):
        assert tolerance_of(make_solver(name, **options)) == tolerance

    @pytest.mark.parametrize("claimed", [None, "much", 2.0, -1.0, float("nan"), True])
    def test_a_tolerance_that_is_none(self, claimed):
        class Foreign:
            tolerance = claimed

        assert tolerance_of(Foreign()) == 1e-5

    def test_runs_carry_it(self):
        instance = load_suite("tiny")[0]
        spec = Spec("exact", {"tolerance": 0.3, "threads": 1})
        found = run_job(Job("tiny-00", instance, spec, 5.0, 0)).record
        assert found is not None
        assert found.tolerance == 0.3
        assert found.proven


def test_a_run_without_schedule_is_not_the_fairest():
    failed = record("a", "x", 0.01, status=Status.FAILED, fairness=1.0)  # as 0.1.0 wrote it
    x, y = score([failed, record("b", "x", 6.0, fairness=0.8), record("a", "y", 6.0)])
    assert x.fairness == pytest.approx(0.4)
    assert y.fairness == 0.9
    instance = generate(4, 2, seed=1)
    told = {"label": "a", "solver": "x", "fractional_bound": 1.0, "seed": 0, "time_limit": None}
    new = Record.without_schedule(instance, Status.TIMEOUT, "late", seconds=1.0, **told)
    assert new.fairness == 0.0
