"""Instance and schedule files: round trips, and one line naming the field for every refusal."""

import copy
import gzip
import json
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsct_gym
from dsct_gym.documents import document as document_of
from dsct_gym.documents import (
    json_schemas,
    parse_instance,
    parse_schedule,
    schedule_document,
)
from dsct_gym.errors import InputError
from dsct_gym.files import stem_of, verify_schedule_file
from dsct_gym.instance import Instance
from dsct_gym.schedule import Schedule
from strategies import instances

Document = dict[str, Any]


def document() -> Document:
    """Two machines and two tasks with different numbers of breakpoints, some of them named."""
    return {
        "format": "dsct-ea/1",
        "name": "small",
        "energy_budget": 14.0,
        "machines": [
            {"name": "T4", "speed": 8141.0, "efficiency": 116.3},
            {"speed": 20, "efficiency": 2},
        ],
        "tasks": [
            {"name": "t0", "deadline": 0.25, "work": [0, 10, 30], "accuracy": [0.001, 0.5, 0.76]},
            {"deadline": 1, "work": [0, 5], "accuracy": [0, 1]},
        ],
    }


def test_a_file_of_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "instance.json"
    path.write_text(json.dumps(document()), encoding="utf-8")
    instance = Instance.load(path)
    assert instance.name == "small"
    assert instance.energy_budget == 14.0
    assert instance.speeds.tolist() == [8141.0, 20.0]
    assert instance.efficiencies.tolist() == [116.3, 2.0]
    assert instance.deadlines.tolist() == [0.25, 1.0]
    assert instance.work.tolist() == [[0, 10, 30], [0, 5, 5]]
    assert instance.accuracy.tolist() == [[0.001, 0.5, 0.76], [0, 1, 1]]
    assert instance.machine_names == ("T4", None)
    assert instance.task_names == ("t0", None)
    assert document_of(instance) == document()


def test_the_smallest_file() -> None:
    instance = parse_instance(
        {
            "format": "dsct-ea/1",
            "energy_budget": 0,
            "machines": [{"speed": 1, "efficiency": 1}],
            "tasks": [{"deadline": 1, "work": [0, 1], "accuracy": [0.5, 0.5]}],
        }
    )
    assert instance.energy_budget == 0.0
    assert instance.machine_names is instance.task_names is instance.name is None


@settings(max_examples=100, deadline=None)
@given(instances())
def test_instances_survive_the_round_trip(instance: Instance) -> None:
    read = parse_instance(json.loads(json.dumps(document_of(instance))))
    assert read == instance
    assert document_of(read) == document_of(instance)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.none() | st.text(st.characters(codec="utf-8")), min_size=2, max_size=2))
def test_names_of_any_script_survive(tmp_path_factory: Any, names: list[str | None]) -> None:
    changed = document()
    if names[0] == names[1]:
        names = [names[0], None]
    for task, name in zip(changed["tasks"], names, strict=True):
        task["name"] = name
    path = tmp_path_factory.mktemp("names") / "instance.json"
    instance = parse_instance(changed)
    instance.save(path)
    assert Instance.load(path) == instance
    assert (instance.task_names or (None, None)) == tuple(names)


def test_the_same_instance_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    parse_instance(document()).save(first)
    Instance.load(first).save(str(second))
    assert first.read_bytes() == second.read_bytes()
    # One machine or task a line, so that a difference of two files is legible.
    assert '\n  {"deadline": 1.0, "work": [0.0, 5.0]' in first.read_text(encoding="utf-8")


def put(*path: str | int, to: object) -> Callable[[Document], None]:
    """A change that sets one field."""

    def change(data: Document) -> None:
        target: Any = data
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = to

    return change


def drop(*path: str | int) -> Callable[[Document], None]:
    def change(data: Document) -> None:
        target: Any = data
        for step in path[:-1]:
            target = target[step]
        del target[path[-1]]

    return change


NAN, INF, HUGE = float("nan"), float("inf"), 10**400

