"""Tasks that arrive: files, schedules, what refutes either, charts and commands."""

import copy
import json
import pickle

import jsonschema
import numpy as np
import pytest
from matplotlib.collections import LineCollection

import dsct_gym
from dsct_gym import Instance, Schedule
from dsct_gym.benchmark.report.gantt import gantt_svg
from dsct_gym.cli import run as command
from dsct_gym.errors import InputError
from dsct_gym.files import verify_schedule_file, write_instance
from dsct_gym.gantt import draw_gantt
from dsct_gym.loading import schemas
from dsct_gym.online import OnlineInstance
from dsct_gym.online.schedule import started_at
from dsct_gym.toy import toy_like

DOCUMENT = {
    "format": "dsct-ea/1",
    "name": "waves",
    "energy_budget": 2.0,
    "machines": [{"name": "A", "speed": 2.0, "efficiency": 4.0}],
    "tasks": [
        {"deadline": 2.0, "work": [0.0, 2.0], "accuracy": [0.0, 0.8], "arrival": 0.5},
        {"deadline": 4.0, "work": [0.0, 4.0], "accuracy": [0.1, 0.3], "arrival": 0.0},
    ],
    "horizon": 3.0,
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "waves.json"
    path.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    return path


@pytest.fixture
def problem(path):
    return dsct_gym.load(path)


@pytest.fixture
def schedule(problem):
    # Task 0 from its arrival for 1 s, task 1 after it: 0.25 s, having waited for 1.5 s.
    return started_at(
        problem, np.array([0, 0]), np.array([0.5, 1.5]), np.array([2.0, 0.5]), solver="hand"
    )


class TestFiles:
    def test_the_keys_choose_the_type(self, problem):
        assert isinstance(problem, OnlineInstance)
        assert problem.arrivals.tolist() == [0.5, 0.0]
        assert problem.horizon == 3.0
        assert problem.needs == {"arrivals"}
        assert problem.arrival_order.tolist() == [1, 0]

    def test_round_trip(self, problem, tmp_path):
        again = tmp_path / "again.json"
        write_instance(problem, again)
        assert json.loads(again.read_text(encoding="utf-8")) == DOCUMENT
        assert dsct_gym.load(again) == problem

    def test_it_is_a_value(self, problem):
        for same in (copy.deepcopy(problem), pickle.loads(pickle.dumps(problem))):
            assert same == problem
            assert hash(same) == hash(problem)
        later = OnlineInstance(problem.core, problem.arrivals + 0.1, problem.horizon)
        assert later != problem
        assert OnlineInstance(problem.core, problem.arrivals, 4.0) != problem
        assert problem != problem.core

    def test_an_instance_says_who_reads_it(self, path):
        with pytest.raises(InputError) as error:
            Instance.load(path)
        assert str(error.value) == "horizon: reserved for a variant; dsct_gym.load reads it"

    @pytest.mark.parametrize(
        ("place", "changed", "fault"),
        [
            ("tasks", {"arrival": 2.0}, "tasks[0].arrival: 2 s is not from 0 to before the dead"),
            ("tasks", {"arrival": -1e-9}, "tasks[0].arrival: must be at least 0, got -1e-09"),
            ("tasks", {"arrival": "soon"}, "tasks[0].arrival: must be a number"),
            ("tasks", {"arrival": None}, "tasks[0].arrival: must be a number"),
            ("tasks", {"arrival": float("nan")}, "tasks[0].arrival: must be finite, got nan"),
            ("tasks", {"arrival": 10**400}, "tasks[0].arrival: must be"),
            ("tasks", {"arrivals": 1.0}, "tasks[0].arrivals: unknown key; did you mean arrival"),
            ("tasks", {"deadline": 0.0}, "tasks[0].deadline: must be above 0"),
            (None, {"horizon": 0.4}, "horizon: 0.4 s ends before the last arrival at 0.5 s"),
            (None, {"horizon": 0}, "horizon: must be above 0"),
            (None, {"horizon": float("inf")}, "horizon: must be finite"),
            (
                None,
                {"objective": {}},
                "horizon, objective, tasks[0].arrival: no variant has all of these keys",
            ),
        ],
    )
    def test_refusals(self, path, place, changed, fault, capsys):
        document = copy.deepcopy(DOCUMENT)
        part = document if place is None else document[place][0]
        part.update(changed)
        path.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(InputError) as error:
            dsct_gym.load(path)
        assert str(error.value).startswith(fault)
        assert command(["bound", str(path)]) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert "Traceback" not in told

    @pytest.mark.parametrize("missing", ["horizon", "arrival"])
    def test_both_keys_are_needed(self, path, missing):
        document = copy.deepcopy(DOCUMENT)
        part = document if missing == "horizon" else document["tasks"][1]
        del part[missing]
        path.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(InputError, match=r"^(horizon|tasks\[1\].arrival): missing$"):
            dsct_gym.load(path)

    def test_the_schema_takes_it(self, problem):
        schema = schemas()["dsct-ea/1"]
        jsonschema.validate(DOCUMENT, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**DOCUMENT, "horizon": -1.0}, schema)


