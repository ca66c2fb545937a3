import contextlib
import csv
import json
import math
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import jsonschema
import pytest

from dsct_gym import InputError, Instance, Schedule, generate, upper_bound
from dsct_gym.certificate import Certificate
from dsct_gym.cli import run
from dsct_gym.cli.app import COMMANDS
from dsct_gym.cli.console import plain
from dsct_gym.solver import Progress
from dsct_gym.suites.suite import load_suite
from stub_solvers import STARTED

ALL_COMMANDS = [name for names in COMMANDS.values() for name in names]
TESTS = Path(__file__).parents[1]


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    path = tmp_path / "i.json"
    generate(12, 3, seed=1, name="small").save(path)
    return path


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Runs a command in this process, in an empty folder: status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: object) -> tuple[int, str, str]:
        status = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run_command


def one_line(status: int, out: str, err: str) -> str:
    """The one line of a refusal."""
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("Error: ")
    return err.removeprefix("Error: ").strip()


class TestHelp:
    @pytest.mark.parametrize("command", ALL_COMMANDS)
    def test_every_command_shows_an_example_that_names_it(self, call, command):
        status, out, err = call(command, "--help")
        assert (status, err) == (0, "")
        assert f"dsct-gym {command}" in out.split("Example:")[1]

    def test_brackets_are_shown(self, call):
        out = " ".join(call("bench", "--help")[1].split())
        assert "name[option=value,...]" in out
        assert "'mip[threads=1],random'" in out

    @pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
    def test_lists_all_commands(self, call, arguments):
        status, out, _ = call(*arguments)
        assert status == 0
        assert all(f" {command} " in out for command in ALL_COMMANDS)

    def test_version(self, call):
        assert re.fullmatch(r"dsct-gym \d+\.\d+\.\d+\n", call("--version")[1])

    def test_is_quick(self):
        # Processor time, which a busy machine lengthens less than it does the wall clock.
        script = (
            "import resource, subprocess, sys\n"
            "subprocess.run([sys.executable, '-m', 'dsct_gym', '--help'], capture_output=True)\n"
            "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
            "sys.stdout.write(str(used.ru_utime + used.ru_stime))"
        )
        command = [sys.executable, "-c", script]
        runs = [subprocess.run(command, capture_output=True, check=True) for _ in range(3)]
        assert min(float(run.stdout) for run in runs) < 0.5

    def test_imports_nothing_heavy(self):
        heavy = ("gymnasium", "matplotlib", "numba", "numpy", "pydantic", "pyomo", "scipy", "torch")
        script = (
            "import sys; from dsct_gym.cli import run; run(['--help'])\n"
            f"sys.exit(' '.join(name for name in {heavy} if name in sys.modules))"
        )
        finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert finished.stderr == "\n"


class TestExamples:
    """The examples that the help shows are run as they stand there."""

    @pytest.fixture(autouse=True)
    def suites_may_be_written(self, tmp_path, monkeypatch):
        """What `improve` writes goes to a copy, not into the package."""
        from dsct_gym.suites import suite as suites

        shutil.copytree(str(suites.data_folder()), tmp_path / "data")
        monkeypatch.setattr(suites, "data_folder", lambda: tmp_path / "data")
        suites.load_suite.cache_clear()
        yield
        suites.load_suite.cache_clear()

    @pytest.mark.parametrize(
        "command",
        [
            pytest.param(name, marks=pytest.mark.learning if name == "train" else ())
            for name in ALL_COMMANDS
            if name != "bench"
        ],
    )
    def test_of_each_command(self, call, command, tmp_path):
        from importlib import import_module

        generate(5, 2, seed=1).save(tmp_path / "instance.json")
        table = "latency,model,images\n10 min,efficientnet,60000\n20 min,vit,9000\n"
        Path("requests.csv").write_text(table)
        rate = "T4,tf_efficientnet_b0.aa_in1k,430"
        Path("rates.csv").write_text(f"machine,network,images_per_second\n{rate}\n")
        Path("wt40.txt").write_text("1 " * 40 + "2 " * 40 + "30 " * 40)
        assert call("solve", "dc5-ofa60", "--solver", "greedy", "-o", "schedule.json")[0] == 0
        module = import_module(f"dsct_gym.cli.{command.replace('-', '_')}")
        lines = module.EXAMPLE.strip().splitlines()
        for line in lines:
            words = shlex.split(line.split(">")[0])
            assert words[0] == "dsct-gym"
            status, _, err = call(*words[1:])
            assert (status, err) == (0, "")


class TestGenerate:
    def test_writes_what_the_library_generates(self, call):
        assert call("generate", "-n", 7, "-m", 2, "--mu", 3, "--seed", 5, "-o", "a.json")[0] == 0
        assert Instance.load("a.json") == generate(7, 2, mu=3, seed=5)

    def test_prints_the_same_without_a_file(self, call):
        call("generate", "-n", 7, "-o", "a.json")
        assert call("generate", "-n", 7)[1] == Path("a.json").read_text()

    def test_takes_devices_and_a_family(self, call):
        call(
            "generate", "-n", 4, "--devices", "T4,V100", "--family", "ofa-resnet50", "-o", "a.json"
        )
        made = Instance.load("a.json")
        assert made.machine_names == ("T4", "V100")
        assert made.top_accuracy.tolist() == [0.798] * 4

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            (("-n", "0"), "n:"),
            (("-n", "x"), "'-n'"),
            (("--rho", "nan"), "rho:"),
            (("--seed", "-1"), "seed:"),
            (("--devices", "T5"), "T5"),
            (("--family", ""), "family:"),
            (("-o", "missing/a.json"), "--output: there is no folder missing"),
            (("-o", "."), "--output:"),
            (("--frobnicate", "1"), "--frobnicate"),
        ],
    )
    def test_refuses(self, call, arguments, named):
        assert named in one_line(*call("generate", *arguments))


