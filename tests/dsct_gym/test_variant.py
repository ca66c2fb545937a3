"""A variant goes through files, solvers, bounds, verifier and commands, and nowhere by mistake."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

import dsct_gym
from dsct_gym import loading
from dsct_gym.allocation import allocate
from dsct_gym.bounds import bound_for
from dsct_gym.cli import run as command
from dsct_gym.errors import InputError
from dsct_gym.files import verify_schedule_file, write_instance
from dsct_gym.instance import Instance
from dsct_gym.relaxation import upper_bound
from dsct_gym.running import run
from dsct_gym.schedule import Schedule, idle, measures, value
from dsct_gym.solver import make_solver, solver_entry_points
from dsct_gym.verifier import verify
from toy_variant import FinedInstance, Punctual

DOCUMENT: dict[str, Any] = {
    "format": "dsct-ea/1",
    "name": "late",
    "energy_budget": 3.0,
    "machines": [{"speed": 1.0, "efficiency": 1.0}],
    "tasks": [
        {"deadline": 2.0, "work": [0.0, 1.0, 2.0], "accuracy": [0.0, 0.5, 0.6], "fine": 2.0},
        {"deadline": 3.0, "work": [0.0, 1.0, 2.0], "accuracy": [0.0, 0.5, 0.6], "fine": 0.25},
    ],
    "opening": 1.5,
}
"""Task 0 cannot do its first segment between the opening and its deadline, task 1 can: its 0.5 less
the fine of task 0 makes −1.5."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "late.json"
    path.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    return path


@pytest.fixture
def problem(path: Path) -> FinedInstance:
    loaded = dsct_gym.load(path)
    assert isinstance(loaded, FinedInstance)
    return loaded


class TestFiles:
    def test_the_keys_choose_the_type(self, problem):
        assert problem.fines.tolist() == [2.0, 0.25]
        assert problem.opening == 1.5
        assert problem.core.deadlines.tolist() == [2.0, 3.0]
        assert problem.needs == {"fines"}

    def test_an_instance_is_loaded_as_one(self, problem, path):
        problem.core.save(path)
        loaded = dsct_gym.load(path)
        assert type(loaded) is Instance
        assert loaded == problem.core == Instance.load(path)
        assert loaded.core is loaded
        assert loaded.needs == frozenset()

    def test_round_trip(self, problem, path, tmp_path):
        again = tmp_path / "again.json"
        write_instance(problem, again)
        assert json.loads(again.read_text(encoding="utf-8")) == DOCUMENT
        assert dsct_gym.load(again) == problem

    def test_an_instance_says_who_reads_it(self, path):
        with pytest.raises(InputError) as error:
            Instance.load(path)
        assert str(error.value) == "opening: reserved for a variant; dsct_gym.load reads it"

    @pytest.mark.parametrize(
        ("place", "key"),
        [
            ((), "horizon"),
            ((), "objective"),
            (("machines", 0), "operating_points"),
            (("tasks", 1), "arrival"),
            (("tasks", 1), "weight"),
            (("tasks", 1), "whole"),
        ],
    )
    def test_nobody_claims_to_read_what_nobody_reads(self, monkeypatch, problem, path, place, key):
        monkeypatch.setattr(loading, "_READERS", {})
        problem.core.save(path)
        document = json.loads(path.read_text(encoding="utf-8"))
        part = document
        for step in place:
            part = part[step]
        part[key] = 1
        path.write_text(json.dumps(document), encoding="utf-8")
        where = f"{place[0]}[{place[1]}].{key}" if place else key
        for load in (Instance.load, dsct_gym.load):
            with pytest.raises(InputError) as error:
                load(path)
            assert str(error.value) == f"{where}: reserved for a variant not in this version"

    def test_keys_of_two_variants_are_refused(self, monkeypatch, path):
        monkeypatch.setattr(loading, "_READERS", dict(loading._READERS))
        loading.register({"weight"}, "no_such_module:read")
        document = json.loads(path.read_text(encoding="utf-8"))
        document["tasks"][1]["weight"] = 2.0
        path.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(InputError) as error:
            dsct_gym.load(path)
        assert str(error.value) == (
            "opening, tasks[0].fine, tasks[1].weight: no variant has all of these keys"
        )
        loading.register({"weight", "fine", "opening"}, lambda data: "both")
        assert dsct_gym.load(path) == "both"

    def test_faults_of_its_own_keys_are_named(self, path):
        document = json.loads(path.read_text(encoding="utf-8"))
        document["tasks"][1]["fine"] = -1
        path.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(InputError, match=r"^tasks\[1\]\.fine: must be at least 0, got -1$"):
            dsct_gym.load(path)


