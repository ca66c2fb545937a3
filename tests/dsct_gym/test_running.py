"""Whatever class a solution comes from, nothing leaves the door that is not so."""

import json
import math
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dsct_gym import Instance, Schedule, generate, make_solver, upper_bound
from dsct_gym.certificate import Certificate, CertifiedBound
from dsct_gym.cli import run as command
from dsct_gym.errors import InputError
from dsct_gym.running import InvalidAnswerError, run, run_bound
from dsct_gym.solver import Answer, Progress, Solution, Solver
from dsct_gym.verifier import Verification
from stub_solvers import first_task_alone


@pytest.fixture(scope="module")
def instance() -> Instance:
    return generate(6, 2, seed=1, name="six")


class Foreign:
    """A solver of somebody else's, which says whatever it is told to say."""

    def __init__(self, say: Any) -> None:
        self.say = say

    def solve(self, instance: Instance, *, time_limit: Any = None, seed: Any = None) -> Any:
        return self.say(instance)


def honest(instance: Instance) -> Solution:
    return Solution(first_task_alone(instance), None, 0.0)


def saying(**changes: Any) -> Foreign:
    def say(instance: Instance) -> Solution:
        return Solution(replace(first_task_alone(instance), **changes), None, 0.0)

    return Foreign(say)


def bounded(bound: Any) -> Foreign:
    return Foreign(lambda instance: replace(honest(instance), upper_bound=bound))


class Doubled(Schedule):
    """Doubles its total, and finds itself in order."""

    def verify(self) -> Verification:
        return Verification(())

    @property
    def rows(self) -> Any:
        raise AssertionError("it was believed")


def doubled(instance: Instance) -> Solution:
    honest = vars(first_task_alone(instance))
    return Solution(
        Doubled(**{**honest, "total_accuracy": 2.0 * honest["total_accuracy"]}), None, 0.0
    )


class Disguised(Solver):
    """Derives from the class that verifies, and does without."""

    name = "disguised"

    def solve(self, instance: Any, *, time_limit: Any = None, seed: Any = None) -> Solution:
        return replace(doubled(instance), seconds=-5.0)

    def _solve(self, instance: Any, *, time_limit: Any, seed: Any) -> Answer:
        raise NotImplementedError


FALSE = [
    (Foreign(doubled), "total_accuracy is "),
    (Disguised(), "total_accuracy is "),
    (saying(energy=0.0), "energy is "),
    (saying(machine=np.full(6, 7)), r"machine is not one|rows\[0\].machine: 7 of 2 machines"),
    (saying(machine=np.zeros(5, np.int64)), "rows: columns of"),
    (saying(machine=np.zeros(6)), "rows: tasks and machines must be integers"),
    (saying(start=np.full(6, np.nan)), "number not finite"),
    (saying(accuracy=np.full(6, 0.9)), "accuracy is not the curve's"),
    (bounded(0.0), "upper_bound 0 is below the total"),
    (bounded(-math.inf), "upper_bound -inf is below the total"),
    (bounded(math.nan), "upper_bound nan is below the total"),
    (bounded("many"), "could not convert string to float"),
    (bounded([1.0]), "float"),
    (Foreign(lambda instance: None), "'NoneType' object has no attribute 'schedule'"),
    (Foreign(first_task_alone), "no attribute 'schedule'"),
    (Foreign(lambda instance: Solution("later", None, 0.0)), "'str' object has no attribute"),
    (Foreign(lambda _: honest(generate(9, 2, seed=2))), "rows: columns of"),
    (Foreign(lambda _: honest(generate(6, 2, seed=2))), "its schedule is wrong: "),
]


@pytest.mark.parametrize(("solver", "reason"), FALSE, ids=range(len(FALSE)))
def test_what_is_not_so_stays_inside(instance: Instance, solver: Any, reason: str) -> None:
    with pytest.raises(InvalidAnswerError, match=reason) as error:
        run(solver, instance, "foreign")
    assert str(error.value).startswith("foreign: ")
    assert len(error.value.lines) == 1