REFUSALS: list[tuple[Callable[[Document], None], str]] = [
    (drop("format"), "format: missing"),
    (put("format", to="dsct-ea/2"), "format: must be 'dsct-ea/1'"),
    (put("format", to=1), "format: must be 'dsct-ea/1'"),
    (put("name", to=3), "name: must be text"),
    (put("name", to="\ud800"), "name: not valid Unicode"),
    (put("budget", to=3), "budget: unknown key"),
    (drop("energy_budget"), "energy_budget: missing"),
    (put("energy_budget", to=-1), "energy_budget: must be at least 0, got -1"),
    (put("energy_budget", to=NAN), "energy_budget: must be finite, got nan"),
    (put("energy_budget", to=INF), "energy_budget: must be finite, got inf"),
    (put("energy_budget", to=True), "energy_budget: must be a number, got True"),
    (put("energy_budget", to="14"), "energy_budget: must be a number"),
    (put("energy_budget", to=None), "energy_budget: must be a number"),
    (put("energy_budget", to=[1]), "energy_budget: must be a number"),
    (put("energy_budget", to=HUGE), "energy_budget: must be a number, got an integer of 1329 bits"),
    (put("energy_budget", to=10**5000), "energy_budget: must be a number, got an integer"),
    (put("energy_budget", to=1e300), "energy_budget: must be in 0..1e+100"),
    (drop("machines"), "machines: missing"),
    (put("machines", to=[]), "machines: needs at least 1"),
    (put("machines", to={}), "machines: must be a list"),
    (put("machines", to=None), "machines: must be a list"),
    (put("machines", 1, to=7), "machines[1]: must be an object"),
    (put("machines", 1, to=[]), "machines[1]: must be an object"),
    (put("machines", 1, "name", to="T4"), "machines[1].name: duplicate name 'T4'"),
    (put("machines", 1, "name", to=1), "machines[1].name: must be text"),
    (put("machines", 1, "watts", to=70), "machines[1].watts: unknown key"),
    (
        put("machines", 1, "operating_points", to=[]),
        "machines[1].operating_points: reserved for a variant",
    ),
    (drop("machines", 1, "speed"), "machines[1].speed: missing"),
    (put("machines", 1, "speed", to=0), "machines[1].speed: must be above 0, got 0"),
    (put("machines", 1, "speed", to=-2.5), "machines[1].speed: must be above 0, got -2.5"),
    (put("machines", 1, "speed", to=NAN), "machines[1].speed: must be finite"),
    (put("machines", 1, "speed", to=False), "machines[1].speed: must be a number, got False"),
    (put("machines", 1, "speed", to="1"), "machines[1].speed: must be a number"),
    (put("machines", 1, "speed", to=HUGE), "machines[1].speed: must be a number, got an int"),
    (put("machines", 1, "speed", to=1e200), "machines[1].speed: must be finite and positive and"),
    (drop("machines", 0, "efficiency"), "machines[0].efficiency: missing"),
    (put("machines", 0, "efficiency", to=0.0), "machines[0].efficiency: must be above 0, got 0.0"),
    (put("machines", 0, "efficiency", to=INF), "machines[0].efficiency: must be finite"),
    (drop("tasks"), "tasks: missing"),
    (put("tasks", to=[]), "tasks: needs at least 1"),
    (put("tasks", to="t"), "tasks: must be a list"),
    (put("tasks", 1, to=None), "tasks[1]: must be an object"),
    (put("tasks", 1, "name", to="t0"), "tasks[1].name: duplicate name 't0'"),
    (put("tasks", 1, "arrival", to=0.0), "tasks[1].arrival: reserved for a variant"),
    (put("tasks", 1, "priority", to=1), "tasks[1].priority: unknown key"),
    (drop("tasks", 1, "deadline"), "tasks[1].deadline: missing"),
    (put("tasks", 1, "deadline", to=0), "tasks[1].deadline: must be above 0, got 0"),
    (put("tasks", 1, "deadline", to=NAN), "tasks[1].deadline: must be finite"),
    (put("tasks", 1, "deadline", to=True), "tasks[1].deadline: must be a number, got True"),
    (drop("tasks", 0, "work"), "tasks[0].work: missing"),
    (put("tasks", 0, "work", to=3), "tasks[0].work: must be a list"),
    (put("tasks", 0, "work", to=[]), "tasks[0].work: needs at least 2"),
    (put("tasks", 0, "work", to=[0]), "tasks[0].work: needs at least 2"),
    (put("tasks", 0, "work", 1, to="10"), "tasks[0].work[1]: must be a number"),
    (put("tasks", 0, "work", 1, to=True), "tasks[0].work[1]: must be a number, got True"),
    (put("tasks", 0, "work", 1, to=INF), "tasks[0].work[1]: must be finite"),
    (put("tasks", 0, "work", 1, to=-1), "tasks[0].work[1]: must be at least 0, got -1"),
    (put("tasks", 0, "work", 0, to=1), "tasks[0].work: must start at 0"),
    (put("tasks", 0, "work", to=[0, 30, 10]), "tasks[0].work: not strictly increasing at break"),
    (put("tasks", 0, "work", to=[0, 0, 10]), "tasks[0].work: not strictly increasing at breakp"),
    (put("tasks", 0, "work", to=[0, 10, 10]), "tasks[0].work: not strictly increasing at break"),
    (put("tasks", 1, "work", to=[0, 0]), "tasks[1].work: not strictly increasing at breakpoint 1"),
    (put("tasks", 0, "accuracy", to=[0, 1]), "tasks[0].accuracy: 2 values for 3 breakpoints"),
    (put("tasks", 0, "accuracy", 1, to=NAN), "tasks[0].accuracy[1]: must be finite, got nan"),
    (put("tasks", 0, "accuracy", 1, to=None), "tasks[0].accuracy[1]: must be a number"),
    (put("tasks", 0, "accuracy", 2, to=1.1), "tasks[0].accuracy[2]: must be at most 1, got 1.1"),
    (put("tasks", 0, "accuracy", 0, to=-0.1), "tasks[0].accuracy[0]: must be at least 0, got"),
    (put("tasks", 0, "accuracy", 2, to=0.4), "tasks[0].accuracy: decreasing at breakpoint 2"),
    (put("tasks", 0, "accuracy", 1, to=0.01), "tasks[0].accuracy: not concave at breakpoint 1"),
]


