"""Outside solvers: what is believed of them, and what is left when they die."""

import json
import math
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common import Executable
from pyomo.opt import SolverResults, SolverStatus, TerminationCondition

from dsct_gym import generate, make_solver, upper_bound
from dsct_gym.baselines import exact
from dsct_gym.baselines.milp import highs
from dsct_gym.baselines.milp.backend import Limits, Outcome
from dsct_gym.baselines.milp.claims import BLUR, believed, least_bound
from dsct_gym.baselines.milp.families import find_family
from dsct_gym.baselines.milp.model import build_model
from dsct_gym.baselines.mip import Mip
from dsct_gym.errors import InputError, SolverWarning
from dsct_gym.instance import Instance
from dsct_gym.solver import Solution

REAL = ["appsi_highs", "cbc", "glpk", "scip"]
SMALL = generate(8, 2, mu=8, rho=0.4, beta=0.4, segments=3, seed=3)


def solve(instance: Instance, name: str, limit: float = 20.0, **options: object) -> Solution:
    return make_solver("mip", solver=name, **options).solve(instance, time_limit=limit)


def real(name: str) -> str:
    try:
        make_solver("mip", solver=name)
    except InputError as missing:
        pytest.skip(str(missing))
    return name


@pytest.fixture(scope="module")
def optimum() -> float:
    return make_solver("exact", tolerance=1e-7).solve(SMALL).schedule.total_accuracy


# --- Solvers that are really there


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("seed", range(3))
def test_real_solvers_prove_what_exact_proves(name: str, seed: int) -> None:
    instance = generate(8 + seed, 2, mu=8, rho=0.4, beta=0.4, segments=3, seed=seed)
    truth = make_solver("exact", tolerance=1e-7).solve(instance).schedule.total_accuracy
    found = solve(instance, real(name), 60.0)
    assert found.schedule.total_accuracy == pytest.approx(truth, rel=2e-6)
    assert truth * (1 - 1e-9) <= found.upper_bound <= truth * (1 + 1e-5)


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("seed", range(2))
def test_bounds_of_real_solvers_hold_where_they_are_stopped(name: str, seed: int) -> None:
    instance = generate(20, 4, seed=seed)
    known = make_solver("exact").solve(instance, time_limit=20)
    found = solve(instance, real(name), 1.5)
    assert found.seconds < 4.0
    assert found.upper_bound >= known.schedule.total_accuracy * (1 - 1e-9)
    assert found.upper_bound <= upper_bound(instance)
    if name != "glpk":  # which has no bound to tell
        assert found.upper_bound < upper_bound(instance) * (1 - 1e-3)