class TestSchedules:
    def test_solver_value_and_measures_by_hand(self, problem):
        solution = run(Punctual(), problem, "punctual")
        schedule = solution.schedule
        assert schedule.instance is problem
        assert schedule.machine.tolist() == [-1, 0]
        assert schedule.start.tolist() == [0.0, 1.5]
        assert schedule.total_accuracy == 0.5
        assert value(schedule) == -1.5
        assert idle(problem) == -2.25
        assert measures(schedule) == {"fined": 1.0}
        # Two segments of 0.5 and half of one of 0.1.
        assert solution.upper_bound == upper_bound(problem) == pytest.approx(1.1)
        assert schedule.verify()

    def test_its_solver_takes_an_instance_too(self, problem):
        assert Punctual().solve(problem.core).schedule.machine.tolist() == [0, 0]

    def test_files_are_verified_by_its_rules(self, problem, tmp_path):
        path = tmp_path / "schedule.json"
        run(Punctual(), problem, "punctual").schedule.save(path)
        assert verify_schedule_file(path, problem).reasons == ()
        read = Schedule.load(path, problem)
        assert read.verify()
        assert value(read) == -1.5
        document = json.loads(path.read_text(encoding="utf-8"))
        document["assignments"][0]["start"] = 1.0
        path.write_text(json.dumps(document), encoding="utf-8")
        assert verify_schedule_file(path, problem).reasons == ("starts before the opening: task 1",)
        assert verify_schedule_file(path, problem.core).reasons == ()

    @pytest.mark.parametrize(("bound", "holds"), [(-1.4, True), (-1.5, True), (-1.6, False)])
    def test_bounds_may_be_negative(self, problem, bound, holds):
        schedule = run(Punctual(), problem, "punctual").schedule
        found = schedule.credited(upper_bound=bound).verify().reasons
        assert found == (() if holds else (f"upper_bound {bound} is below the total -1.5",))

    def test_it_is_drawn(self, problem):
        schedule = run(Punctual(), problem, "punctual").schedule
        assert "late" in {text.get_text().split(" — ")[0] for text in schedule.plot().texts}


class Undeclared:
    """Claims to need nothing, and is no Instance."""

    needs = frozenset()
    name = None

    def __init__(self, core: Instance) -> None:
        self.core = core


class TestNobodyIsGivenWhatTheyDoNotKnow:
    @pytest.mark.parametrize("name", sorted(solver_entry_points()))
    def test_solvers(self, problem, name):
        solver = make_solver(name)
        for solve in (solver.solve, lambda given: run(solver, given, name)):
            with pytest.raises(InputError) as error:
                solve(problem)
            assert str(error.value) == (
                f"instance: has fines, which '{name}' does not know; none that is installed does"
            )

    def test_those_who_do_are_named(self, problem, monkeypatch):
        greedy = make_solver("greedy")
        known = {"greedy": type(greedy), "punctual": Punctual}
        monkeypatch.setattr("dsct_gym.solver.solver_entry_points", lambda: known)
        monkeypatch.setattr("dsct_gym.solver.find_solver", known.__getitem__)
        with pytest.raises(InputError, match=r"does not know; those that do: punctual$"):
            greedy.solve(problem)

    def test_classes_of_others(self, problem):
        class Foreign:
            def solve(self, instance, *, time_limit=None, seed=None):
                raise AssertionError("it was asked")

        with pytest.raises(InputError, match="has fines, which 'foreign' does not know"):
            run(Foreign(), problem, "foreign")

    def test_bounds(self, problem):
        with pytest.raises(InputError) as error:
            bound_for(problem, "columns")
        assert str(error.value) == (
            "instance: has fines, which 'columns' does not know; those that do: fractional"
        )
        assert bound_for(problem, "fractional")(problem) == pytest.approx(1.1)
        assert bound_for(problem.core, "columns")

    def test_a_type_without_a_relaxation_has_no_fractional_bound(self, problem):
        class Other(FinedInstance):
            needs = frozenset({"others"})

        other = Other(problem.core, problem.fines, 0.0)
        assert upper_bound(other)  # it is a FinedInstance as well
        stranger = Undeclared(problem.core)
        stranger.needs = frozenset({"others"})
        with pytest.raises(InputError, match="there is no relaxation for Undeclared"):
            upper_bound(stranger)
        with pytest.raises(InputError, match="'fractional' does not know; none that is installed"):
            bound_for(stranger, "fractional")
        schedule = Schedule.from_work(problem.core, np.array([0, 0]), np.ones(2))
        with pytest.raises(InputError, match="the verifier has no rules for Undeclared"):
            verify(stranger, schedule.rows, schedule.claims)

    @pytest.mark.parametrize("name", ["DSCT-EA-v0", "DSCT-EA-Assign-v0", "DSCT-EA-Continuous-v0"])
    def test_environments(self, problem, name):
        refusal = f"instance: has fines, which {name} does not know"
        with pytest.raises(InputError, match=refusal):
            gymnasium.make(name, instance=problem)
        with pytest.raises(InputError, match=refusal):
            gymnasium.make(name, n=4, m=2).reset(options={"instance": problem})
        with pytest.raises(InputError, match="pool: has fines"):
            gymnasium.make(name, pool=[problem])

    def test_what_takes_an_instance_takes_no_other(self, problem):
        with pytest.raises(InputError, match="there is no allocation for FinedInstance"):
            allocate(problem, np.array([0, 0]))
        with pytest.raises(InputError, match="Undeclared is not an Instance"):
            make_solver("greedy").solve(Undeclared(problem.core))
        with pytest.raises(InputError, match="str is not an Instance"):
            make_solver("greedy").solve("late.json")