@pytest.mark.parametrize(("change", "message"), REFUSALS, ids=[message for _, message in REFUSALS])
def test_refusals_name_the_field(change: Callable[[Document], None], message: str) -> None:
    data = document()
    change(data)
    with pytest.raises(InputError) as error:
        parse_instance(data)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 200


def test_all_faults_of_a_file_are_told_at_once() -> None:
    """Those of the format, and those of curves and names in what the format lets pass."""
    data = document()
    data["tasks"] += [*copy.deepcopy(data["tasks"]), {"deadline": 2}]
    for change in (
        put("budget", to=3),
        put("energy_budget", to=-1),
        put("machines", 0, "sped", to=3.0),
        put("machines", 1, "speed", to=1e200),
        put("tasks", 0, "accuracy", 1, to=0.01),
        put("tasks", 1, "deadline", to="soon"),
        put("tasks", 2, "accuracy", to=[0, 1]),
        put("tasks", 3, "work", to=[0, 0]),
    ):
        change(data)
    data["tasks"] += [{"name": "t0", "deadline": 1, "work": [0, 5], "accuracy": [0, 1]}]
    assert (refusal(data) or "").split("\n") == [
        "energy_budget: must be at least 0, got -1",
        "machines[0].sped: unknown key; did you mean speed",
        "tasks[1].deadline: must be a number",
        "tasks[2].accuracy: 2 values for 3 breakpoints",
        "tasks[3].work: not strictly increasing at breakpoint 1",
        "tasks[4].work: missing",
        "tasks[4].accuracy: missing",
        "budget: unknown key; did you mean energy_budget",
        "machines[1].speed: must be finite and positive and in 1e-100..1e+100, got 1e+200",
        "tasks[0].accuracy: not concave at breakpoint 1",
        "tasks[5].name: duplicate name 't0'",
    ]


