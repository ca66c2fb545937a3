import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from dsct_gym import InputError, generate
from dsct_gym.benchmark.execution import Run, failed_run, run_job
from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.record import Status
from dsct_gym.benchmark.spec import Spec
from dsct_gym.benchmark.store import Broken, Store
from dsct_gym.cli import run as command
from dsct_gym.file_names import former_file_name
from records import record

TESTS = Path(__file__).parents[2]
JOB = Job("five", generate(5, 2, seed=1), Spec("greedy"), time_limit=1.0, seed=0)


@pytest.fixture
def kept(tmp_path) -> tuple[Store, Run]:
    store = Store(tmp_path / "out")
    run = run_job(JOB)
    with store.opened():
        store.put_instance(JOB)
        store.put(run)
    return store, run


def test_gives_back_what_it_was_given(kept):
    store, run = kept
    stored = store.get(JOB)
    assert stored is not None
    assert (stored.record, stored.trace, stored.environment) == (
        run.record,
        run.trace,
        run.environment,
    )
    assert (stored.key, stored.checksum) == (JOB.key, JOB.checksum)
    written = json.loads(store.path_of(JOB).read_text())["record"]
    assert written == json.loads(json.dumps(asdict(run.record)))
    schedule = store.load_schedule(stored)
    assert schedule.verify()
    assert schedule.total_accuracy == run.record.total_accuracy
    assert store.load() == ([stored], [])


def test_gives_nothing_for_another_job(kept):
    store, _ = kept
    assert store.get(replace(JOB, seed=1)) is None
    assert store.get(replace(JOB, solver=Spec("approx"))) is None


def spoil_record(store: Store, how: str) -> None:
    path = store.path_of(JOB)
    text = path.read_text()
    spoiled = {
        "cut": text[: len(text) // 2],
        "emptied": "",
        "a digit": text.replace('"seed": 0', '"seed": 1'),
        "not an object": "[]",
        "another job's": text.replace(JOB.key, "0" * 64),
    }
    path.write_text(spoiled[how])


@pytest.mark.parametrize("how", ["cut", "emptied", "a digit", "not an object", "another job's"])
def test_finds_a_damaged_record(kept, how):
    store, _ = kept
    spoil_record(store, how)
    assert store.get(JOB) is None
    assert store.load() == ([], [Broken(store.path_of(JOB))])


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (("record", "machines"), "<script>alert(1)</script>", "record.machines: must be a whole"),
        (("record", "machines"), None, "record.machines: must be a whole"),
        (("record", "tasks"), None, "record.tasks: must be a whole number"),
        (("record", "tasks"), 2.5, "record.tasks: must be a whole number"),
        (("record", "seed"), -1, "record.seed: must be at least 0"),
        (("record", "total_accuracy"), "much", "record.total_accuracy: must be a number"),
        (("record", "total_accuracy"), "6", "record.total_accuracy: must be a number"),
        (("record", "measures"), {"a": "<b>"}, "record.measures.a: must be a number"),
        (("record", "needs"), "soft", "record.needs: must be a list"),
        (("record", "solver"), ["a"], "record.solver: must be text"),
        (("record", "interrupted"), 1, "record.interrupted: must be true or false"),
        (("record", "status"), "fine", "record.status: must be 'ok'"),
        (("record", "more"), 1, "record.more: unknown key"),
        (("record",), [], "record: must be an object"),
        (("trace",), [[1.0]], "trace[0][1]: missing"),
        (("trace",), [["a", None, None]], "trace[0][0]: must be a number"),
        (("environment",), {"processor": ["a"]}, "environment.processor"),
        (("environment",), [], "environment: must be an object"),
        (("key",), "k", "key: must be of the form"),
        (("checksum",), 7, "checksum: must be text"),
        (("schedule",), 7, "schedule: must be text"),
        (("format",), "dsct-gym-run/2", "format: must be 'dsct-gym-run/1'"),
    ],
)
def test_a_forged_record_is_one_line_that_names_the_field(kept, capsys, place, value, told):
    """Its checksum is right: who forges one can forge the other."""
    store, _ = kept
    path = store.path_of(JOB)
    document = json.loads(path.read_text())
    part = document
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    del document["sha256"]
    content = json.dumps(document, sort_keys=True).encode()
    path.write_text(json.dumps({**document, "sha256": hashlib.sha256(content).hexdigest()}))
    assert store.get(JOB) is None
    sound, (broken,) = store.load()
    assert sound == []
    assert broken.path == path
    assert broken.fault.startswith(told)
    assert command(["report", str(store.folder)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"Error: {store.folder}: holds no sound run")
    assert path.name in line
    assert broken.fault in line


def test_a_deep_document_is_damaged(kept):
    store, _ = kept
    store.path_of(JOB).write_text("[" * 200_000)
    assert store.load() == ([], [Broken(store.path_of(JOB))])


@pytest.mark.parametrize("how", ["cut", "gone"])
def test_finds_a_damaged_schedule(kept, how):
    store, _ = kept
    path = store.load()[0][0].schedule_path
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-20])
    assert store.get(JOB) is None


