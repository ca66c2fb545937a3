"""The examples run as they stand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"


def run(*arguments: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_episode_is_played_by_hand(tmp_path: Path) -> None:
    printed = run(str(EXAMPLES / "play_by_hand.py"), "chart.png", folder=tmp_path)
    assert printed.startswith("Schedule(")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_maskable_ppo_is_trained(tmp_path: Path) -> None:
    pytest.importorskip("sb3_contrib")
    printed = run(str(EXAMPLES / "train_maskable_ppo.py"), folder=tmp_path)
    assert "| 4096 " in printed
    assert printed.strip().splitlines()[-1].startswith("Schedule(")
