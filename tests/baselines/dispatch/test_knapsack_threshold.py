"""`knapsack-threshold` on an example worked out by hand."""

import pytest

from arriving import by_hand
from dsct_gym import make_solver


def test_energy_costs_more_the_more_of_it_is_spent() -> None:
    # Tasks of 4 GFLOP gain 1/4 a joule, those of 2 GFLOP 1/2. The first sees L = U = 1/4 and costs
    # 1/4 / e. From the second on U / L = 2, and the price is 1/4 / e (2 e)^z: 0.181 after 4 of 10
    # J, 0.254 after 6, so that the third is skipped, and 0.356 after 8.
    problem = by_hand([0.0, 5.0, 9.0, 15.0, 20.0], [50.0] * 5, [4.0, 2.0, 4.0, 2.0, 2.0], budget=10)
    works = make_solver("knapsack-threshold").solve(problem).schedule.work
    assert works == pytest.approx([4.0, 2.0, 0.0, 2.0, 2.0])
