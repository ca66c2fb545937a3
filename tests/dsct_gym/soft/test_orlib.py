"""The reader of weighted tardiness files."""

from pathlib import Path

import numpy as np
import pytest

from dsct_gym import load
from dsct_gym.cli import run as command
from dsct_gym.errors import InputError
from dsct_gym.schedule import measures
from dsct_gym.soft.orlib import read_weighted_tardiness
from dsct_gym.soft.sequences import run_in_order

WT40 = Path(__file__).parents[2] / "data" / "wt40.txt"


def test_numbers_by_hand(tmp_path):
    path = tmp_path / "jobs.txt"
    path.write_text("# two problems\n3 2\n1 5 4\n0\n1 1 1\n1 9 9\n", encoding="utf-8")
    problem = read_weighted_tardiness(path, 1, tasks=2)
    assert problem.core.max_work.tolist() == [3.0, 2.0]
    assert problem.weights.tolist() == [1.0, 5.0]
    assert problem.core.deadlines.tolist() == [4.0, 1e-9]
    assert problem.whole.all()
    # Job 1 ends at 2, 2 late at weight 5; job 0 at 5, 1 late.
    schedule = run_in_order(problem, np.array([0, 0]), np.array([1, 0]))
    assert measures(schedule)["penalty"] == pytest.approx(11.0)
    assert schedule.verify()


def test_due_dates_are_divided_among_machines():
    one, two = (read_weighted_tardiness(WT40, 1, machines=m) for m in (1, 2))
    assert two.core.num_machines == 2
    assert np.array_equal(two.core.deadlines, one.core.deadlines // 2)
    assert two.name == "wt40-2m-1"


@pytest.mark.parametrize(
    ("text", "options", "fault"),
    [
        ("1 2", {"tasks": 1}, "2 numbers are no problems of 1 jobs"),
        ("", {"tasks": 1}, "0 numbers"),
        ("1 2 x", {"tasks": 1}, "'x' is no whole number"),
        ("1 2 -3", {"tasks": 1}, "'-3' is no whole number"),
        ("0 2 3", {"tasks": 1}, "processing time of job 0 is 0, below 1"),
        ("1 2 3", {"tasks": 1, "index": 2}, r"index: must be in 1..1, got 2"),
        ("1 2 3", {}, "tasks: needed"),
        ("1 2 3", {"tasks": 0}, "tasks: must be"),
        ("1 2 3", {"tasks": 1, "machines": 0}, "machines: must be"),
    ],
)
def test_faults(tmp_path, text, options, fault):
    path = tmp_path / "jobs.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=fault):
        read_weighted_tardiness(path, options.pop("index", 1), **options)


def test_command(tmp_path, capsys):
    output = tmp_path / "a.json"
    assert command(["orlib", str(WT40), "--index", "2", "-o", str(output)]) == 0
    assert load(output) == read_weighted_tardiness(WT40, 2)
    assert command(["orlib", str(tmp_path / "none.txt"), "-n", "3"]) == 2
    assert "none.txt" in capsys.readouterr().err