class TestCommands:
    def test_solve_verify_and_bound(self, path, tmp_path, capsys):
        answer = tmp_path / "schedule.json"
        solve = ["solve", str(path), "--solver", "toy_variant:Punctual", "-o", str(answer)]
        assert command([*solve, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["total_accuracy"] == 0.5
        assert command(["verify", str(path), str(answer)]) == 0
        assert command(["bound", str(path), "--json"]) == 0
        told = json.loads(capsys.readouterr().out.partition("\n")[2])
        assert told["total_accuracy"] == pytest.approx(1.1)

    def test_solvers_that_do_not_know_it_refuse_in_one_line(self, path, tmp_path, capsys):
        answer = tmp_path / "schedule.json"
        assert command(["solve", str(path), "--solver", "greedy", "-o", str(answer)]) == 2
        told = capsys.readouterr().err
        assert told.startswith("Error: instance: has fines, which 'greedy' does not know")
        assert told.count("\n") == 1
        assert not answer.exists()

    def test_bench_keeps_scores_and_reports_it(self, path, tmp_path, capsys):
        out = tmp_path / "out"
        bench = ["bench", str(path), "--solvers", "toy_variant:Punctual,toy_variant:Idler"]
        assert command([*bench, "-o", str(out), "--report", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        punctual, idler = told["records"]
        assert (punctual["value"], idler["value"]) == (-1.5, -2.25)
        assert punctual["floor"] == idler["floor"] == -2.25
        assert (punctual["needs"], punctual["measures"]) == (["fines"], {"fined": 1.0})
        # The bound is 1.1: 2.6 of the 3.35 above idleness are missing, and all of it to the idle.
        gaps = [row["gap"] for row in told["scores"]]
        assert gaps == pytest.approx([2.6 / 3.35, 1.0])
        assert [row["gap_to_best"]["mean"] for row in told["scores"]] == pytest.approx([0.0, 1.0])
        page = (out / "report.html").read_text(encoding="utf-8")
        assert not re.search(r"\bnan\b|\binf\b", page)
        assert command([*bench, "-o", str(out)]) == 0
        captured = capsys.readouterr()
        assert captured.err == "resuming: 2 of 2 runs are there\n"
        assert command(["report", str(out)]) == 0
        (row, _) = csv.DictReader((out / "results.csv").open(encoding="utf-8"))
        assert (row["needs"], row["value"], row["floor"]) == ("fines", "-1.5", "-2.25")

    def test_bench_leaves_out_who_does_not_know_it(self, path, capsys, monkeypatch):
        monkeypatch.setattr(
            "dsct_gym.benchmark.planning.solver_entry_points",
            lambda: {"greedy": None, "toy_variant:Punctual": None},
        )
        assert command(["bench", str(path)]) == 0
        captured = capsys.readouterr()
        assert captured.err == "Warning: left out: greedy does not know fines\n"
        assert "Punctual" in captured.out
        assert command(["bench", str(path), "--solvers", "greedy"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("Error: instance: has fines, which 'greedy' does not know")

    def test_what_fails_counts_as_idle(self, path, capsys):
        assert command(["bench", str(path), "--solvers", "toy_variant:Broken", "--json"]) == 1
        (record,) = json.loads(capsys.readouterr().out)["records"]
        assert (record["status"], record["value"], record["floor"]) == ("failed", -2.25, -2.25)
