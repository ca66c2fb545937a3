"""What has been warmed up is there for good: whoever asks next compiles nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import dsct_gym
from dsct_gym import InputError, kernel_cache, warm_up
from dsct_gym.cli import run
from dsct_gym.warming import warmable

TESTS = Path(__file__).parents[1]
ASSIGN = "DSCT-EA-Assign-v0"

USE = f"""
import gymnasium
from dsct_gym import generate, make_solver, upper_bound
instance = generate(12, 3, seed=1)
make_solver("greedy").solve(instance)
upper_bound(instance)
for source in ({{"n": (2, 6), "m": 2}}, {{"instance": instance}}):
    env = gymnasium.make("{ASSIGN}", guidance=True, **source)
    env.reset(seed=0)
    over = False
    while not over:
        over = env.step(env.action_space.sample())[2]
"""


def command(*arguments: str, cache: Path | None = None) -> subprocess.Popen[str]:
    """``dsct-gym warm-up`` in a process of its own that finds the stubs."""
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    if cache is not None:
        environment["NUMBA_CACHE_DIR"] = str(cache)
    return subprocess.Popen(
        [sys.executable, "-m", "dsct_gym", "warm-up", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_afterwards_nothing_is_compiled(tmp_path):
    names = ["greedy", "fractional", ASSIGN]
    for _ in range(2):
        out, err = command(*names, "--jobs", "2", "--json", cache=tmp_path).communicate()
        assert err == ""
        told = json.loads(out)
        assert {each["name"] for each in told["warmed"]} == set(names)
        kernels = [kernel for each in told["warmed"] for kernel in each["kernels"]]
        assert len(kernels) == told["kernels"] == len(set(kernels))  # none in two processes
    assert kernels == []
    assert Path(told["folder"]).is_relative_to(tmp_path)
    used = subprocess.run(
        [sys.executable, "-c", USE],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (used.returncode, used.stderr) == (0, "")


def test_one_that_fails_does_not_stop_the_others():
    clumsy, fatal = "stub_solvers:Clumsy", "stub_solvers:Fatal"
    started = command("greedy", clumsy, fatal, "--json")
    out, err = started.communicate()
    assert started.returncode == 1
    warmed = {each["name"]: each["fault"] for each in json.loads(out)["warmed"]}
    assert warmed["greedy"] is None
    assert warmed[clumsy] == "RuntimeError: pricked its finger"
    assert warmed[fatal] == "its process died"
    lines = [line for line in err.splitlines() if "not warmed up" in line]
    assert lines == [
        f"{clumsy}: not warmed up: RuntimeError: pricked its finger",
        f"{fatal}: not warmed up: its process died",
    ]


def test_python_hears_where_it_stands():
    heard = []
    done = warm_up("greedy", processes=1, progress=heard.append)
    assert [each.name for each in done.warmed] == ["greedy"]
    assert done.failed == ()
    assert (heard[0].done, heard[0].names) == (0, 1)
    assert 0.0 < done.warmed[0].seconds <= done.seconds


def test_everything_can_be_named():
    assert {"rl", "exact", "columns", "fractional", *dsct_gym.registration.ENVIRONMENTS} <= set(
        warmable()
    )


@pytest.mark.parametrize(
    ("arguments", "told"), [(["gredy"], "did you mean greedy"), (["--jobs", "0"], "--jobs")]
)
def test_a_wrong_name_is_refused(capsys, arguments, told):
    assert run(["warm-up", *arguments]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)
    assert told in captured.err


def test_where_nothing_can_be_kept_nothing_is_compiled(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(
        kernel_cache, "_folders", lambda source, *, make=False: iter([tmp_path / "file" / "below"])
    )
    with pytest.raises(InputError, match=r"kernels cannot be kept.*NUMBA_CACHE_DIR") as refused:
        warm_up("greedy")
    assert len(refused.value.lines) == 1


def test_it_can_be_interrupted(tmp_path):
    started = command("stub_solvers:Tailor", "stub_solvers:Sleeper")
    time.sleep(4.0)
    began = time.monotonic()
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=10.0)
    assert time.monotonic() - began < 5.0
    assert (started.returncode, out, err) == (130, "", "Interrupted.\n")
