import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dsct_gym.benchmark.execution import Run, run_job
from dsct_gym.benchmark.job import Job
from dsct_gym.cli import run

QUICK = ("--reference-moves", 20)


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Evaluates in an empty folder: status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: object) -> tuple[int, str, str]:
        status = run(["evaluate", *(str(argument) for argument in arguments)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run_command


def first_words(out: str) -> list[str]:
    return [line.split()[0] for line in out.splitlines() if line.strip()]


def test_shows_and_writes_the_same_every_time(call, monkeypatch):
    arguments = ("random", "annealing[moves=50]", "--size", "8x2,6x3", "--count", 2, *QUICK)
    outputs = []
    for name, more in (("a.csv", ()), ("b.csv", ("--references", "kept"))):
        status, out, err = call(*arguments, "--seeds", 2, "-o", name, *more)
        assert (status, err) == (0, "")
        words = first_words(out)
        assert words.count("approx-refined") == words.count("random") == 2
        assert {"8x2:", "6x3:"} <= set(words)
        with Path(name).open() as table:
            rows = list(csv.DictReader(table))
        outputs.append([{k: v for k, v in row.items() if k != "seconds"} for row in rows])
    assert len(outputs[0]) == 2 * 2 * (1 + 2 + 2)
    assert outputs[0] == outputs[1]
    assert len(list(Path("kept/runs").glob("*/annealing*.schedule.json"))) == 2 * 2 * 3
    planned: list[Job] = []
    monkeypatch.setattr(
        "dsct_gym.benchmark.session.run_jobs", lambda jobs, *_, **__: planned.extend(jobs) or ()
    )
    assert call(*arguments, "--references", "kept")[0] == 1
    assert len(planned) == 2 * 2 * 3
    assert not any(job.solver.options == {"moves": 20 * job.instance.num_tasks} for job in planned)


def test_ctrl_c_shows_the_instances_that_are_done(call, monkeypatch):
    def run_some(jobs: list[Job], *_: object, **__: object) -> Iterator[Run]:
        yield from map(run_job, jobs[:3])
        raise KeyboardInterrupt

    monkeypatch.setattr("dsct_gym.benchmark.session.run_jobs", run_some)
    status, out, err = call("greedy", "--size", "6x2", "--reference-moves", 0, "-o", "some.csv")
    assert (status, err) == (130, "Interrupted.\n")
    assert "6x2: 1 of 32 instances" in out
    with Path("some.csv").open() as table:
        assert [row["agent"] for row in csv.DictReader(table)] == ["approx-refined", "greedy"]


def test_a_solver_that_raises_is_one_line_and_status_1(call):
    status, out, err = call("stub_solvers:Broken", "--size", "6x2", "--count", 2, *QUICK)
    assert status == 1
    (line,) = err.splitlines()
    assert line.startswith("stub_solvers:Broken gave no schedule in 2 of 2 runs")
    assert line.endswith("RuntimeError: no idea")
    assert "stub_solvers:Broken" in out
    assert "best known" in out


def test_json_of_a_suite(call):
    status, out, err = call("greedy", "--suite", "tiny", "--json")
    assert (status, err) == (0, "")
    (tiny,) = json.loads(out)
    assert (tiny["group"], len(tiny["instances"]), len(tiny["rows"])) == ("tiny", 24, 48)
    first, greedy = tiny["agents"]
    assert first["closed"]["mean"] == 0.0
    assert greedy["wins"] + greedy["ties"] + greedy["losses"] == 24
    # The committed references are optima: nobody is better, and they are at the bound.
    assert tiny["raised"] == []
    assert tiny["best_known_gap"] < 1e-4


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("greedy",), "--suite NAME or --size NxM"),
        (("greedy", "--suite", "huge"), "suite: no suite 'huge'"),
        (("greedy", "--size", "50"), "--size: expected tasks x machines"),
        (("greedy", "--size", "0x3"), "--size: 0x3: n:"),
        (("greedy", "--size", "5x2", "--count", 0), "--count"),
        (("greedy", "--size", "5x2", "--seed", -1), "--seed"),
        (("greedy", "--size", "5x2", "--seeds", 0), "--seeds"),
        (("greedy", "--size", "5x2", "--time-limit", 0), "--time-limit"),
        (("greedy", "--size", "5x2", "-o", "no/where.csv"), "no folder no"),
        (("nobody", "--size", "5x2"), "no solver 'nobody'"),
        (("greedy[moves=3]", "--size", "5x2"), "moves:"),
        (("no.module:Class", "--size", "5x2"), "'no.module:Class'"),
        (("p.safetensors", "--size", "5x2"), "p.safetensors: no such file"),
        (("bad.safetensors", "--size", "5x2"), "bad.safetensors: not a policy checkpoint"),
        (("bad.safetensors", "--decode", "greedy", "--size", "5x2"), "checkpoint:"),
        (("bad.safetensors", "--decode", ",", "--size", "5x2"), "no decoder"),
        (("p.zip", "--size", "5x2"), "p.zip: no such file"),
        (("bad.zip", "--size", "5x2"), "--trust-pickle"),
        (("--size", "5x2"), "AGENT"),
    ],
)
def test_refuses(call, tmp_path, arguments, named):
    for name in ("bad.safetensors", "bad.zip"):
        (tmp_path / name).write_bytes(b"nothing")
    status, out, err = call(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert named in err
