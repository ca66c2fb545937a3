"""What an instance holds, derives and refuses."""

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from strategies import instances


def fields(**changes: Any) -> dict[str, Any]:
    """Two machines, three tasks, one of them with a shorter curve."""
    return {
        "speeds": [10.0, 20.0],
        "efficiencies": [5.0, 2.0],
        "deadlines": [3.0, 1.0, 3.0],
        "work": [[0, 10, 30], [0, 5, 5], [0, 1, 2]],
        "accuracy": [[0.0, 0.5, 0.7], [0.1, 0.9, 0.9], [0.0, 0.1, 0.2]],
        "energy_budget": 12.5,
        **changes,
    }


def test_derived_quantities_by_hand() -> None:
    instance = Instance(**fields())
    assert (instance.num_tasks, instance.num_machines) == (3, 2)
    assert instance.powers.tolist() == [2.0, 10.0]
    assert instance.max_work.tolist() == [30.0, 5.0, 2.0]
    assert instance.base_accuracy.tolist() == [0.0, 0.1, 0.0]
    assert instance.top_accuracy.tolist() == [0.7, 0.9, 0.2]
    assert instance.horizon == 3.0
    assert instance.edf_order.tolist() == [1, 0, 2]
    assert instance.edf_rank.tolist() == [1, 0, 2]
    np.testing.assert_allclose(instance.slopes, [[0.05, 0.01], [0.16, 0.0], [0.1, 0.1]])


def test_segments_are_steepest_first_and_skip_padding() -> None:
    segments = Instance(**fields()).segments
    assert segments.task.tolist() == [0, 2, 2, 1, 1]
    np.testing.assert_allclose(segments.slope, [0.16, 0.1, 0.1, 0.05, 0.01])
    np.testing.assert_allclose(segments.width, [5, 1, 1, 10, 20])


@settings(max_examples=80, deadline=None)
@given(instances())
def test_segments_hold_every_rise_once(instance: Instance) -> None:
    segments = instance.segments
    assert (np.diff(segments.slope) <= 0).all()
    assert (segments.slope > 0).all()
    assert (segments.width > 0).all()
    rise = np.zeros(instance.num_tasks)
    np.add.at(rise, instance.edf_order[segments.task], segments.slope * segments.width)
    np.testing.assert_allclose(
        rise, instance.top_accuracy - instance.base_accuracy, rtol=1e-9, atol=1e-12
    )


@settings(max_examples=50, deadline=None)
@given(instances())
def test_edf_order_sorts_and_keeps_ties_in_place(instance: Instance) -> None:
    order = instance.edf_order.tolist()
    assert order == sorted(range(instance.num_tasks), key=lambda j: (instance.deadlines[j], j))
    assert instance.edf_rank[instance.edf_order].tolist() == list(range(instance.num_tasks))