def test_of_many_faults_the_first_are_told() -> None:
    data = document()
    data["tasks"] = [{"deadline": -1, "work": [0, 5], "accuracy": [0, 1]}] * 100
    lines = (refusal(data) or "").split("\n")
    assert lines[0] == "tasks[0].deadline: must be above 0, got -1"
    assert lines[20:] == ["and 80 more faults"]


@pytest.mark.parametrize(
    ("change", "meant"),
    [
        (put("energy_buget", to=1), "energy_buget: unknown key; did you mean energy_budget"),
        (put("Name", to="x"), "Name: unknown key; did you mean name"),
        (put("machines", 0, "eficiency", to=1), "machines[0].eficiency: unknown key; did you mean"),
        (put("tasks", 0, "deadlines", to=1), "tasks[0].deadlines: unknown key; did you mean dead"),
    ],
)
def test_keys_that_were_perhaps_meant_are_named(
    change: Callable[[Document], None], meant: str
) -> None:
    data = document()
    change(data)
    assert (refusal(data) or "").startswith(meant)


@pytest.mark.parametrize("data", [None, 3, "x", [], [document()], True])
def test_a_file_must_hold_an_object(data: object) -> None:
    with pytest.raises(InputError, match=r"^document: must be an object"):
        parse_instance(data)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON: .* at line 1, column 1"),
        (b'{"format": "dsct-ea/1", "energy', "not JSON: .* at line 1"),
        (b'{"format": "dsct-ea/1",\n}', "not JSON: .* at line [12]"),
        (b'{"format": "dsct-ea/1"} x', "not JSON: "),
        (b'{"a": 1, "a": 2}', "a: key given twice"),
        (b'{"tasks": [{"work": 1, "deadline": 2, "work": 3}]}', "work: key given twice"),
        (b'\xff\xfe{"format"', "not UTF-8 at byte 0"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"energy_budget": ' + b"9" * 5000 + b"}", "digits"),
        (b'{"energy_budget": 1e999}', "format: missing|energy_budget: must be finite"),
    ],
)
def test_what_is_no_json_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        Instance.load(path)
    assert "\n" not in str(error.value)


def test_a_byte_order_mark_is_taken(tmp_path: Path) -> None:
    """Editors and PowerShell on Windows begin files with one."""
    path = tmp_path / "marked.json"
    path.write_text(json.dumps(document()), encoding="utf-8-sig")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert Instance.load(path) == parse_instance(document())


def test_memory_grows_with_what_a_file_holds(tmp_path: Path) -> None:
    """Padded to the one long curve, 8,000 short ones would take gigabytes."""
    data, count = document(), 8_000
    short = {"deadline": 1, "work": [0, 1], "accuracy": [0, 1]}
    long = {**short, "work": list(range(count)), "accuracy": [1] * count}
    data["tasks"] = [short] * count + [long]
    path = tmp_path / "long.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    tracemalloc.start()
    with pytest.raises(InputError) as error:
        Instance.load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert str(error.value) == (
        "tasks[8000].work: 8000 breakpoints, to which all 8001 tasks are padded; that must be at "
        "most 16 times the 24000 breakpoints that there are, or 1000000"
    )
    assert peak < 100 * path.stat().st_size


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_are_refused_in_files(tmp_path: Path, word: str) -> None:
    text = json.dumps(document()).replace("14.0", word)
    (tmp_path / "bad.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"^energy_budget: must be finite"):
        Instance.load(tmp_path / "bad.json")


def test_every_truncation_of_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.json"
    whole = json.dumps(document()).encode()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match="not JSON"):
            Instance.load(path)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_value_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    """Whatever is put in the place of a field: an instance, or an InputError of one line."""
    places = [
        ("format",), ("name",), ("energy_budget",), ("machines",), ("machines", 0),
        ("machines", 0, "speed"), ("machines", 0, "name"), ("tasks",), ("tasks", 0),
        ("tasks", 0, "deadline"), ("tasks", 0, "work"), ("tasks", 0, "accuracy"),
        ("tasks", 0, "work", 1), ("tasks", 0, "accuracy", 2), ("extra",),
    ]  # fmt: skip
    changed = document()
    put(*data.draw(st.sampled_from(places)), to=data.draw(JSON_VALUES))(changed)
    message = refusal(changed)
    if message is None:
        instance = parse_instance(changed)
        assert parse_instance(document_of(instance)) == instance
    else:
        assert all(re.match(r".+: \S", line) for line in message.split("\n"))