class TestSolve:
    def test_prints_what_the_schedule_file_says(self, call, instance):
        status, out, err = call("solve", instance, "--solver", "greedy", "-o", "s.json")
        assert (status, err) == (0, "")
        schedule = Schedule.load("s.json", Instance.load(instance))
        assert schedule.verify()
        assert schedule.solver == "greedy"
        assert schedule.upper_bound == pytest.approx(upper_bound(schedule.instance))
        fields = takewhile(str.strip, out.splitlines()[1:])
        shown = dict(line.strip().split("  ", 1) for line in fields)
        assert float(shown["mean accuracy"]) == pytest.approx(schedule.mean_accuracy, abs=1e-6)
        assert float(shown["total accuracy"]) == pytest.approx(schedule.total_accuracy, abs=1e-6)

    def test_machines_are_told(self, call, instance):
        told = json.loads(
            call("solve", instance, "--solver", "approx", "--json", "--csv", "s.csv")[1]
        )
        use = told["machine_use"]
        assert sum(machine["energy"] for machine in use) == pytest.approx(told["energy"])
        with Path("s.csv").open() as table:
            rows = list(csv.DictReader(table))
        assert sum(float(row["accuracy"]) for row in rows) == pytest.approx(told["total_accuracy"])
        for r, machine in enumerate(use):
            mine = [row for row in rows if row["machine"] == str(r)]
            assert machine["tasks"] == len(mine)
            busy = sum(float(row["end"]) - float(row["start"]) for row in mine)
            assert machine["busy"] == pytest.approx(busy)

    def test_without_a_solver_one_is_chosen_and_told(self, call, instance):
        status, out, err = call("solve", instance, "--time-limit", "0.1")
        assert (status, err) == (0, "")
        assert "solved by         descent, for a search has little use of 0.1 s" in out

    def test_begins_with_a_schedule(self, call, instance):
        call("solve", instance, "--solver", "descent", "-o", "s.json")
        before = Schedule.load("s.json", Instance.load(instance))
        again = ("solve", instance, "--start", "s.json", "--json", "--solver")
        told = json.loads(call(*again, "annealing[moves=0]")[1])
        assert told["total_accuracy"] >= before.total_accuracy - 1e-12
        line = one_line(*call(*again, "greedy"))
        assert line.startswith("start: 'greedy' begins anew; those that can use one: annealing")

    def test_json(self, call, instance):
        told = json.loads(call("solve", instance, "--solver", "approx", "--json")[1])
        assert told["gap"] == pytest.approx(1 - told["total_accuracy"] / told["upper_bound"])
        assert told["energy"] <= told["energy_budget"]

    @pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
    def test_draws(self, call, instance, suffix):
        assert call("solve", instance, "--solver", "greedy", "--gantt", f"g.{suffix}")[0] == 0
        start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[suffix]
        assert Path(f"g.{suffix}").read_bytes().startswith(start)

    def test_hands_options_to_the_solver(self, call, instance):
        options = ("--solver", "stub_solvers:Picky", "--option", "moves=11", "--json")
        assert json.loads(call("solve", instance, *options)[1])["proven_bound"] == 11.0

    def test_takes_options_with_the_name_as_everywhere(self, call, instance):
        named = ("--solver", "stub_solvers:Picky[moves=11]", "--json")
        told = json.loads(call("solve", instance, *named)[1])
        assert (told["solver"], told["proven_bound"]) == ("stub_solvers:Picky[moves=11]", 11.0)
        both = json.loads(call("solve", instance, *named, "--option", "moves=12")[1])
        assert both["proven_bound"] == 12.0

    def test_plays_a_checkpoint(self, call, instance):
        from dsct_gym.agents.rl import SHIPPED

        shutil.copy(SHIPPED, "p.safetensors")
        shipped = json.loads(call("solve", instance, "--solver", "rl-greedy", "--json")[1])
        named = ("--solver", "rl-greedy[checkpoint=p.safetensors]", "--json")
        status, out, err = call("solve", instance, *named)
        assert (status, err) == (0, "")
        assert json.loads(out)["total_accuracy"] == shipped["total_accuracy"]

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            (("--solver", "nobody"), "no solver 'nobody'"),
            (("--solver", "gredy"), "no solver 'gredy'; did you mean greedy"),
            (("--solver", "annealing", "--option", "move=3"), "no such option; did you mean moves"),
            (("--solver", "greedy,approx"), "solver: expected one name"),
            (("--solver", "annealing[moves=3"), "solver: brackets do not match"),
            (("--solver", "annealing[move=3]"), "move: solver 'annealing' has no such option"),
            (("--solver", "stub_solvers:Nobody"), "stub_solvers:Nobody"),
            (("--solver", "no_such_package:Solver"), "no_such_package"),
            (("--solver", "greedy", "--time-limit", "-1"), "--time-limit"),
            (("--solver", "greedy", "--time-limit", "nan"), "--time-limit"),
            (("--solver", "greedy", "--seed", "-1"), "--seed"),
            (("--solver", "greedy", "--option", "depth=3"), "depth:"),
            (("--solver", "greedy", "--option", "depth"), "--option:"),
            (("--solver", "stub_solvers:Picky", "--option", "moves=many"), "moves=many"),
            (("--solver", "stub_solvers:Picky", "--option", "moves=[1]"), "moves=[1]"),
            (("--solver", "stub_solvers:Broken"), "no idea"),
            (("--solver", "greedy", "--gantt", "g.gif"), "--gantt:"),
            (("--solver", "greedy", "-o", "missing/s.json"), "--output:"),
            (("--solver", "greedy", "--csv", "missing/s.csv"), "--csv:"),
            (("--start", "missing.json"), "missing.json: No such file"),
        ],
    )
    def test_refuses(self, call, instance, arguments, named, tmp_path):
        assert named in one_line(*call("solve", instance, *arguments))
        assert list(tmp_path.iterdir()) == [instance]

    def test_a_picture_that_fails_is_a_warning(self, call, instance, monkeypatch):
        def fail(schedule, path):
            raise RuntimeError("no ink\nleft")

        monkeypatch.setattr("dsct_gym.gantt.save_gantt", fail)
        arguments = ("--solver", "greedy", "-o", "s.json", "--gantt", "g.png", "--json")
        status, out, err = call("solve", instance, *arguments)
        assert (status, err) == (0, "Warning: no picture g.png: no ink left\n")
        assert json.loads(out)["solver"] == "greedy"
        assert Schedule.load("s.json", Instance.load(instance)).verify()

    def test_names_of_any_script_are_drawn_without_a_word(self, call, instance):
        document = json.loads(instance.read_text())
        document["name"] = "\u4e2d\u6587 $x$"
        document["machines"][0]["name"] = "$\\frac{$"
        document["tasks"][0]["name"] = "\u4efb\u52a1"
        Path("named.json").write_text(json.dumps(document))
        status, _, err = call("solve", "named.json", "--solver", "greedy", "--gantt", "g.png")
        assert (status, err) == (0, "")
        assert Path("g.png").stat().st_size > 1000

    def test_what_cannot_be_written_is_told_all_the_same(self, call, instance, monkeypatch):
        def full_disk(_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full_disk)
        status, out, err = call("solve", instance, "--solver", "greedy", "-o", "s.json", "--json")
        assert (status, err) == (2, "Error: s.json: cannot be written: No space left on device\n")
        assert json.loads(out)["solver"] == "greedy"

    def test_all_faults_of_a_file_are_told_a_line_each(self, call, instance):
        document = json.loads(instance.read_text())
        document["tasks"][3]["accuracy"][2] = 0.01
        document["tasks"][5]["deadline"] = -1
        document["machines"][0]["sped"] = 2
        Path("bad.json").write_text(json.dumps(document))
        status, out, err = call("solve", "bad.json", "--solver", "greedy")
        assert (status, out) == (2, "")
        assert err.splitlines() == [
            "Error: bad.json: machines[0].sped: unknown key; did you mean speed",
            "Error: bad.json: tasks[5].deadline: must be above 0, got -1",
            "Error: bad.json: tasks[3].accuracy: decreasing at breakpoint 2",
        ]

    def test_names_file_and_field_of_a_broken_instance(self, call, instance):
        document = json.loads(instance.read_text())
        document["tasks"][3]["accuracy"][2] = 0.01
        Path("bad.json").write_text(json.dumps(document))
        line = one_line(*call("solve", "bad.json", "--solver", "greedy"))
        assert line == "bad.json: tasks[3].accuracy: decreasing at breakpoint 2"

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"format": "dsct-ea/2"}'])
    def test_names_a_file_that_is_no_instance(self, call, content):
        Path("bad.json").write_bytes(content)
        line = one_line(*call("solve", "bad.json", "--solver", "greedy"))
        assert line.startswith("bad.json: ")

    def test_says_which_instances_ship_when_there_is_none(self, call):
        assert "dc5-ofa60" in one_line(*call("solve", "nope", "--solver", "greedy"))


