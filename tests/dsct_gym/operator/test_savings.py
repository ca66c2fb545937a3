"""Least energies against linear programmes, sweeps against their points one by one."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from cases import CASES
from dsct_gym.cli import run
from dsct_gym.generator import generate
from dsct_gym.instance import Instance
from dsct_gym.operator.changes import with_ample_budget, with_budget
from dsct_gym.operator.machines import Machine
from dsct_gym.operator.picture import draw_curve
from dsct_gym.operator.savings import LOSSES, Reference, least_energy, savings
from dsct_gym.operator.sweep import clusters, points_as_csv, read_steps, sweep
from dsct_gym.points.generator import draw_points
from dsct_gym.relaxation import relax, upper_bound
from dsct_gym.schedule import Schedule
from dsct_gym.solver import make_solver
from dsct_gym.units import ENERGY
from truth import linear_programme


def cheapest(instance: Instance, target: float) -> float:
    """The least energy of the linear programme at a total accuracy."""
    programme = linear_programme(with_ample_budget(instance))
    matrix = programme.matrix
    energy = matrix[[-1], :].toarray()[0]
    gain = csr_array(programme.cost[None, :])
    solved = linprog(
        energy,
        A_ub=vstack([matrix[:-1], gain]),
        b_ub=np.append(programme.rhs[:-1], programme.constant - target),
        bounds=np.stack([np.zeros_like(programme.upper), programme.upper], axis=1),
        method="highs",
    )
    assert solved.status == 0
    return float(solved.fun) * with_ample_budget(instance).energy_budget


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("share", [0.3, 0.8, 0.99])
def test_least_energy_is_that_of_the_linear_programme(seed, share):
    instance = generate(15, 3, rho=0.5, beta=0.6, seed=seed)
    base = float(instance.base_accuracy.sum())
    target = base + share * (upper_bound(instance) - base)
    assert least_energy(instance, target) == pytest.approx(cheapest(instance, target), rel=1e-6)


@pytest.mark.parametrize("name", [*CASES])
def test_least_energy_is_enough_and_no_less_is(name):
    instance = CASES[name]
    base, best = float(instance.base_accuracy.sum()), upper_bound(instance)
    for share in (0.0, 0.5, 0.95, 1.0):
        target = base + share * (best - base)
        least = least_energy(instance, target)
        assert least is not None
        assert least <= instance.energy_budget
        tolerance = 1e-8 * max(1.0, best)
        assert upper_bound(with_budget(instance, least)) >= target - tolerance
        assert upper_bound(with_budget(instance, 0.999 * least)) <= target + tolerance
    assert least_energy(instance, best + 0.01) is None


def test_savings_by_hand():
    """One machine, 1 GFLOP/J: the first half of the accuracy costs 10 J, the second 30 J."""
    instance = Instance([10.0], [1.0], [100.0], [[0, 10, 40]], [[0, 0.4, 0.8]], 1000.0)

    def solve(problem: Instance) -> Schedule:
        return make_solver("approx-refined").solve(problem).schedule

    reference = Reference.of(instance, solve)
    assert (reference.bound, reference.bound_energy, reference.energy) == (0.8, 40.0, 40.0)
    same, half, nothing = savings(instance, reference, (0.0, 0.5, 1.0), solve)
    assert (same.bound_energy, same.bound_saved) == (pytest.approx(40.0), pytest.approx(0.0))
    assert half.bound_energy == pytest.approx(10.0)
    assert half.bound_saved == pytest.approx(0.75)
    assert half.energy == pytest.approx(10.0, rel=2e-3)
    assert nothing.bound_saved == 1.0


@pytest.mark.parametrize("clocks", [False, True])
def test_a_solver_saves_what_its_schedules_save(clocks):
    plain = generate(25, 3, beta=0.6, seed=5)
    problem = draw_points(plain, 3) if clocks else plain
    found = []

    def solve(changed) -> Schedule:
        schedule = make_solver("descent").solve(changed).schedule
        found.append((schedule.energy, schedule.total_accuracy))
        return schedule

    reference = Reference.of(problem, solve)
    for saving in savings(problem, reference, LOSSES, solve):
        goal = (1.0 - saving.loss) * reference.value
        enough = [energy for energy, accuracy in found if accuracy >= goal - 1e-8]
        assert saving.energy in enough
        assert saving.energy >= least_energy(problem, goal) * (1 - 1e-9)
        # Less than 2 % above what no schedule can do without, with 25 tasks.
        assert saving.energy <= 1.05 * least_energy(problem, goal) or saving.loss == 0.0


def test_points_are_the_problems_one_by_one():
    instance = generate(10, 2, seed=2)
    alternatives = clusters(instance, {"box": [Machine("box", 9000.0, 90.0)]}, ["0"])
    assert list(alternatives) == ["as it is", "with box", "without machine 0"]
    budgets = [0.5 * instance.energy_budget, instance.energy_budget]
    points = list(sweep(alternatives, budgets=budgets))
    assert [(point.machines, point.budget) for point in points] == [
        (name, budget) for name in alternatives for budget in budgets
    ]
    larger = Instance(
        np.append(instance.speeds, 9000.0),
        np.append(instance.efficiencies, 100.0),
        instance.deadlines,
        instance.work,
        instance.accuracy,
        budgets[0],
    )
    assert points[2].bound == upper_bound(larger)
    assert points[2].mean_bound == upper_bound(larger) / 10
    assert points[2].energy_price == relax(larger).energy_price
    later = replace(instance, deadlines=2.0 * instance.deadlines)
    (moved,) = sweep({"x": instance}, deadlines=[2.0])
    assert moved.bound == upper_bound(later)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("10%:100%", [20.0, 110.0, 200.0]),
        ("50J:0.1Wh", [50.0, 205.0, 360.0]),
        ("1kJ", [1000.0]),
    ],
)
def test_steps(text, numbers):
    assert read_steps(text, 3, 200.0, ENERGY, "--energy") == pytest.approx(numbers)


@pytest.mark.parametrize("text", ["", "1:2:3", "0:5", "5%:-1", "x:1", "1ms:2ms", "nan:1"])
def test_steps_are_refused_in_one_line(text, capsys):
    assert run(["sweep", "tiny-00", "--energy", text]) == 2
    err = capsys.readouterr().err
    assert err.startswith("Error: --energy: ")
    assert err.count("\n") == 1


def test_tables_and_pictures():
    instance = generate(10, 2, seed=2)
    points = list(sweep(clusters(instance), budgets=[1.0, 2.0]))
    rows = list(csv.DictReader(io.StringIO(points_as_csv(points, 10))))
    assert [float(row["budget_J"]) for row in rows] == [1.0, 2.0]
    assert float(rows[0]["bound_mean_accuracy"]) == points[0].mean_bound
    assert rows[0]["mean_accuracy"] == ""
    figure = draw_curve(points, title="$x_{", solver=None)
    assert figure.axes[0].get_xlabel() == "energy (J)"
    assert list(figure.axes[0].lines[0].get_ydata()) == [point.mean_bound for point in points]


class TestCommand:
    def test_json_holds_the_answers(self, capsys, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        arguments = [
            "sweep",
            "tiny-03",
            "--steps",
            "4",
            "--add-machine",
            "T4",
            "--energy",
            "25%:100%",
        ]
        assert run([*arguments, "--json", "-o", "t.csv", "--plot", "t.png"]) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        told = json.loads(captured.out)
        assert [point["machines"] for point in told["points"]] == ["as it is"] * 4 + ["with T4"] * 4
        assert all(point["value"] <= point["bound"] + 1e-9 for point in told["points"])
        assert [saving["loss"] for saving in told["savings"]["as it is"]] == [*LOSSES]
        assert len(Path("t.csv").read_text().splitlines()) == 9
        assert Path("t.png").read_bytes().startswith(b"\x89PNG")
        assert run(arguments) == 0
        assert "energy saved by" in capsys.readouterr().out

    def test_what_there_is_is_told_when_it_is_cut_short(self, capsys, monkeypatch):
        from dsct_gym.operator import sweep as module

        solved = []

        def impatient(*arguments):
            solved.append(arguments)
            if len(solved) == 3:
                raise KeyboardInterrupt
            return point(*arguments)

        point = module._point
        monkeypatch.setattr(module, "_point", impatient)
        assert run(["sweep", "tiny-00", "--json"]) == 130
        told = json.loads(capsys.readouterr().out)
        assert (len(told["points"]), told["savings"]) == (2, {})

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--energy", "1%", "--deadlines", "1:2"], "--deadlines: cannot be swept together"),
            (["--add-machine", "T44"], "--add-machine: no device 'T44'; did you mean T4"),
            (["--without-machine", "x"], "--without-machine: no machine 'x'; there are machine 0"),
            (["--solver", "gredy"], "solver: no solver 'gredy'; did you mean greedy"),
            (["--steps", "1"], "Invalid value for '--steps'"),
            (["-o", "missing/x.csv"], "--output: there is no folder missing"),
            (["--plot", "x.gif"], "--plot: x.gif must end in .png"),
        ],
    )
    def test_refuses(self, capsys, arguments, message):
        assert run(["sweep", "tiny-00", *arguments]) == 2
        err = capsys.readouterr().err
        assert err.startswith(f"Error: {message}")
        assert err.count("\n") == 1

    def test_a_solver_that_does_not_know_the_problem_is_refused(self, capsys):
        assert run(["sweep", "dvfs-00", "--solver", "rl"]) == 2
        err = capsys.readouterr().err
        assert err.startswith("Error: instance: has points, which 'rl' does not know; those that")
        assert err.count("\n") == 1