def test_what_is_so_leaves_as_plain_types(instance: Instance) -> None:
    class Own(Schedule):
        pass

    def say(instance: Instance) -> Solution:
        own = Own(**vars(first_task_alone(instance)))
        return Solution(own, np.float32(6.0), math.inf, interrupted=1)  # type: ignore[arg-type]

    solution = run(Foreign(say), instance, "foreign")
    assert type(solution.schedule) is Schedule
    assert solution.schedule.instance is instance
    assert solution.schedule.solver == "foreign"
    assert solution.schedule.upper_bound == solution.upper_bound == 6.0
    assert type(solution.upper_bound) is float
    assert solution.interrupted is True
    assert solution.schedule.seconds == solution.seconds
    assert 0.0 <= solution.seconds < 10.0
    assert solution.schedule.verify()


def test_no_bound_is_none(instance: Instance) -> None:
    assert run(bounded(math.inf), instance, "foreign").upper_bound is None
    assert run(bounded(None), instance, "foreign").upper_bound is None


@pytest.mark.parametrize("seconds", [-5.0, math.nan, math.inf, 1e9, None, "1"])
def test_seconds_are_measured_where_they_are_none(instance: Instance, seconds: Any) -> None:
    class Boastful(Solver):
        name = "boastful"

        def solve(self, instance: Any, *, time_limit: Any = None, seed: Any = None) -> Solution:
            return replace(honest(instance), seconds=seconds)

        def _solve(self, instance: Any, *, time_limit: Any, seed: Any) -> Answer:
            raise NotImplementedError

    assert 0.0 <= run(Boastful(), instance, "boastful").seconds < 10.0


def test_those_that_ship_lose_nothing(instance: Instance) -> None:
    solver = make_solver("greedy")
    solution = run(solver, instance, "greedy", time_limit=np.float32(2.0), seed=np.int64(3))
    alone = solver.solve(instance).schedule
    assert np.array_equal(solution.schedule.work, alone.work)
    assert solution.schedule.solver == "greedy"


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"time_limit": 0}, "time_limit: must be positive, got 0"),
        ({"time_limit": np.float32(-1)}, "time_limit: must be positive, got -1"),
        ({"time_limit": math.nan}, "time_limit: must be positive, got nan"),
        ({"time_limit": "3"}, "time_limit: must be a number, got str"),
        ({"time_limit": True}, "time_limit: must be a number, got bool"),
        ({"seed": -1}, "seed: must be at least 0, got -1"),
        ({"seed": 1.5}, "seed: must be a whole number, got 1.5"),
        ({"seed": "3"}, "seed: must be a whole number, got '3'"),
    ],
)
def test_limits_and_seeds_are_checked(instance: Instance, limits: Any, message: str) -> None:
    for solve in (
        make_solver("greedy").solve,
        lambda i, **how: run(Foreign(honest), i, "x", **how),
    ):
        with pytest.raises(InputError, match=f"^{message}$"):
            solve(instance, **limits)


@pytest.mark.parametrize("seed", [np.int64(7), np.uint8(7), 7])
def test_integers_of_numpy_are_seeds(instance: Instance, seed: Any) -> None:
    random = make_solver("random")
    expected = random.solve(instance, seed=7).schedule.machine
    found = random.solve(instance, seed=seed, time_limit=np.float32(5.0)).schedule
    assert np.array_equal(found.machine, expected)