def refusal(data: Document) -> str | None:
    try:
        parse_instance(data)
    except InputError as error:
        return str(error)
    return None


@pytest.mark.parametrize("key", ["a\nb", "\ud800", "x" * 10_000, "", "a.b"])
def test_strange_keys_are_named_in_one_short_line(tmp_path: Path, key: str) -> None:
    message = refusal({**document(), key: 1}) or ""
    assert message.endswith(("unknown key", "not valid Unicode"))
    assert len(message.splitlines()) == 1
    assert len(message) < 100
    path = tmp_path / "twice.json"
    path.write_text(f"{{{json.dumps(key)}: 1, {json.dumps(key)}: 2}}", encoding="utf-8")
    with pytest.raises(InputError, match="key given twice") as error:
        Instance.load(path)
    assert len(str(error.value).splitlines()) == 1


def test_packed_files_are_read_and_written_always_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = parse_instance(document())
    plain, packed = tmp_path / "i.json", tmp_path / "i.json.gz"
    instance.save(plain)
    instance.save(packed)
    first = packed.read_bytes()
    monkeypatch.setattr("time.time", lambda: 1e9)
    instance.save(packed)
    assert packed.read_bytes() == first
    assert gzip.decompress(first) == plain.read_bytes()
    assert Instance.load(packed) == dsct_gym.load(packed) == instance
    schedule = dsct_gym.allocate(instance, np.zeros(instance.num_tasks, np.int64))
    schedule.save(tmp_path / "s.json.gz")
    assert Schedule.load(tmp_path / "s.json.gz", instance).verify()


def test_so_much_is_read_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsct_gym.files.LARGEST", 2**20)
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(gzip.compress(b" " * 2**22))
    with pytest.raises(InputError, match="holds more than 1 MiB"):
        Instance.load(path)
    with pytest.raises(InputError, match="/dev/zero: holds more than 1 MiB"):
        Instance.load("/dev/zero")
    path.write_bytes(b"{}")
    with pytest.raises(InputError, match="Not a gzipped file"):
        Instance.load(path)


@pytest.mark.parametrize(
    ("path", "stem"),
    [("a/b.json", "b"), ("b.json.gz", "b"), ("tiny-00", "tiny-00"), ("a.b.json", "a.b")],
)
def test_the_stem_is_what_a_file_is_called(path: str, stem: str) -> None:
    assert stem_of(path) == stem


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        Instance.load(tmp_path / "absent.json")
    with pytest.raises(InputError, match="Is a directory"):
        Instance.load(tmp_path)
    with pytest.raises(InputError, match="null"):
        Instance.load("a\0b")
    for target in (tmp_path / "absent" / "x.json", tmp_path, tmp_path / ("x" * 300), "a\0b"):
        with pytest.raises(InputError, match="cannot be written"):
            parse_instance(document()).save(target)


# Schedules


def problem() -> Instance:
    return Instance(
        [10.0, 20.0], [5.0, 2.0], [3.0, 1.0, 2.0], [[0, 10, 30]] * 3, [[0.1, 0.5, 0.7]] * 3, 14.0
    )


def answer() -> Schedule:
    machine, work = np.array([0, -1, 1]), np.array([20.0, 0.0, 16.0])
    schedule = Schedule.from_work(problem(), machine, work, solver="hand")
    return schedule.credited(seconds=0.25, upper_bound=2.0)