class TestInstances:
    """Wherever a command takes an INSTANCE."""

    def test_one_of_a_suite_by_its_name(self, call):
        (first, *_) = load_suite("tiny")
        told = json.loads(
            call("solve", "tiny-00", "--solver", "greedy", "-o", "s.json", "--json")[1]
        )
        assert (told["instance"], told["tasks"]) == ("tiny-00", first.core.num_tasks)
        assert call("verify", "tiny-00", "s.json")[0] == 0
        bound = json.loads(call("bound", "tiny-00", "--json")[1])
        assert bound["total_accuracy"] == upper_bound(first)
        told = json.loads(call("bench", "tiny-00", "--solvers", "greedy", "--json")[1])
        assert [record["instance"] for record in told["records"]] == ["tiny-00"]

    def test_a_file_of_that_name_wins_and_a_folder_does_not(self, call, instance):
        Path("dc5-ofa60").mkdir()
        assert json.loads(call("bound", "dc5-ofa60", "--json")[1])["instance"] == "dc5-ofa60"
        shutil.copy(instance, "tiny-00")
        assert json.loads(call("bound", "tiny-00", "--json")[1])["instance"] == "small"
        Path("folder").mkdir()
        assert "folder: Is a directory" in one_line(*call("bound", "folder"))

    def test_names_what_was_perhaps_meant(self, call):
        assert "did you mean dc5-ofa60" in one_line(*call("bound", "dc5-ofa06"))
        assert "tiny-00" in one_line(*call("solve", "tiny00", "--solver", "greedy"))
        assert "dsct-gym suites --json" in one_line(*call("verify", "xyz", "s.json"))

    def test_packed_files(self, call):
        assert call("generate", "-n", "8", "-m", "2", "-o", "eight.json.gz")[0] == 0
        told = json.loads(
            call("solve", "eight.json.gz", "--solver", "greedy", "-o", "s.json.gz", "--json")[1]
        )
        assert told["instance"] == "eight"
        assert call("verify", "eight.json.gz", "s.json.gz")[0] == 0
        told = json.loads(call("bench", "eight.json.gz", "--solvers", "greedy", "--json")[1])
        assert told["records"][0]["instance"] == "eight"


