"""Operating points: hulls by hand, files and their refusals, schedules and what refutes them."""

import copy
import json
import pickle

import numpy as np
import pytest

import dsct_gym
from dsct_gym import Instance, Schedule, allocate
from dsct_gym.cli import run as command
from dsct_gym.errors import InputError
from dsct_gym.files import verify_schedule_file, write_instance
from dsct_gym.points import DvfsInstance, OperatingPoints
from dsct_gym.schedule import schedule_of
from points_truth import SPECIAL, draw_problem

# 2 GFLOP/s at 1 W, 3 at 2 W, 4 at 5 W: increments of 2, 1 and 1 GFLOP/s at 2, 1 and 1/3 GFLOP/J.
CLOCKS = [
    {"speed": 4.0, "power": 5.0},
    {"speed": 2.0, "power": 1.0},
    {"speed": 3.0, "power": 2.0},
]
DOCUMENT = {
    "format": "dsct-ea/1",
    "name": "clocks",
    "energy_budget": 2.0,
    "machines": [{"name": "A", "operating_points": CLOCKS}],
    "tasks": [
        {"deadline": 1.0, "work": [0.0, 4.0], "accuracy": [0.0, 0.8]},
        {"deadline": 2.0, "work": [0.0, 2.0], "accuracy": [0.1, 0.3]},
    ],
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "clocks.json"
    path.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    return path


@pytest.fixture
def problem(path):
    return dsct_gym.load(path)


def points(*pairs):
    speeds, powers = zip(*pairs, strict=True)
    return OperatingPoints(np.array(speeds), np.array(powers))


class TestHull:
    @pytest.mark.parametrize(
        ("pairs", "hull"),
        [
            ([(4, 5), (2, 1), (3, 2)], [1, 2, 0]),
            ([(1, 1)], [0]),
            ([(1, 1), (2, 2), (3, 3)], [2]),  # in line with standing still
            ([(1, 1), (2, 3), (3, 5)], [0, 2]),  # in line with each other
            ([(1, 5), (2, 3), (3, 9)], [1, 2]),  # slower at more power
            ([(1, 3), (2, 3)], [1]),  # slower at the same power
            ([(1, 1), (2, 2.6), (3, 4), (4, 9)], [0, 2, 3]),  # just above the hull
            ([(1, 9), (2, 8), (3, 7)], [2]),
        ],
    )
    def test_by_hand(self, pairs, hull):
        assert points(*pairs).hull.tolist() == hull

    def test_increments_by_hand(self, problem):
        increments = problem.increments
        assert increments.speed.tolist() == [2.0, 1.0, 1.0]
        assert increments.efficiency == pytest.approx([2.0, 1.0, 1 / 3])
        assert increments.first.tolist() == [0, 3]
        assert problem.core.speeds.tolist() == [4.0]
        assert problem.core.efficiencies.tolist() == [0.8]

    @pytest.mark.parametrize("seed", range(20))
    def test_no_point_lies_below_it_and_efficiencies_fall(self, seed):
        problem = draw_problem(seed, n=1, m=4, most=9)
        for r, given in enumerate(problem.points):
            speeds = np.append(0.0, given.speeds[given.hull])
            powers = np.append(0.0, given.powers[given.hull])
            least = np.interp(given.speeds, speeds, powers)
            assert (given.powers >= least * (1 - 1e-12)).all()
            assert given.fastest == np.argmax(given.speeds)
            mine = problem.increments.owner == r
            assert (np.diff(problem.increments.efficiency[mine]) < 0).all()


class TestProblem:
    def test_it_is_a_value(self, problem):
        for same in (copy.deepcopy(problem), pickle.loads(pickle.dumps(problem))):
            assert same == problem
            assert hash(same) == hash(problem)
        other = DvfsInstance.of(problem.core, [points((4, 5))])
        assert other != problem
        assert problem != problem.core
        assert repr(problem) == (
            "DvfsInstance('clocks', 2 tasks, 1 machines, budget 2 J, 3 operating points)"
        )

    @pytest.mark.parametrize(
        ("pairs", "fault"),
        [
            ([(1, 0)], r"operating_points\[0\].power: must be in 1e-100..1e\+100, got 0"),
            ([(1, 1), (-1, 1)], r"operating_points\[1\].speed: must be in .*, got -1"),
            ([(1, 1), (1, 2)], r"operating_points\[1\].speed: 1 again, as of point 0"),
            ([(1, np.nan)], "must be in"),
            ([(1e-60, 1e60)], "GFLOP/J is out of range"),
        ],
    )
    def test_faults_of_points(self, pairs, fault):
        with pytest.raises(InputError, match=fault):
            points(*pairs)

    def test_shapes_that_do_not_fit(self, problem):
        with pytest.raises(InputError, match="2 powers for 1 speeds"):
            OperatingPoints(np.ones(1), np.ones(2))
        with pytest.raises(InputError, match="at least one point"):
            OperatingPoints(np.zeros(0), np.zeros(0))
        with pytest.raises(InputError, match="points: 0 for 1 machines"):
            DvfsInstance.of(problem.core, [])
        with pytest.raises(InputError, match=r"machines\[0\]: not at its fastest point"):
            DvfsInstance(problem.core, (points((3, 2)),))
        with pytest.raises(InputError, match=r"machines\[0\].operating_points: two points are"):
            DvfsInstance.of(problem.core, [points((1.0, 1.0), (1.0 + 2**-52, 1e95))])


class TestFiles:
    def test_round_trip(self, problem, tmp_path):
        again = tmp_path / "again.json"
        write_instance(problem, again)
        assert json.loads(again.read_text(encoding="utf-8")) == DOCUMENT
        assert dsct_gym.load(again) == problem

    def test_an_instance_says_who_reads_it(self, path):
        with pytest.raises(InputError) as error:
            Instance.load(path)
        assert str(error.value) == (
            "machines[0].operating_points: reserved for a variant; dsct_gym.load reads it"
        )

    def test_machines_with_one_clock_may_stand_beside_it(self, path):
        document = copy.deepcopy(DOCUMENT)
        document["machines"].append({"speed": 3.0, "efficiency": 0.5})
        path.write_text(json.dumps(document), encoding="utf-8")
        problem = dsct_gym.load(path)
        assert problem.points[1] == points((3.0, 6.0))
        assert problem.core.machine_names == ("A", None)

    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            ({"speed": 1.0}, "machines[0].operating_points: given beside speed"),
            (
                {"speed": 1.0, "efficiency": 1.0},
                "machines[0].operating_points: given beside speed and efficiency",
            ),
            ({"operating_points": []}, "machines[0].operating_points: needs at least 1"),
            (
                {"operating_points": [*CLOCKS, CLOCKS[0]]},
                "machines[0].operating_points[3].speed: 4 again, as of point 0",
            ),
            (
                {"operating_points": [{"speed": 1.0, "power": -2.0}]},
                "machines[0].operating_points[0].power: must be above 0, got -2.0",
            ),
            (
                {"operating_points": [{"speed": 1.0}]},
                "machines[0].operating_points[0].power: missing",
            ),
            ({"clock": 3}, "machines[0].clock: unknown key"),
        ],
    )
    def test_refusals(self, path, change, fault, capsys):
        document = copy.deepcopy(DOCUMENT)
        document["machines"][0].update(change)
        path.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(InputError) as error:
            dsct_gym.load(path)
        assert str(error.value).startswith(fault)
        assert command(["bound", str(path)]) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert "Traceback" not in told


