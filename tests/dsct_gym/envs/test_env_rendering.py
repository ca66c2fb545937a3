"""Frames, text, window and video."""

import warnings
from itertools import pairwise
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import RecordVideo

from dsct_gym.errors import InputError
from dsct_gym.generator import generate
from playing import ASSIGN, IDS, JOINT, play


@pytest.fixture(autouse=True)
def _no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


@pytest.mark.parametrize("env_id", IDS)
def test_every_mode_passes_the_checker(env_id: str) -> None:
    pytest.importorskip("pygame")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # pygame's own imports are none of our business.
        warnings.filterwarnings("ignore", module="pygame|pkg_resources|setuptools")
        check_env(gymnasium.make(env_id, n=3, m=2).unwrapped)


def test_frames_show_the_schedule_growing() -> None:
    env = gymnasium.make(JOINT, n=4, m=2, render_mode="rgb_array")
    env.reset(seed=0)
    frames = [env.render()]
    for _ in range(4):
        env.step(0)
        frames.append(env.render())
    assert {frame.shape for frame in frames} == {(544, 960, 3)}
    assert {frame.dtype for frame in frames} == {np.dtype(np.uint8)}
    assert all((one != other).any() for one, other in pairwise(frames))


def test_text_shows_the_same() -> None:
    instance = generate(n=3, m=2, seed=0, devices="T4,V100")
    env = gymnasium.make(ASSIGN, instance=instance, render_mode="ansi")
    env.reset()
    lines = env.render().splitlines()
    assert lines[0].startswith(f"Task {instance.edf_order[0]}, due at ")
    assert lines[0].endswith("(1 of 3)")
    assert [line.split()[0] for line in lines[1:3]] == ["T4", "V100"]
    assert "#" not in env.render()
    for _ in range(3):
        env.step(1)
    lines = env.render().splitlines()
    assert lines[0] == "All 3 tasks decided"
    assert "#" in lines[2]
    assert "#" not in lines[1]
    assert f"mean accuracy {env.unwrapped.schedule.mean_accuracy:.4f}" in lines[-1]


def test_window_opens_and_closes() -> None:
    pygame = pytest.importorskip("pygame")
    env = gymnasium.make(JOINT, n=2, m=1, render_mode="human")
    play(env, np.random.default_rng(0), seed=0)
    assert pygame.display.get_surface() is not None
    env.close()
    assert not pygame.display.get_init()
    env.close()


def test_videos_are_recorded(tmp_path: Path) -> None:
    pytest.importorskip("moviepy")
    env = RecordVideo(
        gymnasium.make(JOINT, n=2, m=2, render_mode="rgb_array"), str(tmp_path / "new")
    )
    play(env, np.random.default_rng(0), seed=0)
    env.close()
    assert [path.suffix for path in (tmp_path / "new").iterdir()] == [".mp4"]


def test_batches_render_each_environment() -> None:
    env = gymnasium.make_vec(
        JOINT, num_envs=2, vectorization_mode="vector_entry_point", n=2, m=1, render_mode="ansi"
    )
    env.reset(seed=0)
    assert [text.count("machine 0") for text in env.render()] == [1, 1]


def test_render_modes_are_checked() -> None:
    from dsct_gym.envs.joint import JointEnv

    with pytest.raises(InputError, match="render_mode: 'svg'"):
        JointEnv(n=2, m=1, render_mode="svg")
