"""`slackfit` on an example worked out by hand."""

import pytest

from arriving import by_hand
from dsct_gym import make_solver


def test_the_most_urgent_task_fills_its_slack() -> None:
    # Task 0 has 3 s for 4 GFLOP: level 7, until 2.8. Then task 2 is most urgent, with 1.3 s for 2:
    # level 6, until 4. Task 1 has 1 s left for 4: level 2. Task 3 was late before its turn came.
    problem = by_hand([0.0, 1.0, 1.0, 1.0], [3.0, 5.0, 4.1, 2.5], [4.0, 4.0, 2.0, 2.0])
    schedule = make_solver("slackfit").solve(problem).schedule
    assert schedule.work == pytest.approx([2.8, 0.8, 1.2, 0.0])
    assert schedule.start[:3] == pytest.approx([0.0, 4.0, 2.8])