def test_a_schedule_file_of_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "schedule.json"
    answer().save(path)
    data = json.loads(path.read_text(encoding="utf-8"))
    assert data == {
        "format": "dsct-ea-schedule/1",
        "instance": None,
        "solver": "hand",
        "seconds": 0.25,
        "total_accuracy": pytest.approx(1.26),
        "mean_accuracy": pytest.approx(0.42),
        "energy": pytest.approx(12.0),
        "upper_bound": 2.0,
        "assignments": [
            {
                "task": 0,
                "machine": 0,
                "start": 0.0,
                "duration": 2.0,
                "work": 20.0,
                "accuracy": pytest.approx(0.6),
                "energy": 4.0,
            },
            {
                "task": 2,
                "machine": 1,
                "start": 0.0,
                "duration": 0.8,
                "work": 16.0,
                "accuracy": pytest.approx(0.56),
                "energy": 8.0,
            },
        ],
    }
    assert verify_schedule_file(path, problem()).reasons == ()
    read = Schedule.load(path, problem())
    assert read.verify().reasons == ()
    assert schedule_document(read) == data
    read.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


def test_rows_in_any_order_and_with_null_machines_are_read() -> None:
    data = schedule_document(answer())
    data["assignments"] = [
        data["assignments"][1],
        {"task": 1, "machine": None},
        data["assignments"][0],
    ]
    read = parse_schedule(data, problem())
    assert read.machine.tolist() == [0, -1, 1]
    assert read.verify().reasons == ()


FIRST = ("assignments", 0)
SCHEDULE_REFUSALS: list[tuple[Callable[[Document], None], str]] = [
    (put("format", to="dsct-ea/1"), "format: must be 'dsct-ea-schedule/1'"),
    (drop("total_accuracy"), "total_accuracy: missing"),
    (put("total_accuracy", to=NAN), "total_accuracy: must be finite"),
    (put("mean_accuracy", to="0.4"), "mean_accuracy: must be a number"),
    (put("mean_accuracy", to=0.5), "mean_accuracy: 0.5 is not total_accuracy / 3 tasks"),
    (put("energy", to=INF), "energy: must be finite"),
    (put("upper_bound", to="x"), "upper_bound: must be a number"),
    (put("seconds", to=-1), "seconds: must be at least 0"),
    (put("extra", to=1), "extra: unknown key"),
    (put("assignments", to={}), "assignments: must be a list"),
    (put(*FIRST, to=1), "assignments[0]: must be an object"),
    (put(*FIRST, "task", to=3), "assignments[0].task: 3 of 3 tasks"),
    (put(*FIRST, "task", to=-1), "assignments[0].task: must be at least 0"),
    (put(*FIRST, "task", to=1.5), "assignments[0].task: must be a whole number"),
    (put(*FIRST, "task", to=True), "assignments[0].task: must be a whole number"),
    (put(*FIRST, "task", to=10**30), "assignments[0].task: must be at most"),
    (put(*FIRST, "task", to=2), "assignments[1].task: 2 is placed twice"),
    (put(*FIRST, "machine", to=2), "assignments[0].machine: 2 of 2 machines"),
    (put(*FIRST, "machine", to=-1), "assignments[0].machine: must be at least 0"),
    (put(*FIRST, "machine", to="0"), "assignments[0].machine: must be a whole number"),
    (drop(*FIRST, "machine"), "assignments[0].machine: missing"),
    (drop(*FIRST, "start"), "assignments[0]: a row with a machine needs start"),
    (drop(*FIRST, "accuracy"), "assignments[0]: a row with a machine needs accuracy"),
    (put(*FIRST, "accuracy", to=None), "assignments[0]: a row with a machine needs accuracy"),
    (put(*FIRST, "work", to=NAN), "assignments[0].work: must be finite"),
    (put(*FIRST, "finish", to=1.0), "assignments[0].finish: unknown key"),
]