class TestNumbers:
    """Numbers that are none: one line that names the option."""

    SOLVE = ("solve", "tiny-00", "--solver", "greedy")
    BENCH = ("bench", "tiny-00", "--solvers", "greedy")
    EVALUATE = ("evaluate", "greedy", "--suite", "tiny")
    TRAIN = ("train", "--config", "quick", "-o", "run")

    @pytest.mark.parametrize("value", ["-1", "0", "nan", "-inf", "x"])
    @pytest.mark.parametrize("command", [SOLVE, BENCH, EVALUATE, ("bound", "tiny-00")])
    def test_time_limits(self, call, command, value):
        assert "--time-limit" in one_line(*call(*command, "--time-limit", value))

    @pytest.mark.parametrize(
        ("command", "option"),
        [
            (SOLVE, "--seed"),
            (BENCH, "--seed"),
            (BENCH, "--seeds"),
            (BENCH, "--jobs"),
            (BENCH, "--threads"),
            (BENCH, "--grace"),
            (EVALUATE, "--seed"),
            (EVALUATE, "--seeds"),
            (EVALUATE, "--count"),
            (EVALUATE, "--jobs"),
            (EVALUATE, "--reference-moves"),
            (TRAIN, "--seed"),
            *((("generate",), f"--{name}") for name in ("tasks", "machines", "segments", "seed")),
            *((("generate",), f"--{name}") for name in ("mu", "rho", "beta")),
        ],
    )
    @pytest.mark.parametrize("value", ["-1", "nan", "-inf"])
    def test_others(self, call, command, option, value):
        told = one_line(*call(*command, option, value))
        short = {"--tasks": "n:", "--machines": "m:"}.get(option, f"{option[2:]}:")
        assert option in told or told.startswith(short)
        assert not Path("run").exists()

    @pytest.mark.parametrize(
        ("command", "option"),
        [(BENCH, "--seed"), (BENCH, "--seeds"), (BENCH, "--jobs"), (BENCH, "--threads")],
    )
    def test_slips_of_the_hand(self, call, command, option):
        assert option in one_line(*call(*command, option, "1" + "0" * 400))

    def test_infinity_is_no_limit(self, call):
        for command in (self.SOLVE, ("bound", "tiny-00")):
            assert call(*command, "--time-limit", "inf")[0] == 0
        told = json.loads(call(*self.BENCH, "--time-limit", "inf", "--grace", "inf", "--json")[1])
        assert told["records"][0]["time_limit"] is None
        told = json.loads(call(*self.BENCH, "--time-limit", "1e300", "--json")[1])
        assert told["records"][0]["time_limit"] == 1e300


@pytest.fixture
def full(monkeypatch):
    """A function after whose call the disk is full."""

    def fill() -> None:
        def refuse(path, content):
            raise InputError(f"{path}: cannot be written: No space left on device")

        for module in ("atomic", "files", "gantt"):
            monkeypatch.setattr(f"dsct_gym.{module}.write_bytes", refuse)

    return fill


class TestOutputs:
    """What cannot be written is refused before the work, and the work is told all the same."""

    @pytest.mark.parametrize("place", ["absent/x", "file/x", "/proc/self/x", "n" * 300])
    @pytest.mark.parametrize(
        ("option", "command"),
        [
            ("--output", ("generate", "-o")),
            ("--output", ("solve", "tiny-00", "--solver", "stub_solvers:Broken", "-o")),
            ("--gantt", ("solve", "tiny-00", "--solver", "stub_solvers:Broken", "--gantt")),
            ("--output", ("evaluate", "stub_solvers:Broken", "--suite", "tiny", "-o")),
        ],
    )
    def test_files(self, call, option, command, place):
        Path("file").write_text("")
        assert one_line(*call(*command, place)).startswith(f"{option}: ")
        assert Path("file").read_text() == ""

    @pytest.mark.parametrize("place", ["file", "file/x/y", "/proc/self/x/y", "n" * 300])
    @pytest.mark.parametrize(
        ("option", "command"),
        [
            ("--output", ("bench", "tiny-00", "--solvers", "stub_solvers:Broken", "-o")),
            ("--references", ("evaluate", "greedy", "--size", "5x2", "--references")),
            ("--output", ("reproduce", "gap-by-mu", "-o")),
            ("--output", ("report", "file", "-o")),
            ("--output", ("train", "--config", "quick", "-o")),
            ("--output", ("leaderboard", "-o")),
            ("--data", ("improve", ".", "--data")),
        ],
    )
    def test_folders(self, call, option, command, place):
        Path("file").write_text("")
        assert one_line(*call(*command, place)).startswith(f"{option}: ")

    def test_a_folder_where_runs_would_go(self, call):
        Path("out").mkdir()
        Path("out/runs").write_text("")
        told = one_line(*call("bench", "tiny-00", "--solvers", "stub_solvers:Broken", "-o", "out"))
        assert "out/runs" in told

    def test_nothing_is_left_by_the_check(self, call, instance):
        call("bench", "nope", "-o", "out")
        call("solve", "nope", "--solver", "greedy", "-o", "s.json")
        assert list(Path().iterdir()) == [Path(instance.name)]

    def test_a_schedule(self, call, instance, full):
        full()
        status, out, err = call("solve", instance, "--solver", "greedy", "-o", "s.json", "--json")
        assert status == 2
        assert json.loads(out)["solver"] == "greedy"
        assert "No space left" in err

    def test_a_run_of_a_benchmark_is_the_last(self, call, instance, monkeypatch):
        def refuse(self, run):
            raise InputError("cannot be written: No space left on device")

        monkeypatch.setattr("dsct_gym.benchmark.store.Store.put", refuse)
        arguments = ("bench", instance, "--solvers", "greedy,approx", "-o", "out", "--json")
        status, out, err = call(*arguments)
        assert status == 2
        assert [record["solver"] for record in json.loads(out)["records"]] == ["greedy"]
        assert "No space left" in err

    def test_tables(self, call, instance, monkeypatch):
        def refuse(*_):
            raise InputError("x: cannot be written: No space left on device")

        assert call("bench", instance, "--solvers", "greedy", "-o", "out")[0] == 0
        monkeypatch.setattr("dsct_gym.benchmark.store.write_text", refuse)
        monkeypatch.setattr("dsct_gym.benchmark.report.writing.write_text", refuse)
        monkeypatch.setattr("dsct_gym.atomic.write_text", refuse)
        monkeypatch.setattr("dsct_gym.benchmark.session.Session._keepable", lambda self: [])
        for command in (
            ("report", "out"),
            ("bench", instance, "--solvers", "greedy", "-o", "out"),
            ("evaluate", "greedy", "--size", "5x2", "--count", "1", "-o", "e.csv"),
        ):
            status, out, err = call(*command)
            assert status == 2
            assert "greedy" in out
            assert "No space left" in err


