import numpy as np
import pytest
from scipy.stats import binom, norm

from dsct_gym.benchmark.panel import Panel
from dsct_gym.benchmark.statistics import (
    best_so_far,
    compare_pairs,
    holm,
    mean_interval,
    profile,
    ratio_interval,
)


def panel(**rows: list[float]) -> Panel:
    values = np.array(list(rows.values()))
    return Panel(tuple(rows), tuple(map(str, range(values.shape[1]))), values)


class TestInterval:
    def test_agrees_with_the_normal_one_on_a_large_sample(self):
        values = np.random.default_rng(1).normal(3.0, 2.0, 2000)
        found = mean_interval(values)
        error = norm.ppf(0.975) * values.std() / np.sqrt(values.size)
        assert found.mean == pytest.approx(values.mean())
        assert found.high - found.mean == pytest.approx(error, rel=0.1)
        assert found.mean - found.low == pytest.approx(error, rel=0.1)

    @pytest.mark.parametrize("values", [[2.0], [2.0, 2.0, 2.0]])
    def test_of_no_spread_is_a_point(self, values):
        found = mean_interval(np.array(values))
        assert (found.mean, found.low, found.high) == (2.0, 2.0, 2.0)

    @pytest.mark.parametrize(("zeros", "ones"), [(3, 1), (4, 2), (4, 1)])
    def test_is_the_percentile_interval_by_hand(self, zeros, ones):
        """Of zeros and ones a resample's sum is binomial, so the percentiles are known exactly.

        The basic interval would be their mirror image, the bias-corrected one another again.
        """
        size = zeros + ones
        low, high = binom.ppf([0.025, 0.975], size, ones / size) / size
        values = np.array([0.0] * zeros + [1.0] * ones)
        for found in (mean_interval(values), ratio_interval(values[None], np.ones(size))):
            assert (found.low, found.high) == pytest.approx((low, high))

    def test_ratio_weighs_instances_by_what_there_was_to_get(self):
        found = ratio_interval(np.array([[1.0, 8.0]]), np.array([2.0, 8.0]))
        assert (found.mean, found.low, found.high) == pytest.approx((0.9, 0.5, 1.0))

    def test_repetitions_are_resampled_as_well(self):
        """Two repetitions that got nothing and all: a resample may hold one of them twice."""
        found = ratio_interval(np.array([[0.0] * 3, [1.0] * 3]), np.ones(3))
        assert (found.mean, found.low, found.high) == pytest.approx((0.5, 0.0, 1.0))

    def test_is_the_same_each_time(self):
        values = np.random.default_rng(2).random(20)
        assert mean_interval(values) == mean_interval(values)


class TestComparison:
    def test_ten_wins_of_ten(self):
        (found,) = compare_pairs(panel(x=[0.1 * k for k in range(10)], y=[1.0] * 10))
        assert (found.first, found.second, found.wins, found.losses) == ("x", "y", 10, 0)
        assert found.difference == pytest.approx(-0.55)
        # All signs alike: two of the 2^10 sign patterns are as extreme.
        assert found.p_value == pytest.approx(2 / 2**10)

    def test_ties_decide_nothing(self):
        (found,) = compare_pairs(panel(x=[0.5] * 5, y=[0.5] * 5))
        assert (found.wins, found.losses, found.p_value) == (0, 0, 1.0)

    def test_only_shared_instances_count(self):
        (found,) = compare_pairs(panel(x=[0.1, np.nan, 0.3], y=[0.2, 0.1, np.nan]))
        assert (found.instances, found.wins) == (1, 1)
        (none,) = compare_pairs(panel(x=[0.1, np.nan], y=[np.nan, 0.1]))
        assert (none.instances, none.p_value) == (0, 1.0)

    def test_pairs_in_order_and_corrected(self):
        found = compare_pairs(panel(x=list(np.arange(8.0)), y=[9.0] * 8, z=[10.0] * 8))
        assert [(c.first, c.second) for c in found] == [("x", "y"), ("x", "z"), ("y", "z")]
        assert all(c.p_value == pytest.approx(3 * 2 / 2**8) for c in found)

    def test_holm_by_hand(self):
        assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
        assert holm([0.9, 0.8]) == [1.0, 1.0]
        assert holm([]) == []


def test_profile_by_hand():
    gaps = np.array([0.0, 0.1, 0.1, np.nan, 0.4])
    assert profile(gaps, np.array([0.0, 0.1, 0.3, 0.4])).tolist() == [0.25, 0.75, 0.75, 1.0]
    assert np.isnan(profile(np.array([np.nan]), np.array([0.0]))).all()


def test_best_so_far_by_hand():
    trace = [(1.0, 5.0, 9.0), (2.0, None, 8.0), (3.0, 4.0, 8.0), (4.0, 6.0, 7.0)]
    times = np.array([0.5, 1.0, 2.5, 3.5, 4.0, 9.0])
    assert best_so_far(trace, times, 1.0).tolist() == [1.0, 5.0, 5.0, 5.0, 6.0, 6.0]
    assert best_so_far([], times[:2], 1.0).tolist() == [1.0, 1.0]