@pytest.mark.parametrize("name", REAL)
def test_real_solvers_survive_a_start_with_many_columns(name: str) -> None:
    # CBC 2.10 dies here on a start with its own preprocessing.
    instance = generate(15, 5, mu=8, rho=0.4, beta=0.4, seed=6)
    real(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error", SolverWarning)
        found = solve(instance, name, 2.0, start="approx-refined")
    start = make_solver("approx-refined").solve(instance).schedule
    assert found.schedule.total_accuracy >= start.total_accuracy


@pytest.mark.parametrize("name", REAL)
def test_real_solvers_prove_smooth_curves(name: str) -> None:
    instance = generate(5, 2, mu=6, seed=5)
    found = solve(instance, real(name), 60.0, smooth=True)
    trusted = make_solver("mip", smooth=True).solve(instance)
    assert found.schedule.total_accuracy == pytest.approx(trusted.schedule.total_accuracy, rel=2e-4)
    assert found.upper_bound >= trusted.schedule.total_accuracy * (1 - 1e-9)
    assert found.upper_bound <= found.schedule.total_accuracy * (1 + 1.1e-4)


# --- What is believed


Answer = Callable[[SolverResults], None]


@contextmanager
def pyomo_solver(answer: Answer, name: str = "highs_pretended") -> Iterator[str]:
    """A solver in Pyomo's register that answers as told; to the backend it is a HiGHS."""

    @pyo.SolverFactory.register(name)
    class Pretended:
        def __init__(self, **_: object) -> None:
            self.options: dict[str, object] = {}

        def available(self, exception_flag: bool = True) -> bool:
            return True

        def solve(self, model: Any, **_: object) -> SolverResults:
            results = SolverResults()
            results.solver.status = SolverStatus.ok
            results.solver.termination_condition = TerminationCondition.maxTimeLimit
            answer(results)
            return results

    try:
        yield name
    finally:
        pyo.SolverFactory.unregister(name)


def stopped_with(lower_bound: float, name: str = "highs_pretended") -> Solution:
    """`mip` on a solver that was stopped by time with a lower bound of the minimisation."""

    def answer(results: SolverResults) -> None:
        results.problem.lower_bound = lower_bound

    with pyomo_solver(answer, name):
        return solve(SMALL, name)


def in_units(total: float) -> float:
    """What a total accuracy is in the minimisation that solvers are given."""
    model = build_model(SMALL)
    assert model is not None
    return -(total - model.base) / model.unit


def test_a_bound_between_schedule_and_relaxation_is_taken(optimum: float) -> None:
    between = 0.5 * (optimum + upper_bound(SMALL))
    assert stopped_with(in_units(between)).upper_bound == pytest.approx(between, rel=1e-12)


def test_a_bound_above_the_relaxation_is_not_taken() -> None:
    above = 1.1 * upper_bound(SMALL)
    assert stopped_with(in_units(above)).upper_bound == upper_bound(SMALL)


def test_what_a_schedule_refutes_is_not_taken(optimum: float) -> None:
    with pytest.warns(SolverWarning, match="claims the bound .* but a schedule reaches"):
        assert stopped_with(in_units(optimum * (1 - 1e-4))).upper_bound == upper_bound(SMALL)


def test_a_bound_with_the_wrong_sign_is_not_taken(optimum: float) -> None:
    with pytest.warns(SolverWarning, match="its bound is not taken"):
        assert stopped_with(-in_units(1.01 * optimum)).upper_bound == upper_bound(SMALL)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_bound(number: float) -> None:
    assert stopped_with(number).upper_bound == upper_bound(SMALL)


def test_a_solver_not_known_proves_nothing(optimum: float) -> None:
    found = stopped_with(in_units(1.001 * optimum), "nameless")
    assert found.upper_bound == upper_bound(SMALL)


def test_optimal_without_a_solution_proves_nothing(optimum: float) -> None:
    def answer(results: SolverResults) -> None:
        results.solver.termination_condition = TerminationCondition.optimal
        results.problem.lower_bound = results.problem.upper_bound = in_units(optimum)

    with pyomo_solver(answer) as name:
        assert solve(SMALL, name).upper_bound == upper_bound(SMALL)


@pytest.mark.parametrize(
    ("status", "condition"),
    [
        (SolverStatus.error, TerminationCondition.maxTimeLimit),
        (SolverStatus.unknown, TerminationCondition.optimal),
        (SolverStatus.warning, TerminationCondition.infeasible),
        (SolverStatus.warning, TerminationCondition.unbounded),
        (SolverStatus.ok, TerminationCondition.error),
        (SolverStatus.aborted, TerminationCondition.solverFailure),
        (SolverStatus.aborted, TerminationCondition.licensingProblems),
    ],
)
def test_an_end_that_proves_nothing(
    status: SolverStatus, condition: TerminationCondition, optimum: float
) -> None:
    def answer(results: SolverResults) -> None:
        results.solver.status = status
        results.solver.termination_condition = condition
        results.problem.lower_bound = in_units(1.001 * optimum)

    with pyomo_solver(answer) as name, pytest.warns(SolverWarning, match="it ended with"):
        found = solve(SMALL, name)
    assert found.upper_bound == upper_bound(SMALL)
    assert found.schedule.total_accuracy == pytest.approx(optimum, rel=1e-6)


def test_least_bound() -> None:
    assert least_bound(10.0, [], 9.0) == 10.0
    assert least_bound(10.0, [11.0, 9.5, 9.7], 9.0) == 9.5
    assert least_bound(10.0, [8.9, math.nan, -math.inf], 9.0) == 10.0
    assert least_bound(10.0, [9.0 * (1 - 0.5 * BLUR)], 9.0) == 9.0
    assert believed([9.0 * (1 - 2 * BLUR)], 9.0) == []
    assert believed([0.0], 0.0) == [0.0]


@pytest.mark.parametrize("status", ["kInfeasible", "kUnbounded", "kSolveError", "kNotset"])
def test_an_end_of_highs_that_proves_nothing(status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = getattr(highs.highspy.HighsModelStatus, status)
    monkeypatch.setattr(highs.highspy.Highs, "getModelStatus", lambda _: ended)
    with pytest.warns(SolverWarning, match="highs failed"):
        assert Mip().solve(SMALL).upper_bound == upper_bound(SMALL)
    with pytest.warns(SolverWarning, match="highs failed"):
        smooth = Mip(smooth=True).solve(generate(5, 2, seed=1))
    assert smooth.upper_bound >= smooth.schedule.total_accuracy


def test_smooth_bounds_that_a_schedule_refutes_are_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instance = generate(5, 2, mu=6, seed=5)
    solver = Mip(smooth=True)
    trusted = solver.solve(instance)
    monkeypatch.setattr(solver, "_backend", lambda *_: Outcome(bound=0.0))
    with pytest.warns(SolverWarning, match="its bound is not taken"):
        found = solver.solve(instance)
    assert found.upper_bound > trusted.upper_bound * (1 + 5e-4)


# --- What is left of a solver that dies


CBC = """#!/bin/sh
case "$*" in *-stop*) echo "Version: 2.10.8"; exit 0;; esac
touch {started}
{action}
"""


@pytest.fixture
def fake_cbc(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Puts a program in the place of CBC; returns the file that it touches once it runs."""

    def place(action: str) -> Path:
        started = tmp_path / "started"
        program = tmp_path / "cbc"
        program.write_text(CBC.format(started=started, action=action))
        program.chmod(0o755)
        Executable("cbc").set_path(str(program))
        return started

    yield place
    Executable("cbc").set_path(None)
    Executable("cbc").rehash()


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("exit 3", "return code"),
        ("kill -9 $$", "return code"),
        ("kill -ABRT $$", "return code"),
        ("echo gibberish; exit 0", "it ended with"),
        ("exec sleep 60", "did not stop in time"),
        ("echo 'Cbc0005I Partial search - best objective x (best possible y), took'", "cbc failed"),
    ],
)
def test_the_start_survives_a_solver_that_dies(
    action: str,
    reason: str,
    fake_cbc: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran = fake_cbc(action)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    instance = generate(12, 3, seed=2)
    solver = make_solver("mip", solver="cbc", start="greedy")
    with pytest.warns(SolverWarning, match=reason) as warned:
        solution = solver.solve(instance, time_limit=2.0)
    assert ran.exists()
    assert len(warned) == 1
    assert "\n" not in str(warned[0].message)
    greedy = make_solver("greedy").solve(instance).schedule
    assert solution.schedule.total_accuracy == greedy.total_accuracy
    assert solution.upper_bound == upper_bound(instance)
    assert solution.seconds < 6.0
    assert not list(scratch.iterdir())


def test_a_false_log_proves_nothing(fake_cbc: Callable[[str], Path]) -> None:
    fake_cbc(
        "echo ' Result - Stopped on time limit'\n"
        "echo 'Cbc0005I Partial search - best objective -1 (best possible -1.0001), "
        "took 5 iterations and 7 nodes (1.0 seconds)'"
    )
    with pytest.warns(SolverWarning, match="its bound is not taken"):
        assert solve(SMALL, "cbc").upper_bound == upper_bound(SMALL)


def test_the_compact_programme_may_die(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> Outcome:
        raise MemoryError("no room")

    instance = generate(12, 3, mu=10, rho=0.4, beta=0.5, seed=1)
    exact.Exact().warm_up()
    monkeypatch.setattr(exact, "STALLED", 0)
    monkeypatch.setattr(highs, "run_highs", die)
    with pytest.warns(SolverWarning, match="highs failed .MemoryError: no room."):
        solution = make_solver("exact").solve(instance)
    # The tree goes on and proves it.
    assert solution.upper_bound <= solution.schedule.total_accuracy * (1 + 1.01e-5)


def test_a_false_bound_of_the_compact_programme_proves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instance = generate(12, 3, mu=10, rho=0.4, beta=0.5, seed=1)
    truth = make_solver("exact").solve(instance)
    monkeypatch.setattr(exact, "STALLED", 0)
    monkeypatch.setattr(highs, "run_highs", lambda *_: Outcome(bound=1.0))
    with pytest.warns(SolverWarning, match="highs claims the bound"):
        solution = make_solver("exact").solve(instance)
    assert solution.upper_bound >= truth.schedule.total_accuracy


# --- Threads, and what is printed


THREADS = """
import json, sys, threading
from dsct_gym import generate, make_solver, upper_bound

name, found = sys.argv[1], {}

def work(seed):
    solver = make_solver("mip", solver=name, threads=1 + seed % 2)
    instance = generate(8, 2, segments=3, seed=seed)
    solution = solver.solve(instance, time_limit=30)
    found[seed] = [solution.schedule.total_accuracy, solution.upper_bound]

threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps(found))
"""


@pytest.mark.parametrize("name", ["highs", "appsi_highs", "glpk"])
def test_threads_take_turns(name: str) -> None:
    if name != "highs":
        real(name)
    ran = subprocess.run(
        [sys.executable, "-c", THREADS, name], capture_output=True, text=True, timeout=200
    )
    found = json.loads(ran.stdout)
    for seed in range(4):
        total, bound = found[str(seed)]
        assert bound == pytest.approx(total, rel=1e-5)


def test_a_thread_that_gets_no_turn_in_time_keeps_its_start() -> None:
    goes_on, runs = threading.Event(), threading.Event()

    def answer(results: SolverResults) -> None:
        runs.set()
        goes_on.wait(20)

    with pyomo_solver(answer) as name:
        waiting, other = (make_solver("mip", solver=name) for _ in range(2))
        thread = threading.Thread(target=lambda: other.solve(SMALL))
        thread.start()
        runs.wait(20)
        solution = waiting.solve(SMALL, time_limit=0.5)
        goes_on.set()
        thread.join()
    assert solution.seconds < 2.0
    assert solution.upper_bound == upper_bound(SMALL)


def test_stdout_is_json_whatever_the_solver_prints(tmp_path: Path) -> None:
    file = tmp_path / "instance.json"
    generate(20, 4, seed=0).save(file)
    command = [sys.executable, "-m", "dsct_gym", "solve", str(file), "--solver", "mip", "--json"]
    options = ["--option", "solver=appsi_highs", "--time-limit", "1"]
    ran = subprocess.run([*command, *options], capture_output=True, text=True, timeout=200)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["status"] == "ok"


def test_options_reach_the_solver() -> None:
    limits = Limits(seconds=3.0, gap=1e-3, threads=5, seed=7)
    for name in ("cbc", "appsi_cbc", "gurobi_direct", "cplex_direct", "xpress", "appsi_highs"):
        family = find_family(name)
        assert family is not None
        options = family.options(limits)
        assert {1e-3, 5, 7} <= set(options.values())
    for name in ("gurobi", "cplex_direct", "xpress"):  # these ignore Pyomo's limit
        family = find_family(name)
        assert family is not None
        assert 3.0 in family.options(limits).values()
    assert find_family("scipy.fsolve") is None