def test_it_owns_read_only_copies() -> None:
    speeds = np.array([10.0, 20.0])
    instance = Instance(**fields(speeds=speeds))
    speeds[0] = -1.0
    assert instance.speeds[0] == 10.0
    with pytest.raises(ValueError, match="read-only"):
        instance.speeds[0] = 1.0
    with pytest.raises(AttributeError):
        instance.energy_budget = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    "changes",
    [
        {"energy_budget": 0},
        {"energy_budget": np.float32(2.0)},
        {"deadlines": [1.0, 1.0, 1.0]},
        {"speeds": [1], "efficiencies": [1]},
        {"speeds": [1] * 9, "efficiencies": [1] * 9},
        {"deadlines": [1], "work": [[0, 1]], "accuracy": [[0.5, 0.5]]},
        {"accuracy": [[0.3, 0.3, 0.3]] * 3},
        {"machine_names": ("a", None), "task_names": [None, "b", "c"], "name": "x"},
        {"speeds": [10**30, 1], "deadlines": (np.int64(1), 2, 3)},
    ],
)
def test_valid_shapes(changes: dict[str, Any]) -> None:
    instance = Instance(**fields(**changes))
    assert np.isfinite(instance.powers).all()
    assert instance.segments.task.size == np.count_nonzero(instance.slopes)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"speeds": [10.0, 0.0]}, "machines[1].speed: must be finite and positive, got 0"),
        ({"speeds": [NAN, 1.0]}, "machines[0].speed: must be finite and positive, got nan"),
        ({"efficiencies": [1.0, INF]}, "machines[1].efficiency: must be finite and positive"),
        ({"efficiencies": [-1.0, 1.0]}, "machines[0].efficiency: must be finite and positive"),
        ({"deadlines": [1.0, 1.0, -2.0]}, "tasks[2].deadline: must be finite and positive"),
        ({"deadlines": [1.0, 1.0]}, "work: 3 rows for 2 tasks"),
        ({"speeds": [1.0] * 3}, "efficiencies: 2 values for 3 machines"),
        ({"energy_budget": -1.0}, "energy_budget: must be in 0..1e+100, got -1"),
        ({"energy_budget": NAN}, "energy_budget: must be in 0..1e+100, got nan"),
        ({"energy_budget": INF}, "energy_budget: must be in 0..1e+100, got inf"),
        ({"energy_budget": "5"}, "energy_budget: must be a number, got str"),
        ({"energy_budget": True}, "energy_budget: must be a number, got bool"),
        ({"energy_budget": None}, "energy_budget: must be a number, got NoneType"),
        ({"energy_budget": 10**400}, "energy_budget: number too large"),
        ({"speeds": [1e101, 1.0]}, "machines[0].speed: must be finite and positive and in"),
        ({"deadlines": [1e-200, 1, 1]}, "tasks[0].deadline: must be finite and positive and in"),
        ({"speeds": []}, "speeds: must not be empty"),
        ({"speeds": [[1.0, 2.0]]}, "speeds: must have 1 dimension(s), got 2"),
        ({"speeds": 3.0}, "speeds: must have 1 dimension(s), got 0"),
        ({"speeds": ["10", "20"]}, "speeds: not an array of numbers"),
        ({"speeds": [True, True]}, "speeds: not an array of numbers"),
        ({"speeds": [1j, 2.0]}, "speeds: not an array of numbers"),
        ({"speeds": [None, 2.0]}, "speeds: not an array of numbers"),
        ({"speeds": np.array(["1", 2.0], object)}, "speeds: not an array of numbers"),
        ({"speeds": [10**400, 1]}, "speeds: number too large"),
        ({"work": [[0, 1], [0, 1, 2], [0, 1]]}, "tasks[0].accuracy: 3 values for 2 breakpoints"),
        ({"work": [[0, 1], [0, 1, 2]]}, "accuracy: 3 curves, but 2 of work"),
        (
            {"work": [[0, "1"], [0, 1, 2]], "accuracy": [[0, 1], [0, 0.5, 1]]},
            "tasks[0].work: not an array of numbers",
        ),
        ({"work": [[0, [1]], [0, 1, 2]], "accuracy": [[0, 1], [0, 0.5, 1]]}, "tasks[0].work: not"),
        ({"work": [3, [0, 1, 2]], "accuracy": [3, [0, 0.5, 1]]}, "tasks[0].work: must have 1 dim"),
        ({"work": "abc"}, "work: not an array of numbers"),
        ({"work": [0, 1, 2]}, "work: must have 2 dimension(s), got 1"),
        ({"work": [[0]] * 3, "accuracy": [[0]] * 3}, "work: needs at least two breakpoints"),
        ({"accuracy": [[0, 1]] * 3}, "accuracy: shape (3, 2), but work (3, 3)"),
        ({"work": [[0, 10, 30], [0, NAN, 5], [0, 1, 2]]}, "tasks[1].work[1]: must be finite"),
        ({"work": [[0, 10, INF], [0, 5, 5], [0, 1, 2]]}, "tasks[0].work[2]: must be finite"),
        ({"work": [[0, 1e-300, 1], [0, 5, 5], [0, 1, 2]]}, "tasks[0].work[1]: must be finite"),
        ({"accuracy": [[0, 0.5, 0.7], [0.1, 0.9, NAN], [0, 0.1, 0.2]]}, "tasks[1].accuracy[2]"),
        ({"accuracy": [[0, 0.1, 0.7], [0.1, 0.9, 0.9], [0, 0.1, 0.2]]}, "tasks[0].accuracy: not c"),
        ({"name": 3}, "name: must be text, got int"),
        ({"name": "\ud800"}, "name: not valid Unicode"),
        ({"machine_names": ["a"]}, "machines: 1 names for 2 machines"),
        ({"machine_names": ["a", 2]}, "machines[1].name: must be text, got int"),
        ({"machine_names": "ab"}, "machines: names must be a sequence"),
        ({"machine_names": {"a": 1, "b": 2}}, "machines: names must be a sequence"),
        ({"machine_names": 3}, "machines: names must be a sequence"),
        ({"machine_names": ["a", "a"]}, "machines[1].name: duplicate name 'a'"),
        ({"task_names": ["a", "b", "a"]}, "tasks[2].name: duplicate name 'a'"),
    ],
)
def test_refusals_name_the_field(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        Instance(**fields(**changes))
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InputError) as error:
        Instance(
            **fields(
                speeds=[10.0, -1.0],
                deadlines=[NAN, 1.0, 0.0],
                energy_budget=-2,
                work=[[0, 10, 5], [1, 2, 3], [0, 1, 2]],
                accuracy=[[0.0, 1.5, 0.7], [0.1, 0.9, 0.8], [0.0, 0.1, 0.5]],
                name=3,
                task_names=["a", "a", 7],
            )
        )
    assert str(error.value).splitlines() == [
        "machines[1].speed: must be finite and positive, got -1",
        "tasks[0].deadline: must be finite and positive, got nan",
        "tasks[2].deadline: must be finite and positive, got 0",
        "energy_budget: must be in 0..1e+100, got -2",
        "tasks[1].work: must start at 0",
        "tasks[0].work: not strictly increasing at breakpoint 2",
        "tasks[0].accuracy: outside [0, 1] at breakpoint 1",
        "tasks[1].accuracy: decreasing at breakpoint 2",
        "tasks[2].accuracy: not concave at breakpoint 1",
        "name: must be text, got int",
        "tasks[1].name: duplicate name 'a'",
        "tasks[2].name: must be text, got int",
    ]