class TestSchedules:
    def test_numbers_by_hand(self, schedule):
        assert schedule.verify()
        assert schedule.duration.tolist() == [1.0, 0.25]
        assert schedule.total_accuracy == pytest.approx(0.8 + 0.125)
        assert schedule.energy == pytest.approx(2.5 / 4.0)

    def test_a_file_of_it_is_verified(self, schedule, problem, tmp_path):
        path = tmp_path / "schedule.json"
        schedule.save(path)
        assert verify_schedule_file(path, problem).reasons == ()
        assert Schedule.load(path, problem).verify()

    @pytest.mark.parametrize(
        ("start", "reason"),
        [
            ([0.4, 1.5], "starts before its arrival: task 0"),
            ([0.5, 1.4], "starts before its machine is free: task 1"),
            ([1.1, 2.5], "ends after its deadline: task 0"),
            ([0.6, 0.0], None),
            ([0.5 - 1e-9, 1.5], None),  # the rounding of a file
        ],
    )
    def test_what_is_refuted(self, problem, start, reason):
        works = np.array([2.0, 0.5])
        found = started_at(problem, np.zeros(2, np.int64), np.array(start), works, solver=None)
        assert found.verify().reasons == (() if reason is None else (reason,))

    def test_what_does_not_run_has_no_start(self, problem):
        idle = started_at(problem, np.array([-1, -1]), np.zeros(2), np.ones(2), solver=None)
        assert idle.verify()
        assert idle.total_accuracy == pytest.approx(0.1)
        with pytest.raises(InputError, match="start: shape"):
            started_at(problem, np.array([0, 0]), np.zeros(1), np.ones(2), solver=None)

    def test_a_toy_for_practice(self, problem):
        toy = toy_like(problem)
        assert isinstance(toy, OnlineInstance)
        assert not np.array_equal(toy.arrival_order, toy.core.edf_order)


class TestPictures:
    def test_arrivals_and_waiting_are_marked_below_the_row(self, schedule):
        figure = draw_gantt(schedule)
        _, waits, marks = (
            np.array(lines.get_segments())
            for lines in figure.axes[0].collections
            if isinstance(lines, LineCollection)
        )
        assert waits[:, :, 0].tolist() == [[0.5, 0.5], [0.0, 1.5]]
        assert marks[:, :, 0].tolist() == [[0.5, 0.5], [0.0, 0.0]]
        assert ((marks[:, :, 1] > 0.8) & (marks[:, :, 1] < 1.0)).all()
        assert any("arrivals" in text.get_text() for text in figure.texts)

    def test_others_have_none(self, problem):
        plain = Schedule.from_work(problem.core, np.array([0, 0]), np.array([2.0, 0.5]))
        figure = draw_gantt(plain)
        lines = [c for c in figure.axes[0].collections if isinstance(c, LineCollection)]
        assert len(lines) == 1
        assert not any("arrivals" in text.get_text() for text in figure.texts)

    def test_the_report_tells_arrivals(self, schedule):
        drawn = gantt_svg(schedule, "waves")
        assert "arrived at 0.5 s" in drawn
        plain = Schedule.from_work(schedule.instance.core, np.array([0, 0]), np.array([2.0, 0.5]))
        assert "arrived" not in gantt_svg(plain, "waves")


class TestCommands:
    def test_verify(self, path, schedule, tmp_path, capsys):
        answer = tmp_path / "schedule.json"
        schedule.save(answer)
        assert command(["verify", str(path), str(answer)]) == 0
        document = json.loads(answer.read_text(encoding="utf-8"))
        document["assignments"][0]["start"] = 0.25
        answer.write_text(json.dumps(document), encoding="utf-8")
        capsys.readouterr()
        assert command(["verify", str(path), str(answer)]) == 1
        captured = capsys.readouterr()
        assert "starts before its arrival: task 0" in captured.out + captured.err

    def test_plain_solvers_refuse_it(self, path, capsys):
        assert command(["solve", str(path), "--solver", "approx"]) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert "has arrivals, which 'approx' does not know" in told