@pytest.mark.parametrize(
    ("bound", "reason"),
    [
        (math.nan, r"its bound nan is below 2\.\d+, which a schedule attains"),
        (-math.inf, "its bound -inf is below"),
        (1.0, "its bound 1 is below 2"),
        ("six", "its bound is no number: could not convert string to float: 'six'"),
        (None, "its bound is no number: "),
    ],
)
def test_bounds_that_are_none_stay_inside(instance: Instance, bound: Any, reason: str) -> None:
    def method(instance: Any, *, time_limit: Any = None, progress: Any = None) -> Any:
        return bound

    def tell(instance: Any, *, time_limit: Any = None, progress: Any = None) -> Any:
        progress(Progress(0.0, bound=bound))
        return 6.0

    with pytest.raises(InvalidAnswerError, match=f"^x: {reason}"):
        run_bound(method, instance, "x")
    if bound is not None:
        with pytest.raises(InvalidAnswerError, match=f"^x: {reason}"):
            run_bound(tell, instance, "x")


def test_bounds_are_told_and_given(instance: Instance) -> None:
    heard: list[Progress] = []

    def method(instance: Any, *, time_limit: Any = None, progress: Any = None) -> Any:
        progress(Progress(0.0, bound=5.0))
        progress(Progress(0.1, best=1.0))
        return np.float32(4.5)

    found = run_bound(method, instance, "x", progress=heard.append)
    assert (found, type(found)) == (4.5, float)
    assert [news.bound for news in heard] == [5.0, None]


@pytest.mark.parametrize("claimed", [2.0, 3.5, 6.0])
def test_a_certified_bound_is_what_its_prices_prove(instance: Instance, claimed: float) -> None:
    """Whatever it claims: too little, too much or the fractional bound."""
    prices, energy = np.full(6, 0.1), 0.2 / instance.energy_budget
    certificate = Certificate(prices, energy, instance.name, "x", claimed)
    claim = max(claimed, first_found(instance))

    def method(instance: Any, *, time_limit: Any = None, progress: Any = None) -> Any:
        return CertifiedBound(claim, certificate, interrupted=True)

    found = run_bound(method, instance, "x")
    assert isinstance(found, CertifiedBound)
    proven = certificate.check(instance)
    assert found == min(proven, upper_bound(instance))
    assert found.certificate.upper_bound == proven
    assert found.interrupted
    again = pickle.loads(pickle.dumps(found))
    assert (again, again.interrupted) == (found, True)
    assert again.certificate.document() == found.certificate.document()


def first_found(instance: Instance) -> float:
    return make_solver("greedy").solve(instance).schedule.total_accuracy


def test_a_certificate_for_another_problem_stays_inside(instance: Instance) -> None:
    def method(instance: Any, *, time_limit: Any = None, progress: Any = None) -> Any:
        return CertifiedBound(6.0, Certificate([0.1], 0.0))

    with pytest.raises(InvalidAnswerError, match=r"^x: its certificate is wrong: task_prices: 1"):
        run_bound(method, instance, "x")


def test_the_command_line_saves_nothing_that_is_not_so(tmp_path: Any, capsys: Any) -> None:
    path, answer, picture = tmp_path / "i.json", tmp_path / "s.json", tmp_path / "g.png"
    generate(6, 2, seed=1).save(path)
    asked = ["solve", str(path), "--solver", "stub_solvers:Doubling", "-o", str(answer)]
    assert command([*asked, "--gantt", str(picture)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(
        "Error: stub_solvers:Doubling: its schedule is wrong: total_accuracy"
    )
    assert told.err.count("\n") == 1
    assert [item.name for item in tmp_path.iterdir()] == ["i.json"]


def test_a_benchmark_counts_it_as_no_schedule(tmp_path: Any, capsys: Any) -> None:
    path = tmp_path / "i.json"
    generate(6, 2, seed=1).save(path)
    asked = ["bench", str(path), "--solvers", "stub_solvers:Doubling", "-o", str(tmp_path / "out")]
    assert command([*asked, "--json"]) == 1
    (kept,) = (tmp_path / "out").glob("runs/*/*.json")
    record = json.loads(kept.read_text(encoding="utf-8"))["record"]
    assert record["status"] == "infeasible"
    assert "total_accuracy is" in record["message"]