def test_of_many_faults_the_first_are_told() -> None:
    with pytest.raises(InputError) as error:
        Instance(**fields(speeds=[-1.0] * 50, efficiencies=[1.0] * 50))
    lines = str(error.value).splitlines()
    assert lines[0].startswith("machines[0].speed: ")
    assert lines[19].startswith("machines[19].speed: ")
    assert lines[20:] == ["and 30 more faults"]


class Series:
    """What a column of pandas is to those who do not import it: an iterable and an array."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def __iter__(self) -> Any:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        array = np.empty(len(self.values), dtype=object)
        array[:] = self.values
        return array if dtype is None else array.astype(dtype)


RAGGED = {
    "work": [[0, 10, 30], [0, 5], [0, 1, 2]],
    "accuracy": [[0.0, 0.5, 0.7], [0.1, 0.9], [0.0, 0.1, 0.2]],
}


@pytest.mark.parametrize("kind", [list, tuple, np.array, Series])
def test_curves_of_different_lengths_are_padded(kind: Any) -> None:
    ragged = {field: [kind(row) for row in rows] for field, rows in RAGGED.items()}
    assert Instance(**fields(**ragged)) == Instance(**fields())
    columns = {field: Series(rows) for field, rows in RAGGED.items()}
    assert Instance(**fields(**columns)) == Instance(**fields())


@pytest.mark.parametrize(
    "names", [["a", "b"], np.array(["a", "b"]), Series(["a", "b"]), (x for x in "ab"), ("a", "b")]
)
def test_names_come_from_anything_in_order(names: Any) -> None:
    held = Instance(**fields(machine_names=names)).machine_names
    assert held == ("a", "b")
    assert {type(name) for name in held} == {str}


def test_a_missing_value_of_pandas_is_no_name() -> None:
    """Its text columns hold NaN where nothing was given."""
    assert Instance(**fields(machine_names=Series(["a", NAN]))).machine_names == ("a", None)


def test_one_long_curve_among_many_short_ones_is_refused() -> None:
    """Padded, 8,000 curves of two segments and one of 8,000 would take gigabytes."""
    n = 8_000
    long = np.linspace(0.0, 1.0, n)
    with pytest.raises(InputError) as error:
        Instance(
            [1.0],
            [1.0],
            np.ones(n + 1),
            [[0, 1, 2]] * n + [long],
            [[0, 0.5, 0.6]] * n + [long],
            1.0,
        )
    assert str(error.value) == (
        "tasks[8000].work: 8000 breakpoints, to which all 8001 tasks are padded; that must be at "
        "most 16 times the 32000 breakpoints that there are, or 1000000"
    )


def test_names_are_dropped_when_nothing_is_named() -> None:
    assert Instance(**fields(machine_names=[None, None])) == Instance(**fields())


def test_equality_compares_contents() -> None:
    same, other = Instance(**fields()), Instance(**fields(energy_budget=13.0))
    assert Instance(**fields()) == same
    assert hash(Instance(**fields())) == hash(same)
    assert same != other
    assert same != Instance(**fields(speeds=[10.0, 20.000001]))
    assert same != Instance(**fields(name="x"))
    assert same != Instance(**fields(task_names=["a", "b", "c"]))
    assert same != 3


def test_padding_shared_by_all_tasks_changes_nothing() -> None:
    padded = Instance(
        **fields(
            work=[[0, 10, 30, 30], [0, 5, 5, 5], [0, 1, 2, 2]],
            accuracy=[[0.0, 0.5, 0.7, 0.7], [0.1, 0.9, 0.9, 0.9], [0.0, 0.1, 0.2, 0.2]],
        )
    )
    assert padded == Instance(**fields())
    assert hash(padded) == hash(Instance(**fields()))


def test_it_survives_pickling() -> None:
    instance = Instance(**fields(name="x", machine_names=["a", None]))
    copy = pickle.loads(pickle.dumps(instance))
    assert copy == instance
    assert not copy.work.flags.writeable


def test_negative_zero_is_zero() -> None:
    assert str(Instance(**fields(energy_budget=-0.0)).energy_budget) == "0.0"