class TestTerminal:
    """Text from files is shown by terminals, and commands them nothing."""

    HOSTILE = "\x1b]0;owned\x07\x1b[31m\x9b1m\u202eevil\r\b"

    def commands(self, text):
        return [c for c in text if c not in "\n\t" and (ord(c) < 32 or 127 <= ord(c) < 160)]

    def hostile(self, instance, key, *path):
        document = json.loads(instance.read_text())
        part = document
        for step in path:
            part = part[step]
        part[key] = self.HOSTILE
        Path("hostile.json").write_text(json.dumps(document))
        return "hostile.json"

    def test_names_in_results_and_json(self, call, instance):
        path = self.hostile(instance, "name")
        for flags in ((), ("--json",)):
            for command in ("solve", "bound"):
                solver = ("--solver", "greedy") if command == "solve" else ()
                status, out, err = call(command, path, *solver, *flags)
                assert status == 0
                assert self.commands(out) == self.commands(err) == []
                assert "\u202e" not in out
        assert json.loads(out)["instance"] == self.HOSTILE

    def test_names_in_tables_and_warnings(self, call, instance):
        path = self.hostile(instance, "name")
        status, out, err = call("bench", path, "--solvers", "greedy,stub_solvers:Broken")
        assert status == 1
        assert "evil" in err
        assert self.commands(out) == self.commands(err) == []

    def test_messages_of_refusals(self, call, instance):
        path = self.hostile(instance, "name", "tasks", 0)
        document = json.loads(Path(path).read_text())
        document["tasks"][1]["name"] = self.HOSTILE
        document[self.HOSTILE] = 1
        Path(path).write_text(json.dumps(document))
        for arguments in ((path,), (f"no-{self.HOSTILE}.json",)):
            status, out, err = call("solve", *arguments, "--solver", "greedy")
            assert (status, out) == (2, "")
            assert err.startswith("Error: ")
            assert self.commands(err) == []

    def test_ordinary_text_stays_as_it_is(self):
        assert (
            plain("m\u00fc \u2264 \u4e2d\u6587\ttab\n\U0001f680")
            == "m\u00fc \u2264 \u4e2d\u6587\ttab\n\U0001f680"
        )
        assert plain("a\x1b[0m") == "a\ufffd[0m"


class TestVerify:
    @pytest.fixture
    def schedule(self, call, instance) -> Path:
        call("solve", instance, "--solver", "greedy", "-o", "s.json")
        return Path("s.json")

    def test_accepts(self, call, instance, schedule):
        assert call("verify", instance, schedule)[0] == 0
        assert json.loads(call("verify", instance, schedule, "--json")[1]) == {
            "ok": True,
            "reasons": [],
        }

    def test_gives_the_reasons(self, call, instance, schedule):
        document = json.loads(schedule.read_text())
        document["energy"] *= 2.0
        document["assignments"][0]["start"] += 1e3
        schedule.write_text(json.dumps(document))
        status, out, err = call("verify", instance, schedule)
        assert (status, err) == (1, "")
        assert "ends after its deadline" in out
        assert "energy is" in out
        status, out, _ = call("verify", instance, schedule, "--json")
        assert (status, json.loads(out)["ok"]) == (1, False)

    def test_says_what_it_could_not_check(self, call, instance, schedule):
        document = json.loads(schedule.read_text())
        fractional = upper_bound(Instance.load(instance))
        between = (document["total_accuracy"] + fractional) / 2.0
        for bound, sure in ((fractional, True), (fractional + 1.0, True), (between, False)):
            schedule.write_text(json.dumps({**document, "upper_bound": bound}))
            status, out, _ = call("verify", instance, schedule)
            told = ["feasible, and its numbers are right"]
            told += [] if sure else ["upper_bound: claimed, not checked"]
            assert (status, out.splitlines()) == (0, told)
            answer = json.loads(call("verify", instance, schedule, "--json")[1])
            assert answer.get("unchecked") == (None if sure else ["upper_bound"])
        low = document["total_accuracy"] - 0.1
        schedule.write_text(json.dumps({**document, "upper_bound": low}))
        status, out, _ = call("verify", instance, schedule)
        assert (status, "is below the total" in out, "claimed" in out) == (1, True, False)

    def test_names_the_file_that_cannot_be_read(self, call, instance):
        Path("bad.json").write_text("{}")
        assert one_line(*call("verify", instance, "bad.json")).startswith("bad.json: format")
        assert one_line(*call("verify", instance, "none.json")).startswith("none.json: ")

    @pytest.fixture
    def certificate(self, call, instance) -> Path:
        call("bound", instance, "--method", "columns", "-o", "c.json")
        return Path("c.json")

    def test_checks_a_certificate(self, call, instance, certificate):
        claimed = json.loads(certificate.read_text())["upper_bound"]
        status, out, err = call("verify", instance, certificate)
        assert (status, err) == (0, "")
        assert out.startswith("no schedule exceeds a total accuracy of ")
        told = json.loads(call("verify", instance, certificate, "--json")[1])
        assert (told["ok"], told["reasons"]) == (True, [])
        assert told["upper_bound"]["total_accuracy"] <= claimed * (1 + 1e-12)

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"upper_bound": 1.0}, "upper_bound: the prices prove"),
            ({"energy_price": 0.0, "task_prices": [0.0] * 12}, "upper_bound: the prices prove"),
            ({"task_prices": [0.1]}, "task_prices: 1 prices for 12 tasks"),
        ],
    )
    def test_gives_the_reason_against_a_certificate(
        self, call, instance, certificate, fields, reason
    ):
        certificate.write_text(json.dumps({**json.loads(certificate.read_text()), **fields}))
        status, out, err = call("verify", instance, certificate)
        assert (status, err, len(out.splitlines())) == (1, "", 1)
        assert out.startswith(reason)
        told = json.loads(call("verify", instance, certificate, "--json")[1])
        assert told["ok"] is False
        assert told["reasons"][0].startswith(reason)

    @pytest.mark.parametrize(
        ("fields", "fault"),
        [
            ({"task_prices": [-1.0] * 12}, "task_prices[0]: must be at least 0"),
            ({"energy_price": math.nan}, "energy_price: must be finite"),
            ({"format": "dsct-ea-certificate/2"}, "format: must be 'dsct-ea-certificate/1'"),
        ],
    )
    def test_refuses_a_broken_certificate(self, call, instance, certificate, fields, fault):
        certificate.write_text(json.dumps({**json.loads(certificate.read_text()), **fields}))
        status, out, err = call("verify", instance, certificate)
        assert (status, out) == (2, "")
        assert err.splitlines()[0].startswith(f"Error: c.json: {fault}")

    def test_a_certificate_confirms_the_bound_of_a_schedule(
        self, call, instance, schedule, certificate
    ):
        proven = json.loads(certificate.read_text())["upper_bound"]
        document = json.loads(schedule.read_text())
        between = (document["total_accuracy"] + proven) / 2.0
        for bound, sure in ((proven, True), (between, False)):
            schedule.write_text(json.dumps({**document, "upper_bound": bound}))
            assert "not checked" in call("verify", instance, schedule)[1]
            status, out, _ = call("verify", instance, schedule, "--certificate", certificate)
            assert (status, "not checked" in out) == (0, not sure)
        line = one_line(*call("verify", instance, certificate, "--certificate", certificate))
        assert line == "certificate: c.json is one itself"
        certificate.write_text("{}")
        line = one_line(*call("verify", instance, schedule, "--certificate", certificate))
        assert line.startswith("c.json: format")