class TestSchedules:
    def test_least_energy_by_hand(self, problem):
        # 3.2 GFLOP by 1 s run at 3.2 GFLOP/s: 0.2 s at 4, 0.8 s at 3. One more GFLOP in the second
        # that is left would do with 1 GFLOP/s: at 2 it takes half of it and 0.5 J.
        schedule = schedule_of(problem, np.array([0, 0]), np.array([3.2, 1.0]))
        assert schedule.duration == pytest.approx([1.0, 0.5])
        assert schedule.task_energy == pytest.approx([0.2 * 5 + 0.8 * 2, 0.5])
        assert schedule.start.tolist() == [0.0, pytest.approx(1.0)]
        pieces = schedule.pieces
        assert pieces.task.tolist() == [0, 0, 1]
        assert pieces.speed.tolist() == [4.0, 3.0, 2.0]
        assert pieces.start == pytest.approx([0.0, 0.2, 1.0])
        assert pieces.work == pytest.approx([0.8, 2.4, 1.0])

    def test_allocation_by_hand(self, problem):
        # Task 0 earns 0.2 a GFLOP: 2 GFLOP at 2 GFLOP/J for the first joule, 1 at 1 for the second.
        schedule = allocate(problem, np.array([0, 0]))
        assert schedule.work == pytest.approx([3.0, 0.0])
        assert schedule.energy == pytest.approx(2.0)
        assert schedule.total_accuracy == pytest.approx(0.6 + 0.1)
        assert schedule.verify()

    @pytest.mark.parametrize("name", sorted(SPECIAL))
    def test_files_keep_pieces(self, name, tmp_path):
        problem = SPECIAL[name]
        machine_of = np.arange(problem.core.num_tasks) % problem.core.num_machines
        schedule = allocate(problem, machine_of)
        path = tmp_path / "schedule.json"
        schedule.save(path)
        assert verify_schedule_file(path, problem).reasons == ()
        read = Schedule.load(path, problem)
        assert read.verify()
        assert read.energy == schedule.energy
        assert (read.pieces is None) == (schedule.pieces.task.size == 0)
        if read.pieces is not None:
            for mine, theirs in zip(schedule.pieces, read.pieces, strict=True):
                assert np.array_equal(mine, theirs)
        copied = pickle.loads(pickle.dumps(schedule))
        assert copied.verify()

    def test_a_schedule_of_the_core_is_none_without_clocks(self, problem):
        schedule = allocate(problem.core, np.array([0, 0]))
        bare = Schedule.from_rows(problem, schedule.rows)
        assert "has no pieces that say at which clock it runs: task 0" in bare.verify().reasons

    def test_an_instance_has_one_clock(self, problem, tmp_path):
        path = tmp_path / "schedule.json"
        allocate(problem, np.array([0, 0])).save(path)
        (reason,) = verify_schedule_file(path, problem.core).reasons
        assert reason == "has pieces, but machines here have one clock: task 0"