@pytest.mark.parametrize(
    ("change", "message"), SCHEDULE_REFUSALS, ids=[message for _, message in SCHEDULE_REFUSALS]
)
def test_schedule_refusals_name_the_field(change: Callable[[Document], None], message: str) -> None:
    data = schedule_document(answer())
    change(data)
    with pytest.raises(InputError) as error:
        parse_schedule(data, problem())
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_schedule_of_another_instance_is_refused() -> None:
    data = schedule_document(answer())
    data["instance"] = "a"
    named = parse_instance({**document_of(problem()), "name": "b"})
    with pytest.raises(InputError, match="instance: it answers 'a', not 'b'"):
        parse_schedule(data, named)
    assert parse_schedule(data, problem()).verify()


CLAIMS: list[tuple[Callable[[Document], None], str]] = [
    (put("mean_accuracy", to=0.5), "mean_accuracy is 0.42, not 0.5"),
    (put("total_accuracy", to=1.3), "total_accuracy is 1.26, not 1.3"),
    (put("energy", to=11.0), "energy is 12, not 11"),
    (put("upper_bound", to=1.0), "upper_bound 1 is below the total"),
    (put("instance", to="other"), "it answers instance 'other', not 'mine'"),
    (put(*FIRST, "task", to=7), "no such task in the instance: task 7"),
    (put(*FIRST, "machine", to=7), "machine is not one of 2: task 0"),
    (put(*FIRST, "task", to=2), "placed more than once: task 2"),
    (put(*FIRST, "start", to=1.5), "ends after its deadline: task 0"),
    (put(*FIRST, "accuracy", to=0.7), "accuracy is not the curve's: task 0"),
    (put(*FIRST, "machine", to=None), "works without a machine: task 0"),
    (
        lambda data: data["assignments"].append({"task": 1, "machine": None, "accuracy": 0.9}),
        "accuracy is not the curve's: task 1",
    ),
]


@pytest.mark.parametrize(("change", "reason"), CLAIMS, ids=[reason for _, reason in CLAIMS])
def test_false_claims_of_a_file_are_reasons(
    tmp_path: Path, change: Callable[[Document], None], reason: str
) -> None:
    data = copy.deepcopy(schedule_document(answer()))
    change(data)
    path = tmp_path / "schedule.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    instance = parse_instance({**document_of(problem()), "name": "mine"})
    reasons = verify_schedule_file(path, instance).reasons
    assert any(found.startswith(reason) for found in reasons), reasons


def test_claims_about_unplaced_tasks_are_kept_and_caught() -> None:
    data = schedule_document(answer())
    data["assignments"].append({"task": 1, "machine": None, "work": 5.0, "accuracy": 0.9})
    reasons = parse_schedule(data, problem()).verify().reasons
    assert any(re.match("works without a machine: task 1", reason) for reason in reasons)


def test_an_unfinished_number_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "schedule.json"
    with pytest.raises(InputError, match="NaN and infinity cannot be written"):
        answer().credited(upper_bound=float("inf")).save(path)
    assert not path.exists()


# JSON Schema


def test_schemas_accept_what_is_read() -> None:
    schemas = json_schemas()
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document(), schemas["dsct-ea/1"])
    jsonschema.validate(document_of(problem()), schemas["dsct-ea/1"])
    jsonschema.validate(schedule_document(answer()), schemas["dsct-ea-schedule/1"])


@pytest.mark.parametrize(
    "change",
    [
        put("tasks", to=[]),
        put("extra", to=1),
        put("tasks", 0, "arrival", to=1.0),
        put("machines", 0, "speed", to=0),
        put("machines", 0, "speed", to="1"),
        put("tasks", 0, "accuracy", to=[0, 2]),
        drop("energy_budget"),
    ],
)
def test_schemas_refuse_what_is_refused(change: Callable[[Document], None]) -> None:
    data = document()
    change(data)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, json_schemas()["dsct-ea/1"])
    with pytest.raises(InputError):
        parse_instance(data)