class TestBound:
    def test_what_it_writes_proves_what_it_prints(self, call, instance):
        told = json.loads(
            call("bound", instance, "--method", "columns", "-o", "c.json", "--json")[1]
        )
        assert told["certified"] is True
        proven = Certificate.load("c.json").prove(Instance.load(instance))
        assert proven <= told["total_accuracy"] * (1 + 1e-12)
        assert "its certificate" in call("bound", instance, "--method", "columns")[1]

    def test_writes_no_certificate_where_there_is_none(self, call, instance, monkeypatch):
        assert one_line(*call("bound", instance, "-o", "c.json")).startswith("output: ")

        def claim(problem, *, time_limit=None, progress=None):
            return upper_bound(problem)

        monkeypatch.setattr("dsct_gym.bounds.find_bound", lambda name, **options: claim)
        line = one_line(*call("bound", instance, "--method", "columns", "-o", "c.json"))
        assert line == "output: columns gave no certificate of its bound"
        assert "claimed, not checked" in call("bound", instance, "--method", "columns")[1]
        assert not Path("c.json").exists()

    def test_is_the_fractional_bound(self, call, instance):
        told = json.loads(call("bound", instance, "--json")[1])
        bound = upper_bound(Instance.load(instance))
        assert told["total_accuracy"] == pytest.approx(bound)
        assert told["mean_accuracy"] == pytest.approx(bound / 12)
        assert f"{bound / 12:.6f}" in call("bound", instance)[1]

    def test_columns_bound_lies_between_the_best_and_the_fractional(self, call, instance):
        call("solve", instance, "--solver", "exact", "-o", "best.json")
        best = Schedule.load("best.json", Instance.load(instance)).total_accuracy
        told = json.loads(call("bound", instance, "--method", "columns", "--json")[1])
        assert told["method"] == "columns"
        assert best * (1 - 1e-9) <= told["total_accuracy"] <= upper_bound(Instance.load(instance))
        shown = call("bound", instance, "--method", "columns")[1]
        assert f"{told['total_accuracy'] / 12:.6f}" in shown

    def test_takes_options_of_the_method(self, call, instance):
        told = json.loads(
            call("bound", instance, "--method", "columns[tolerance=0.5]", "--json")[1]
        )
        assert told["method"] == "columns[tolerance=0.5]"
        assert told["total_accuracy"] <= upper_bound(Instance.load(instance))
        for method in ("columns[instance=1]", "columns[x=1]", "fractional[progress=1]"):
            assert "has no such option" in one_line(*call("bound", instance, "--method", method))
        assert "method:" in one_line(*call("bound", instance, "--method", "columns[x"))

    def test_refuses_other_methods_and_no_time(self, call, instance):
        line = one_line(*call("bound", instance, "--method", "prayer"))
        assert line == "method: no bound 'prayer'; there are capped, columns, fractional"
        line = one_line(*call("bound", instance, "--time-limit", "0"))
        assert "'--time-limit': must be positive, got 0" in line

    def test_ctrl_c_prints_the_bound_until_then(self, call, instance, monkeypatch):
        def slow(problem, *, time_limit=None, progress=None):
            progress(Progress(0.1, bound=6.5))
            raise KeyboardInterrupt

        monkeypatch.setattr("dsct_gym.bounds.find_bound", lambda name, **options: slow)
        status, out, err = call("bound", instance, "--method", "columns", "--json")
        assert (status, err) == (130, "Interrupted.\n")
        assert json.loads(out)["total_accuracy"] == 6.5


class TestLists:
    @pytest.mark.parametrize("command", ["devices", "families", "solvers"])
    def test_tables_show_what_json_names(self, call, command):
        named = [entry["name"] for entry in json.loads(call(command, "--json")[1])]
        first_words = [line.split()[0] for line in call(command)[1].splitlines() if line.strip()]
        assert len(named) >= 5
        assert set(named) <= set(first_words)

    def test_schemas_describe_the_files(self, call, instance):
        call("solve", instance, "--solver", "greedy", "-o", "s.json")
        for kind, path in (("instance", instance), ("schedule", Path("s.json"))):
            schema = json.loads(call("schema", kind)[1])
            jsonschema.validate(json.loads(path.read_text()), schema)
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate({}, schema)
        assert call("schema")[1] == call("schema", "instance")[1]

    def test_schemas_describe_files_with_operating_points(self, call):
        call("generate", "-n", "5", "-m", "2", "--points", "3", "-o", "points.json")
        call("solve", "points.json", "--solver", "greedy", "-o", "s.json")
        document, answer = (
            json.loads(Path(name).read_text()) for name in ("points.json", "s.json")
        )
        instances, schedules = (
            json.loads(call("schema", kind)[1]) for kind in ("instance", "schedule")
        )
        jsonschema.validate(document, instances)
        assert any("pieces" in row for row in answer["assignments"])
        jsonschema.validate(answer, schedules)
        machine = document["machines"][0]
        points = machine["operating_points"]
        for wrong in (
            {},
            {"speed": 1.0},
            {"speed": 1.0, "efficiency": 1.0, "operating_points": points},
            {"efficiency": 1.0, "operating_points": points},
            {"operating_points": []},
            {"operating_points": [{"speed": 1.0}]},
            {"operating_points": [{"speed": 1.0, "power": 0.0}]},
        ):
            document["machines"][0] = wrong
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(document, instances)
        answer["assignments"][0]["pieces"] = [{"speed": 1.0}]
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(answer, schedules)