class TestRefutations:
    """Each lie is found, and only by the rules that it breaks."""

    @pytest.fixture
    def document(self, problem, tmp_path):
        schedule = schedule_of(problem, np.array([0, -1]), np.array([2.8, 0.0]))
        path = tmp_path / "schedule.json"
        schedule.save(path)
        document = json.loads(path.read_text(encoding="utf-8"))
        assert len(document["assignments"][0]["pieces"]) == 2
        return document

    @pytest.mark.parametrize(
        ("lie", "reason"),
        [
            (lambda row: row["pieces"][0].update(speed=3.1), "runs at no operating point"),
            (lambda row: row["pieces"][0].update(power=1.9), "runs at no operating point"),
            (lambda row: row["pieces"][0].update(work=2.5), "work of a piece is not speed"),
            (lambda row: row["pieces"][0].update(duration=0.7), "work of a piece is not speed"),
            (lambda row: row["pieces"][1].update(start=0.9), "its pieces do not follow each other"),
            (lambda row: row["pieces"][0].update(start=0.1), "its pieces do not follow each other"),
            (lambda row: row.update(duration=0.9), "duration is not that of its pieces"),
            (lambda row: row.update(energy=1.0), "energy is not power × duration of its pieces"),
            (lambda row: row.update(work=2.7), "work is not that of its pieces"),
            (lambda row: row.pop("pieces"), "has no pieces that say at which clock it runs"),
            (lambda row: row.update(start=0.5), "ends after its deadline"),
            (
                lambda row: row["pieces"].append(dict(row["pieces"][1], duration=0.0, work=0.0)),
                "has more than 2 pieces",
            ),
        ],
    )
    def test_lies(self, problem, document, tmp_path, lie, reason):
        lie(document["assignments"][0])
        path = tmp_path / "lie.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        found = verify_schedule_file(path, problem).reasons
        assert any(each.startswith(reason) and each.endswith(": task 0") for each in found), found

    def test_it_was_the_truth(self, problem, document, tmp_path):
        path = tmp_path / "truth.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        assert verify_schedule_file(path, problem).reasons == ()

    def test_pieces_in_whatever_order_and_at_points_beyond_the_hull(self, tmp_path):
        core = DOCUMENT | {
            "machines": [{"operating_points": [*CLOCKS, {"speed": 2.5, "power": 1.9}]}]
        }
        path = tmp_path / "core.json"
        path.write_text(json.dumps(core), encoding="utf-8")
        problem = dsct_gym.load(path)
        row = {"task": 0, "machine": 0, "start": 0.1, "duration": 0.8, "work": 2.0, "accuracy": 0.4}
        piece = {"speed": 2.5, "power": 1.9, "start": 0.1, "duration": 0.8, "work": 2.0}
        whole = {
            "format": "dsct-ea-schedule/1",
            "total_accuracy": 0.5,
            "mean_accuracy": 0.25,
            "energy": 1.52,
            "assignments": [{**row, "energy": 1.52, "pieces": [piece]}],
        }
        answer = tmp_path / "answer.json"
        answer.write_text(json.dumps(whole), encoding="utf-8")
        assert verify_schedule_file(answer, problem).reasons == ()

    def test_a_piece_without_a_place(self, problem, document, tmp_path):
        pieces = document["assignments"][0]["pieces"]
        document["assignments"].append({"task": 1, "machine": None, "pieces": pieces[:1]})
        path = tmp_path / "lie.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        assert verify_schedule_file(path, problem).reasons == (
            "has pieces, but no machine: task 1",
        )