def test_a_schedule_without_record_is_no_run(kept):
    store, _ = kept
    store.path_of(JOB).unlink()
    assert store.get(JOB) is None
    assert store.load() == ([], [])


def test_keeps_what_failed_without_schedule(kept):
    store, _ = kept
    failed = run_job(replace(JOB, solver=Spec("stub_solvers:Broken")))
    store.put(failed)
    stored = store.get(failed.job)
    assert stored is not None
    assert stored.record == failed.record
    assert not stored.schedule_path.exists()


def test_sweeps_up_and_keeps_others_out(kept):
    store, _ = kept
    left = store.path_of(JOB).with_name(".0123456789abcdef.tmp")
    left.write_text("half")
    with store.opened():
        assert not left.exists()
        with pytest.raises(InputError, match="another benchmark"), Store(store.folder).opened():
            pass
    with store.opened():
        pass


@pytest.mark.parametrize("place", ["runs", "instances", "results.csv", ".lock"])
def test_writes_through_no_link(kept, tmp_path_factory, place):
    outside = tmp_path_factory.mktemp("outside") / "precious"
    outside.write_text("precious")
    store, _ = kept
    target = store.folder / place
    if target.is_dir():
        target.rename(target.with_name("moved"))
    target.unlink(missing_ok=True)
    target.symlink_to(outside.parent if "." not in place else outside)
    with pytest.raises(InputError, match="symbolic link"), store.opened():
        pass
    assert outside.read_text() == "precious"


def test_only_what_a_killed_benchmark_left_is_swept_up(kept):
    store, _ = kept
    folder = store.folder
    own = [folder / ".0123456789abcdef.tmp", store.path_of(JOB).with_name(".fedcba9876543210.tmp")]
    others = [folder / ".mine.tmp", folder / "notes" / ".0123456789abcdef.tmp"]
    (folder / "notes").mkdir()
    for path in (*own, *others):
        path.write_text("")
    with store.opened():
        pass
    assert not any(path.exists() for path in own)
    assert all(path.exists() for path in others)


def test_refuses_another_instance_of_the_same_name(kept):
    store, _ = kept
    store.put_instance(JOB)
    with pytest.raises(InputError, match="another instance called 'five'"):
        store.put_instance(replace(JOB, instance=generate(5, 2, seed=2)))
    store.instance_path("five").write_text("{")
    store.put_instance(JOB)
    assert store.load_instance("five") == JOB.instance


