"""Every example runs as it stands, for a shorter time."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from dsct_gym.cli import run

EXAMPLES = Path(__file__).parents[1] / "examples"

FEWER = {
    "play_by_hand.py": ("chart.png",),
    "train_maskable_ppo.py": ("3200",),
    "own_network.py": ("2",),
    "cleanrl_ppo.py": ("--total-timesteps", "3200"),
    "torchrl_ppo.py": ("500",),
    "serve_and_schedule.py": ("4000",),
}
"""Arguments with which each ends within seconds."""

NEEDED = {
    "train_maskable_ppo.py": "sb3_contrib",
    "own_network.py": "torch",
    "cleanrl_ppo.py": "torch",
    "torchrl_ppo.py": "torchrl",
}
"""What an example needs that not everybody has."""


def play(name: str, folder: Path) -> str:
    """What an example prints, run in a folder."""
    if name in NEEDED and find_spec(NEEDED[name]) is None:
        pytest.skip(f"needs {NEEDED[name]}")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *FEWER[name]],
        cwd=folder,
        env={**os.environ, "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_run() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == FEWER.keys()


def test_an_episode_is_played_by_hand(tmp_path: Path) -> None:
    assert play("play_by_hand.py", tmp_path).startswith("Schedule(")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_a_gpu_is_seen_from_both_sides(tmp_path: Path) -> None:
    lines = play("serve_and_schedule.py", tmp_path).splitlines()
    told = dict(line.split(": ", 1) for line in lines[6:])
    accuracy = {name: float(told[name].split()[2]) for name in ("one clock", "six clocks")}
    energy = {name: float(told[name].split()[0]) for name in ("fmax-greedy", "eali")}
    assert accuracy["six clocks"] > accuracy["one clock"]
    assert energy["eali"] < energy["fmax-greedy"]


def test_maskable_ppo_is_trained(tmp_path: Path) -> None:
    last = play("train_maskable_ppo.py", tmp_path).strip().splitlines()[-1]
    assert re.fullmatch(r"Schedule\(.*\), [+-]\d+\.\d+ in total over approx-refined", last)
    assert (tmp_path / "maskable_ppo.zip").exists()


def test_torchrl_trains(tmp_path: Path) -> None:
    told = play("torchrl_ppo.py", tmp_path)
    assert re.fullmatch(r"500 frames: an episode gains [+-]\d+\.\d+ over .*", told.strip())


@pytest.mark.parametrize("name", ["own_network.py", "cleanrl_ppo.py"])
def test_what_an_example_trains_is_evaluated(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command that it prints, on fewer and smaller instances."""
    told = play(name, tmp_path)
    words = told.splitlines()[-1].partition("now: dsct-gym ")[2].split()
    assert words[0] == "evaluate"
    assert words[1] == f"{Path(name).stem}:Agent"
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    fewer = ["--size", "8x5", "--count", "2", "--reference-moves", "9"]
    assert run([*words[:2], *fewer]) == 0
    assert f"{Path(name).stem}:Agent" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["own_network.py", "cleanrl_ppo.py"])
def test_an_agent_of_ones_own_needs_no_private_method(name: str) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert re.findall(r"def (_[a-z]\w*)", text) == []
    assert re.findall(r"\._[a-z]\w*", text) == []