class TestBench:
    def test_keeps_and_prints_every_run(self, call, instance):
        generate(6, 2, seed=2).save("other.json")
        names = ("greedy", "approx", "edf-3-levels")
        arguments = ("bench", instance, "other.json", "--solvers", ",".join(names), "-o", "out")
        status, out, _ = call(*arguments, "--gantt")
        assert status == 0
        assert [
            words[0]
            for words in map(str.split, out.splitlines())
            if words[:1] and words[0] in names
        ] == [*names]
        for label, path in (("small", instance), ("other", Path("other.json"))):
            for name in names:
                (kept_at,) = Path(f"out/runs/{label}").glob(f"{name}.*.schedule.json")
                stem = str(kept_at).removesuffix(".schedule.json")
                record = json.loads(Path(f"{stem}.json").read_text())["record"]
                kept = Schedule.load(kept_at, Instance.load(path))
                assert kept.verify()
                assert record["total_accuracy"] == kept.total_accuracy
                assert Path(f"{stem}.png").stat().st_size > 1000
        with Path("out/results.csv").open() as table:
            rows = list(csv.DictReader(table))
        assert [(row["instance"], row["solver"]) for row in rows] == [
            (label, name) for label in ("small", "other") for name in names
        ]

    def test_json(self, call, instance):
        told = json.loads(call("bench", instance, "--solvers", "greedy", "--json")[1])
        assert told["scores"][0]["solver"] == "greedy"
        assert told["records"][0]["instance"] == "small"

    def test_suites_seeds_options_and_what_is_known_of_them(self, call):
        solvers = "random,greedy,edf-3-levels"
        arguments = ("bench", "--suite", "tiny", "--solvers", solvers, "--seeds", 2, "--json")
        told = json.loads(call(*arguments, "-o", "out")[1])
        assert {row["solver"]: row["runs"] for row in told["scores"]} == {
            "random": 48,
            "greedy": 24,
            "edf-3-levels": 24,
        }
        # Not the best of these three, but the best that is known of the suite.
        assert told["scores"][1]["gap_to_best"]["low"] > 1e-4
        # The same command runs nothing again, and another seed only what is new.
        status, out, err = call(*arguments, "-o", "out")
        assert (status, json.loads(out), err) == (0, told, "resuming: 96 of 96 runs are there\n")

    def test_writes_the_report_too(self, call, instance):
        command = ("bench", instance, "--solvers", "greedy,approx", "--report", "-o", "out")
        status, out, err = call(*command)
        assert (status, err) == (0, "")
        assert "out/report.html" in out
        assert "greedy" in Path("out/report.html").read_text()

    def test_runs_again_what_failed_only_when_asked(self, call, instance):
        command = ("bench", instance, "--solvers", "stub_solvers:Broken", "-o", "out", "--json")
        assert "no idea" in call(*command)[2]
        assert "no idea" not in call(*command)[2]
        assert "no idea" in call(*command, "--retry")[2]

    @pytest.mark.parametrize(
        ("solver", "jobs", "threads", "warns"),
        [
            ("greedy", 1, None, False),
            ("mip", 1, None, False),
            ("mip", 1, 1000, True),
            ("mip[threads=999]", 1, None, True),
            ("greedy", 1, 1000, False),
            ("greedy", 999, None, True),
        ],
    )
    def test_warns_when_threads_and_processes_exceed_the_cores(
        self, instance, solver, jobs, threads, warns
    ):
        from dsct_gym.benchmark.guard import Limits
        from dsct_gym.benchmark.job import Job
        from dsct_gym.benchmark.session import Conduct, share_of_cores
        from dsct_gym.benchmark.spec import Spec

        planned = [Job("a", Instance.load(instance), Spec.parse(solver))]
        assert share_of_cores(999) == 1
        conduct = Conduct(jobs, Limits(threads or share_of_cores(jobs)))
        overload = conduct.overload(planned)
        assert (overload is not None and "cores" in overload) == warns
        assert replace(conduct, engine="dask").overload(planned) is None

    def test_goes_on_past_a_solver_that_fails(self, call, instance):
        solvers = "stub_solvers:Broken,greedy"
        status, out, err = call("bench", instance, "--solvers", solvers)
        assert status == 1
        assert "no idea" in err
        assert "greedy" in out

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            (("--solvers", "nobody"), "nobody"),
            (("--solvers", " , "), "--solvers"),
            (("--jobs", "0"), "--jobs"),
            (("--seeds", "0"), "--seeds"),
            (("--solvers", "mip[threads=1"), "solvers:"),
            (("--solvers", "mip[thread=1]"), "thread:"),
            (("--suite", "huge"), "suite: no suite 'huge'"),
            (("--engine", "slurm"), "engine:"),
            (("--engine", "dask"), "address:"),
            (("--retry",), "--retry"),
            (("--report",), "--report"),
            (("--gantt",), "--gantt"),
            (("nope.json",), "nope.json"),
            (("i.json", "i.json"), "'small'"),
            (("-o", "i.json"), "i.json"),
        ],
    )
    def test_refuses(self, call, instance, arguments, named):
        assert named in one_line(*call("bench", *arguments))

    def test_draws_what_is_kept(self, call, instance):
        solvers = "greedy,approx,stub_solvers:Broken"
        arguments = ("bench", instance, "--solvers", solvers, "-o", "out")
        call(*arguments)
        assert not list(Path("out").rglob("*.png"))
        assert "resuming: 3 of 3" in call(*arguments, "--gantt")[2]
        drawn = sorted(Path("out").rglob("*.png"))
        assert [path.name.partition(".")[0] for path in drawn] == ["approx", "greedy"]
        assert drawn[0].read_bytes().startswith(b"\x89PNG")
        os.utime(drawn[0], (0, 0))
        before = drawn[1].stat().st_mtime_ns
        call(*arguments, "--gantt")
        assert drawn[0].stat().st_mtime > 0  # its schedule is newer
        assert drawn[1].stat().st_mtime_ns == before

    def test_says_what_was_made_otherwise(self, call, instance):
        arguments = ("bench", instance, "--solvers", "greedy,approx", "-o", "out")
        assert call(*arguments, "--threads", "1")[0] == 0
        err = call(*arguments, "--threads", "2")[2]
        (told,) = [line for line in err.splitlines() if "made otherwise" in line]
        assert "--threads 1, now 2 (greedy, approx)" in told
        assert "resuming" not in call(*arguments, "--threads", "2", "--fresh")[2]
        assert "made otherwise" not in call(*arguments, "--threads", "2")[2]
        assert "--fresh: needs --output" in one_line(*call("bench", instance, "--fresh"))