def test_whatever_things_are_called_each_has_a_file_of_its_own(tmp_path):
    store = Store(tmp_path / "out")
    labels = ("beta<0.3", "beta>0.3", "A", "a", "..", "时" * 100, "x" * 5000)
    solvers = (Spec("rl", {"checkpoint": "folder/" * 100 + "a"}), Spec("A"), Spec("a"))
    jobs = [
        replace(JOB, label=label, instance=generate(4, 2, seed=k), solver=solver)
        for k, label in enumerate(labels)
        for solver in solvers
    ]
    with store.opened():
        for job in jobs:
            store.put_instance(job)
            store.put(failed_run(job, Status.FAILED, "no", 0.0))
        for job in jobs:
            assert store.load_instance(job.label) == job.instance
            found = store.get(job)
            assert found is not None
            assert found.record.solver == job.solver.label
    paths = [path.relative_to(tmp_path) for path in tmp_path.rglob("*.json")]
    assert len({str(path).casefold() for path in paths}) == len(labels) + len(jobs)
    assert max(len(part.encode()) for path in paths for part in path.parts) < 200
    assert len(store.load()[0]) == len(jobs)


def test_a_folder_of_before_is_gone_on_with(tmp_path, monkeypatch):
    """Different texts had one name then; each goes on with what is its own."""
    store = Store(tmp_path / "out")
    low, high = (
        replace(JOB, label=label, instance=generate(4, 2, seed=seed), solver=Spec("mip", {"a": 1}))
        for label, seed in (("beta<0.3", 1), ("beta>0.3", 2))
    )
    with monkeypatch.context() as patch:
        patch.setattr("dsct_gym.benchmark.store.file_name", former_file_name)
        store.put_instance(low)
        store.put(failed_run(low, Status.FAILED, "no", 0.0))
    before = set(tmp_path.rglob("*.json"))
    for job in (low, high):
        store.put_instance(job)
    assert store.get(low) is not None
    assert store.get(high) is None
    store.put(failed_run(low, Status.FAILED, "again", 0.0))
    assert before <= set(tmp_path.rglob("*.json"))
    assert [run.record.message for run in store.load()[0]] == ["again"]
    for job in (low, high):
        assert store.load_instance(job.label) == job.instance
    named = replace(low, instance=generate(4, 2, seed=3, name="A"), label="A")
    with monkeypatch.context() as patch:
        patch.setattr("dsct_gym.benchmark.store.file_name", former_file_name)
        store.put_instance(named)
    with pytest.raises(InputError, match="another instance called 'A'"):
        store.put_instance(replace(named, instance=generate(4, 2, seed=4, name="A")))


def test_a_table_replaces_the_one_before(tmp_path):
    store = Store(tmp_path)
    store.keep_table([record("a", "x", 1.0), record("b", "x", 1.0)])
    store.keep_table([record("a", "x", 1.0)])
    assert len((tmp_path / "results.csv").read_text().splitlines()) == 2


def test_refuses_folders_that_are_none(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file"), Store(tmp_path / "file").opened():
        pass
    with pytest.raises(InputError, match="no folder of results"):
        Store(tmp_path).load()


@pytest.mark.parametrize("jobs", [1, 2])
def test_kill_9_loses_the_runs_in_flight_at_most_and_the_same_command_resumes(tmp_path, jobs):
    out, instance = tmp_path / "out", tmp_path / "i.json"
    generate(6, 2, seed=1, name="six").save(instance)
    command = [sys.executable, "-m", "dsct_gym", "bench", str(instance), "-o", str(out)]
    command += ["--solvers", "stub_solvers:Coin", "--seeds", "12", "--jobs", str(jobs)]
    environment = {**os.environ, "PYTHONPATH": f"{TESTS.parent}:{TESTS}"}

    def kept() -> dict[str, bytes]:
        records = (p for p in out.glob("runs/*/*.json") if ".schedule." not in p.name)
        return {path.name: path.read_bytes() for path in records}

    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60.0
    while len(kept()) < 4 and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = kept()
    assert 4 <= len(before) < 12
    sound, damaged = Store(out).load()
    assert (len(sound), damaged) == (len(before), [])
    time.sleep(1.2)  # Workers must not outlive the parent and write or run on.
    assert kept() == before

    again = subprocess.run([*command, "--json"], env=environment, capture_output=True, text=True)
    assert again.returncode == 0
    assert f"resuming: {len(before)} of 12 runs are there" in again.stderr
    assert len(json.loads(again.stdout)["records"]) == 12
    after = kept()
    assert len(after) == 12
    assert before.items() <= after.items()
