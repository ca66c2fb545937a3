"""Soft deadlines: values by hand, files and their refusals, schedules and what refutes them."""

import copy
import json
import pickle

import numpy as np
import pytest

import dsct_gym
from dsct_gym import Instance, Schedule
from dsct_gym.cli import run as command
from dsct_gym.errors import InputError
from dsct_gym.files import verify_schedule_file, write_instance
from dsct_gym.gaps import floor_of
from dsct_gym.loading import parse
from dsct_gym.schedule import idle, measures, value
from dsct_gym.soft import Exponential, Linear, SoftInstance, Step
from dsct_gym.soft.penalties import penalties
from dsct_gym.soft.sequences import run_in_order
from soft_truth import best_by_enumeration, draw_soft

# Two tasks of 2 and 1 GFLOP, due at 1 and 2 s, on a machine of 1 GFLOP/s and 1 GFLOP/J.
DOCUMENT = {
    "format": "dsct-ea/1",
    "name": "late",
    "energy_budget": None,
    "objective": {"penalty": "linear", "scale": 2.0, "cap": 1.5, "energy_price": 0.01},
    "machines": [{"speed": 1.0, "efficiency": 1.0}],
    "tasks": [
        {"deadline": 1.0, "work": [0.0, 2.0], "accuracy": [0.1, 0.9], "weight": 2.0, "whole": True},
        {"deadline": 2.0, "work": [0.0, 1.0], "accuracy": [0.0, 0.5]},
    ],
}


def changed(**fields):
    document = copy.deepcopy(DOCUMENT)
    document["objective"] |= fields.pop("objective", {})
    return {**document, **fields}


@pytest.fixture
def problem():
    return parse(DOCUMENT)


class TestValue:
    def test_by_hand(self, problem):
        # Task 1 ends at 1 s in time, task 0 at 3 s and 2 s late: it pays 2 · 2/2.
        schedule = run_in_order(problem, np.array([0, 0]), np.array([1, 0]))
        assert value(schedule) == pytest.approx(0.9 + 0.5 - 2.0 - 0.01 * 3.0)
        assert measures(schedule) == {"penalty": 2.0, "lateness": 2.0, "late": 1.0, "refused": 0.0}
        # The other way both are 1 s late: 2 · 1/2 and 1/2.
        other = run_in_order(problem, np.array([0, 0]), np.array([0, 1]))
        assert value(other) == pytest.approx(0.9 + 0.5 - 1.5 - 0.03)

    def test_refusal_costs_the_cap(self, problem):
        schedule = run_in_order(problem, np.array([-1, 0]), np.array([0, 1]))
        assert value(schedule) == pytest.approx(0.1 + 0.5 - 2.0 * 1.5 - 0.01)
        assert idle(problem) == floor_of(problem) == pytest.approx(0.1 - 3.0 * 1.5)
        assert schedule.verify()

    @pytest.mark.parametrize(
        ("penalty", "paid"),
        [
            (Step(), [0.0, 1.0, 1.0]),
            (Step(0.25), [0.0, 0.25, 0.25]),
            (Linear(2.0), [0.0, 0.5, 5.0]),
            (Linear(2.0, 3.0), [0.0, 0.5, 3.0]),
            (Exponential(2.0), [0.0, np.exp(0.5) - 1.0, np.exp(5.0) - 1.0]),
            (Exponential(2.0, 3.0), [0.0, np.exp(0.5) - 1.0, 3.0]),
        ],
    )
    def test_shapes_by_hand(self, penalty, paid):
        assert penalties(penalty, np.array([0.0, 1.0, 10.0])) == pytest.approx(paid)

    def test_lateness_without_end_is_finite(self):
        assert penalties(Exponential(1e-3), np.array([1e9]))[0] < 1e101

    def test_the_floor_without_a_cap_by_hand(self):
        # All is done after 3 s at the soonest: 2 s and 1 s late.
        problem = parse(changed(objective={"cap": None}))
        assert idle(problem) == pytest.approx(0.1 - 2.0 * 2.0 / 2.0 - 1.0 / 2.0)