@pytest.mark.parametrize(
    "command",
    [
        ("solve", "tiny-00", "--solver", "stub_solvers:Talker"),
        ("bench", "tiny-00", "--solvers", "stub_solvers:Talker"),
        ("evaluate", "stub_solvers:Talker", "--size", "5x2", "--count", "1"),
    ],
)
def test_whatever_a_solver_prints_stdout_is_json(tmp_path, command):
    ran = subprocess.run(
        [sys.executable, "-m", "dsct_gym", *command, "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{TESTS.parent}:{TESTS}"},
    )
    assert ran.returncode == 0
    assert json.loads(ran.stdout)
    assert "made" in ran.stderr


class TestProcess:
    """What only a process of its own shows."""

    def start(self, *arguments: object, **options: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "dsct_gym", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, **{**pipes, **options})

    @pytest.mark.parametrize(
        "words", [("solve", "--solver"), ("bench", "--solvers"), ("bench", "--jobs=2", "--solvers")]
    )
    def test_solvers_in_the_current_folder_are_found(self, instance, tmp_path, words):
        """By the command as by ``python -m``."""
        (tmp_path / "mine.py").write_text(
            "from dsct_gym.baselines.greedy import Greedy\nclass Mine(Greedy):\n    name = 'mine'\n"
        )
        script = Path(sys.executable).with_name("dsct-gym")
        command = [script, words[0], instance, *words[1:], "mine:Mine", "--json"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "mine" in done.stdout

    def test_a_module_in_the_current_folder_does_not_take_pythons_place(self, tmp_path):
        (tmp_path / "random.py").write_text("raise SystemExit('not this one')\n")
        script = Path(sys.executable).with_name("dsct-gym")
        command = [script, "solve", "dc5-ofa60", "--solver", "greedy"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def test_a_terminal_is_told_what_goes_on(self):
        ours, theirs = os.openpty()
        process = self.start("solve", "dc5-ofa60", "--solver", "annealing", stderr=theirs)
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # what a terminal says when the other side has gone
            while part := os.read(ours, 4096):
                shown += part
        os.close(ours)
        out, _ = process.communicate(timeout=30.0)
        assert process.returncode == 0
        assert "mean accuracy" in out
        assert b"compiling, if it is the first time" in shown
        assert b"Error" not in shown

    def interrupt(
        self,
        tmp_path: Path,
        *arguments: object,
        awaited: tuple[Path, str] | None = None,
        by: signal.Signals = signal.SIGINT,
    ) -> tuple[int, str, str]:
        """Starts a command; signals once its solver waits and the awaited file is there."""
        marker = tmp_path / "started"
        folders = [(tmp_path, "started"), *([awaited] if awaited else [])]
        environment = {**os.environ, STARTED: str(marker), "PYTHONPATH": str(TESTS)}
        process = self.start(*arguments, env=environment, start_new_session=True)
        deadline = time.monotonic() + 60.0
        while not all(any(path.glob(name)) for path, name in folders):
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        os.killpg(process.pid, by)
        out, err = process.communicate(timeout=30.0)
        return process.returncode, out, err

    @pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
    def test_ctrl_c_keeps_the_best_schedule(self, instance, tmp_path, by):
        path = tmp_path / "s.json"
        status, out, err = self.interrupt(
            tmp_path, "solve", instance, "--solver", "stub_solvers:Patient", "-o", path, by=by
        )
        assert (status, err) == (130, "Interrupted.\n")
        assert "cut short" in out
        assert Schedule.load(path, Instance.load(instance)).verify()

    def test_ctrl_c_stops_a_solver_that_cannot_save_anything(self, instance, tmp_path):
        path = tmp_path / "s.json"
        status, out, err = self.interrupt(
            tmp_path, "solve", instance, "--solver", "stub_solvers:Stubborn", "-o", path
        )
        assert (status, out, err) == (130, "", "Interrupted.\n")
        assert not path.exists()

    @pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
    @pytest.mark.parametrize(("solver", "jobs"), [("Patient", 1), ("Stubborn", 1), ("Patient", 2)])
    def test_ctrl_c_keeps_the_rows_of_a_benchmark(self, instance, tmp_path, solver, jobs, by):
        solvers = f"edf-3-levels,stub_solvers:{solver},greedy"
        options = ("--solvers", solvers, "--jobs", jobs, "-o", tmp_path / "out")
        first = tmp_path / "out" / "runs" / "small"
        status, out, err = self.interrupt(
            tmp_path,
            "bench",
            instance,
            *options,
            awaited=(first, "edf-3-levels.seed*[0-9a-f].json"),
            by=by,
        )
        assert (status, err) == (130, "Interrupted.\n")
        rows = (tmp_path / "out" / "results.csv").read_text()
        assert "edf-3-levels" in rows
        assert "edf-3-levels" in out
        if (solver, jobs) == ("Patient", 1):
            assert list(csv.DictReader(rows.splitlines()))[-1]["interrupted"] == "True"

    def test_a_reader_that_goes_away_is_no_news(self):
        process = self.start("devices", "--json")
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait() == 141

    def test_a_full_disk_is_one_line(self):
        with Path("/dev/full").open("w") as full:
            process = self.start("schema", stdout=full)
            _, err = process.communicate()
        assert (process.returncode, err) == (2, "Error: standard output: No space left on device\n")
