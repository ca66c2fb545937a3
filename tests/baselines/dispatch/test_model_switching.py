"""`model-switching` on examples worked out by hand."""

import pytest

from arriving import by_hand
from dsct_gym import make_solver


@pytest.mark.parametrize(
    ("budget", "works"),
    [
        # 1, 2 and 3 tasks in 10 s, of 10 GFLOP on 1 GFLOP/s: in full, at half, at three tenths.
        (100.0, [10.0, 5.0, 3.0]),
        # After the first 3 J are left; 0.2 tasks a second of l GFLOP for 9 s need 1.8 l: level 1.
        # Then 2 J are left, and 0.3 l a second for 8 s need 2.4 l: no level, so the lowest.
        (13.0, [10.0, 1.0, 1.0]),
    ],
)
def test_the_level_follows_rate_and_energy(budget: float, works: list[float]) -> None:
    problem = by_hand([0.0, 1.0, 2.0], [50.0] * 3, [10.0] * 3, budget=budget, horizon=10.0)
    rule = make_solver("model-switching", headroom=1.0, window=1.0)
    assert rule.solve(problem).schedule.work == pytest.approx(works)