class TestFiles:
    @pytest.mark.parametrize("seed", range(6))
    def test_round_trip(self, seed, tmp_path):
        given = draw_soft(seed, 5, 2, cap=(None, 1.5)[seed % 2], whole=0.5, budget=seed > 2)
        write_instance(given, tmp_path / "a.json")
        assert dsct_gym.load(tmp_path / "a.json") == given
        assert pickle.loads(pickle.dumps(given)) == given
        assert hash(copy.deepcopy(given)) == hash(given)

    @pytest.mark.parametrize(
        ("fields", "fault"),
        [
            ({"objective": {"penalty": "cubic"}}, "objective.penalty: must be"),
            ({"objective": {"scale": None}}, "objective.scale: missing"),
            ({"objective": {"scale": -1.0}}, "objective.scale: must be above 0, got -1.0"),
            ({"objective": {"scale": 1e-200}}, "objective.scale: must be in"),
            ({"objective": {"cap": 0.0}}, "objective.cap: must be above 0, got 0.0"),
            ({"objective": {"energy_price": -1.0}}, "objective.energy_price: must be at least 0"),
            ({"objective": {"prize": 1.0}}, "objective.prize: unknown key"),
            ({"energy_budget": -1.0}, "energy_budget: must be at least 0"),
            ({"energy_budget": 1.0, "objective": {"cap": None}}, "energy_budget: 1 J, but"),
        ],
    )
    def test_faults(self, fields, fault):
        with pytest.raises(InputError, match=fault):
            parse(changed(**fields))

    @pytest.mark.parametrize(
        ("field", "given", "fault"),
        [
            ("weight", -1.0, r"tasks\[0\].weight: must be at least 0, got -1.0"),
            ("weight", "2", r"tasks\[0\].weight: must be a number"),
            ("whole", 1, r"tasks\[0\].whole: must be true or false"),
        ],
    )
    def test_faults_of_tasks(self, field, given, fault):
        document = changed()
        document["tasks"][0][field] = given
        with pytest.raises(InputError, match=fault):
            parse(document)

    def test_a_weight_alone_asks_for_an_objective(self):
        document = changed()
        del document["objective"]
        with pytest.raises(InputError, match="objective: missing"):
            parse(document)

    def test_an_instance_refuses_it(self, tmp_path):
        (tmp_path / "a.json").write_text(json.dumps(DOCUMENT), encoding="utf-8")
        with pytest.raises(InputError, match=r"^objective: reserved .* dsct_gym.load reads it$"):
            Instance.load(tmp_path / "a.json")

    def test_columns_are_checked(self, problem):
        for fields in ({"weights": np.ones(3)}, {"whole": np.ones(3, bool)}, {"whole": np.ones(2)}):
            with pytest.raises(InputError, match=r"shape|true or false"):
                SoftInstance(problem.core, problem.penalty, **fields)


class TestVerifier:
    @pytest.fixture
    def written(self, problem, tmp_path):
        schedule = run_in_order(problem, np.array([0, 0]), np.array([1, 0]))
        schedule.save(tmp_path / "s.json")
        return tmp_path / "s.json"

    def test_what_is_right_passes(self, problem, written):
        assert verify_schedule_file(written, problem)
        assert Schedule.load(written, problem).verify()

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"value": 0.5}, "value is -0.63, not 0.5"),
            ({"measures": {"lateness": 1.0}}, "lateness is 2, not 1"),
            ({"measures": {"penalty": 1.0}}, "penalty is 2, not 1"),
            ({"energy": 2.0}, "energy is 3, not 2"),
            ({"upper_bound": -1.0}, "upper_bound -1 is below the total -0.63"),
        ],
    )
    def test_wrong_totals(self, problem, written, change, reason):
        document = json.loads(written.read_text(encoding="utf-8")) | change
        written.write_text(json.dumps(document), encoding="utf-8")
        assert verify_schedule_file(written, problem).reasons == (reason,)

    def test_part_of_a_whole_task(self, problem):
        schedule = run_in_order(problem, np.array([0, 0]), np.array([1, 0]), np.array([1.0, 0.5]))
        reason = "is whole, but only part of its work is done: task 0"
        assert schedule.verify().reasons == (reason,)

    def test_refusals_without_a_cap(self):
        problem = parse(changed(objective={"cap": None}))
        schedule = run_in_order(problem, np.array([0, -1]), np.array([1, 0]))
        [reason] = schedule.verify().reasons
        assert reason.startswith("is refused, which penalties without a cap do not allow: task 1")

    def test_overlaps_and_budgets_still_count(self, problem):
        limited = SoftInstance(problem.core, problem.penalty, budget=2.5)
        schedule = run_in_order(limited, np.array([0, 0]), np.array([1, 0]))
        assert schedule.verify().reasons == ("energy 3 J exceeds the budget of 2.5 J",)


class TestCommands:
    def test_solve_verify_and_chart(self, tmp_path, capsys):
        write_instance(draw_soft(1, 8, 2, whole=0.5), tmp_path / "a.json")
        paths = [str(tmp_path / name) for name in ("a.json", "s.json", "g.png")]
        solve = ["solve", paths[0], "--solver", "annealing[moves=2000]"]
        assert command([*solve, "-o", paths[1], "--gantt", paths[2]]) == 0
        out = capsys.readouterr().out
        assert "penalty" in out
        assert "lateness" in out
        assert command(["verify", *paths[:2]]) == 0

    def test_others_say_who_knows(self, tmp_path, capsys):
        write_instance(draw_soft(1, 4, 2), tmp_path / "a.json")
        assert command(["solve", str(tmp_path / "a.json"), "--solver", "approx"]) == 2
        error = capsys.readouterr().err
        assert "has soft, which 'approx' does not know; those that do: annealing, atc" in error


def test_no_schedule_beats_the_relaxation():
    for seed in range(6):
        problem = draw_soft(seed, 4, 2, cap=(None, 1.0)[seed % 2])
        assert best_by_enumeration(problem) <= dsct_gym.upper_bound(problem) + 1e-9
