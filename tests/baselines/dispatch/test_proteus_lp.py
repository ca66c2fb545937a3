"""`proteus-lp`: its programme solved by hand, and what comes of it."""

import numpy as np
import pytest

from dsct_gym.baselines.dispatch.proteus_lp import ProteusLp
from dsct_gym.instance import Instance
from dsct_gym.online import OnlineInstance
from dsct_gym.online.known import Known


class Watched(ProteusLp):
    """The rule, with its shares noted down."""

    def shares(self, known: Known) -> np.ndarray:
        found = super().shares(known)
        self.seen = [*getattr(self, "seen", []), found]
        return found


@pytest.mark.parametrize(
    ("budget", "shares", "works"),
    [
        # Two tasks in 10 s; levels of 2 and 10 GFLOP, half and all of the gain, on 1 GFLOP/s:
        # 0.4 z_1 + 2 z_2 = 1 and z_1 + z_2 = 1.
        (100.0, [0.625, 0.375, 0.0], [10.0, 2.0]),
        # After 10 J, 1.8 are left for 9 s at 0.2 tasks a second: 3.6 z_1 + 18 z_2 = 1.8.
        (11.8, [0.5, 0.0, 0.5], [10.0, 1.8 // 2 * 2]),
    ],
)
def test_shares_solve_the_programme(budget: float, shares: list, works: list) -> None:
    curve, gain = [[0.0, 2.0, 10.0]] * 2, [[0.0, 0.5, 1.0]] * 2
    core = Instance([1.0], [1.0], [60.0, 61.0], curve, gain, budget)
    rule = Watched(every=0.0, window=1.0, headroom=1.0, levels=2)
    schedule = rule.solve(OnlineInstance(core, np.array([0.0, 1.0]), 10.0)).schedule
    assert rule.seen[-2] == pytest.approx([0.0, 1.0, 0.0])  # 0.1 tasks a second: all in full
    assert rule.seen[-1] == pytest.approx(shares)
    assert schedule.work == pytest.approx(works)
