"""`mirror-descent` on an example worked out by hand."""

import math

import pytest

from arriving import by_hand
from dsct_gym import make_solver


def test_prices_follow_use() -> None:
    # 1/4 of accuracy a GFLOP; energy and time begin at 0.1 a GFLOP each: the first task runs in
    # full. It takes 0.4 of both; 0.2 come in until the second comes, so prices have risen by
    # exp(0.2 step) = 1.5, to 0.3 together: nothing. At 4 they are where they began.
    problem = by_hand([0.0, 2.0, 4.0], [50.0] * 3, [4.0] * 3, budget=10.0, horizon=10.0)
    rule = make_solver("mirror-descent", start=0.4, step=math.log(1.5) / 0.2)
    assert rule.solve(problem).schedule.work == pytest.approx([4.0, 0.0, 4.0])
    # Rising by 1.2 only, to 0.24, the second runs too; then it is 0.4 ahead: 0.2 · 1.2^2 = 0.288.
    slower = make_solver("mirror-descent", start=0.4, step=math.log(1.2) / 0.2)
    assert slower.solve(problem).schedule.work == pytest.approx([4.0, 4.0, 0.0])
