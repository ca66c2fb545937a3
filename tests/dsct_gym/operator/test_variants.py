"""The commands on files of variants: they work, or refuse in one line."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dsct_gym.cli import run
from dsct_gym.files import write_instance
from dsct_gym.generator import generate
from dsct_gym.loading import load
from dsct_gym.online import OnlineInstance
from dsct_gym.operator.changes import with_budget, with_copy, with_deadlines, without_machine
from dsct_gym.operator.overview import describe
from dsct_gym.operator.sweep import clusters, sweep
from dsct_gym.points.generator import draw_points
from dsct_gym.relaxation import upper_bound
from dsct_gym.soft.toy import soft_toy, whole_toy

PLAIN = generate(8, 3, rho=0.6, seed=4)
PROBLEMS = {
    "points": draw_points(PLAIN, 3),
    "arrivals": OnlineInstance(PLAIN, 0.5 * PLAIN.deadlines, PLAIN.horizon),
    "soft": soft_toy(),
    "whole": whole_toy(),
}


@pytest.fixture(params=[*PROBLEMS])
def problem(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_instance(PROBLEMS[request.param], "i.json")
    return load("i.json")


def test_sweep_and_describe_work(problem, capsys):
    assert run(["describe", "i.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["needs"] == sorted(problem.needs)
    arguments = ["sweep", "i.json", "--steps", "2", "--solver", "auto", "--time-limit", "0.03"]
    assert run([*arguments, "--without-machine", "0", "--json", "--energy", "50%:100%"]) == 0
    points = json.loads(capsys.readouterr().out)["points"]
    assert len(points) == 4
    assert all(point["value"] <= point["bound"] + 1e-6 for point in points)
    assert run([*arguments, "--deadlines", "1:2"]) == 0


def test_explain_works_or_refuses_in_one_line(problem, capsys):
    status = run(["explain", "i.json"])
    captured = capsys.readouterr()
    if problem.needs <= {"points", "arrivals"}:
        assert (status, captured.err) == (0, "")
        return
    assert status == 2
    (need,) = problem.needs
    assert captured.err.startswith(f"Error: instance: has {need}, which 'explain' does not know")
    assert captured.err.count("\n") == 1


def test_without_a_solver_one_is_found(problem, capsys):
    assert run(["solve", "i.json", "--time-limit", "0.1", "--json", "--csv", "s.csv"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["solver"] == "auto"
    assert told["remark"]


@pytest.mark.parametrize("name", [*PROBLEMS])
def test_a_budget_is_the_problems(name):
    problem = PROBLEMS[name]
    half = 0.5 * problem.core.energy_budget
    assert with_budget(problem, half).core.energy_budget == half
    assert getattr(with_budget(problem, half), "budget", half) == half


def test_deadlines_with_arrivals_are_later_from_their_arrivals():
    problem = PROBLEMS["arrivals"]
    later = with_deadlines(problem, 3.0)
    assert later.core.deadlines == pytest.approx(problem.arrivals + 1.5 * PLAIN.deadlines)
    assert np.array_equal(later.arrivals, problem.arrivals)


def test_the_bound_of_arrivals_is_that_of_arrivals():
    problem = PROBLEMS["arrivals"]
    fewer = OnlineInstance(
        replace(
            PLAIN,
            speeds=PLAIN.speeds[1:],
            efficiencies=PLAIN.efficiencies[1:],
        ),
        problem.arrivals,
        problem.horizon,
    )
    points = list(sweep(clusters(problem, without=["0"])))
    assert points[1].bound == upper_bound(fewer) == upper_bound(without_machine(problem, 0))
    assert points[0].bound == upper_bound(problem)
    assert with_copy(problem, 1).core.speeds[3] == PLAIN.speeds[1]


def test_soft_deadlines_cut_nothing():
    told = describe(soft_toy())
    assert told.cut_by_deadlines is None
    assert told.budget == soft_toy().budget


def test_no_budget_is_no_limit(tmp_path, capsys):
    assert describe(whole_toy()).budget == np.inf
    write_instance(whole_toy(), tmp_path / "w.json")
    assert run(["describe", str(tmp_path / "w.json")]) == 0
    assert "energy budget  no limit\n" in capsys.readouterr().out
