"""Records from files: whatever is forged or broken ends in one line naming place and field."""

import json
from dataclasses import asdict

import pytest

from dsct_gym import generate
from dsct_gym.benchmark.execution import run_job
from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.record import Status, records_as_csv, records_from_csv
from dsct_gym.benchmark.report.results import Results
from dsct_gym.benchmark.report.writing import write_report
from dsct_gym.benchmark.session import Conduct, Session
from dsct_gym.benchmark.spec import Spec
from dsct_gym.benchmark.store import Broken, Store, StoredRun, _digest, _read
from dsct_gym.errors import InputError
from records import record

HOSTILE = "<img src=x onerror=alert(1)>"


def test_a_table_reads_back_as_it_was():
    rows = [
        record("a", "x", 6.0, proven_bound=7.0, seed=None, time_limit=2.0),
        record("b", "y", 1.0, status=Status.FAILED, message='no, "idea"\nat all'),
        record("c", "z", 2.0, needs=("soft",), value=-3.5, floor=-9.0, measures={"late": 2.0}),
    ]
    assert list(records_from_csv(records_as_csv(rows), "t.csv")) == rows


def test_a_table_of_before_has_the_accuracy_for_its_value():
    new = ("needs", "value", "floor", "measures")
    lines = records_as_csv([record("a", "x", 6.0)]).splitlines()
    old = "\n".join(",".join(line.split(",")[: -len(new)]) for line in lines)
    (found,) = records_from_csv(old, "t.csv")
    assert (found.value, found.floor, found.needs, found.measures) == (6.0, 0.0, (), {})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("machines", HOSTILE),
        ("tasks", "0"),
        ("seconds", "nan"),
        ("total_accuracy", "inf"),
        ("status", "great"),
        ("slack", "7"),
        ("measures", "{"),
        ("instance", ""),
    ],
)
def test_a_forged_table_is_one_line(field, value):
    text = records_as_csv([record("a", "x", 6.0)])
    head, row = text.splitlines()
    cells = row.split(",")
    cells[head.split(",").index(field)] = value
    with pytest.raises(InputError, match=rf"t\.csv: line 2: {field}") as told:
        list(records_from_csv(f"{head}\n{','.join(cells)}\n", "t.csv"))
    assert "\n" not in str(told.value)


JOB = Job("five", generate(5, 2, seed=0), Spec("greedy"), 1.0, 0)


@pytest.fixture
def kept(tmp_path):
    store = Store(tmp_path)
    store.put_instance(JOB)
    store.put(run_job(JOB))
    return store.path_of(JOB)


def forge(path, field, value):
    """Writes another number into a record, and the checksum that goes with it."""
    document = json.loads(path.read_text())
    document.pop("sha256")
    document["record"][field] = value
    document["sha256"] = _digest(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("machines", HOSTILE),
        ("machines", None),
        ("tasks", 2.5),
        ("seed", -1),
        ("total_accuracy", "6"),
        ("measures", {"a": HOSTILE}),
        ("needs", "soft"),
        ("further", 1),
    ],
)
def test_a_forged_record_with_a_right_checksum_is_broken(kept, field, value):
    forge(kept, field, value)
    found = _read(kept)
    assert isinstance(found, Broken)
    assert field in found.told


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("total_accuracy", 4.9),
        ("value", 4.9),
        ("fairness", 0.5),
        ("slack", 0.01),
        ("makespan", 1e-9),
        ("energy", 0.0),
        ("energy_budget", 1e9),
        ("tasks", 6),
        ("fractional_bound", 3.0),
        ("proven_bound", 0.1),
    ],
)
def test_what_its_schedule_refutes_is_not_believed(kept, field, value):
    """Neither by a resumed benchmark, which runs it again, nor by a report, which leaves it out."""
    true = json.loads(kept.read_text())["record"][field]
    forge(kept, field, value)
    store = Store(kept.parents[2])
    session = Session([JOB], store)
    (told,) = session.resume()
    assert field in told
    assert session.missing == [JOB]
    with pytest.raises(InputError, match=field):
        Results.load(store.folder)
    session.run(Conduct(), lambda run: None)
    assert json.loads(kept.read_text())["record"][field] == pytest.approx(true)


def test_a_record_is_what_was_kept(kept):
    found = _read(kept)
    assert isinstance(found, StoredRun)
    assert json.loads(kept.read_text())["record"] == json.loads(json.dumps(asdict(found.record)))


@pytest.mark.parametrize("place", ["runs", "instances", "results.csv", ".lock"])
def test_a_benchmark_writes_through_no_link(kept, tmp_path_factory, place):
    outside = tmp_path_factory.mktemp("outside") / "precious"
    outside.write_text("precious")
    folder = kept.parents[2]
    target = folder / place
    if target.is_dir():
        target.rename(target.with_name("moved"))
    target.unlink(missing_ok=True)
    target.symlink_to(outside.parent if "." not in place else outside)
    with pytest.raises(InputError, match="symbolic link"), Store(folder).opened():
        pass
    assert outside.read_text() == "precious"


def test_a_report_writes_through_no_link(kept, tmp_path):
    outside = tmp_path / "precious"
    outside.write_text("precious")
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "report.html").symlink_to(outside)
    with pytest.raises(InputError, match=r"report\.html: is a symbolic link"):
        write_report(Results.load(kept.parents[2]), folder)
    assert outside.read_text() == "precious"


def test_only_what_a_killed_benchmark_left_is_swept_up(kept):
    folder = kept.parents[2]
    own = [folder / ".0123456789abcdef.tmp", kept.with_name(".fedcba9876543210.tmp")]
    others = [folder / ".mine.tmp", folder / "notes" / ".0123456789abcdef.tmp"]
    (folder / "notes").mkdir()
    for path in (*own, *others):
        path.write_text("")
    with Store(folder).opened():
        pass
    assert not any(path.exists() for path in own)
    assert all(path.exists() for path in others)
