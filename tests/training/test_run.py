"""Training runs: kept whole, resumed to the same weights, refused in one line."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from dsct_gym.agents.checkpoint import load_policy
from dsct_gym.baselines.annealing import Annealing
from dsct_gym.cli import run as run_command
from dsct_gym.errors import InputError
from dsct_gym.solver import Solution
from dsct_gym.training.config import (
    Distribution,
    PolicyGradientConfig,
    PolicyIterationConfig,
    read_config,
    shipped_configs,
)
from dsct_gym.training.held_out import HeldOut
from dsct_gym.training.run_folder import RunFolder, choose_device
from dsct_gym.training.start import check_config, make_run, train

SMALL = {
    "width": 4,
    "distribution": Distribution(n=(8, 12), m=(2, 3)),
    "evaluate_every": 2,
    "held_out": 2,
    "sizes": ((8, 2),),
    "threads": 1,
}
GRADIENT = PolicyGradientConfig(steps=4, imitation=2, rollouts=4, batch=400, **SMALL)
ITERATION = PolicyIterationConfig(
    steps=6, instances=2, states=3, horizon=4, memory=3, updates=2, minibatch=8, **SMALL
)
BOTH = pytest.mark.parametrize("config", [GRADIENT, ITERATION], ids=lambda config: config.method)


class Killed(Exception):
    pass


@BOTH
def test_a_run_that_is_killed_and_resumed_ends_like_one_that_was_not(config, tmp_path) -> None:
    whole = RunFolder(tmp_path / "whole", config, resume=False)
    make_run(config, whole, "cpu").train()

    def kill(done: int, total: int, note: str) -> None:
        if done == 5:  # the last state kept is that of step 4
            raise Killed

    cut = RunFolder(tmp_path / "cut", config, resume=False)
    with pytest.raises(Killed):
        make_run(config, cut, "cpu").train(kill)
    cut = RunFolder(tmp_path / "cut", config, resume=True)
    seen: list[int] = []
    run = make_run(config, cut, "cpu")
    run.restore()
    run.train(lambda done, total, note: seen.append(done))
    assert seen == [5, 6]
    assert [int(row["step"]) for row in cut.rows] == [0, 2, 4, 6]
    (one, _), (other, _) = whole.load_state(), cut.load_state()
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name


@BOTH
def test_the_best_policy_ends_in_a_checkpoint_that_tells_of_its_training(config, tmp_path) -> None:
    folder = RunFolder(tmp_path, config, resume=False)
    closed = make_run(config, folder, "cpu").train()
    network, header = load_policy(tmp_path / "policy.safetensors")
    assert network.width == 4
    assert header.training["config"] == config.model_dump(mode="json")
    assert header.training["closed"] == pytest.approx(closed, abs=1e-4)
    assert max(float(row["mean"]) for row in folder.rows) == pytest.approx(closed)
    assert (tmp_path / "curve.png").stat().st_size > 1_000


def test_training_stops_when_nothing_becomes_better(tmp_path: Path) -> None:
    config = ITERATION.model_copy(
        update={"steps": 1_000, "learning_rate": (1e-12, 1e-12), "patience": 2}
    )
    folder = RunFolder(tmp_path, config, resume=False)
    make_run(config, folder, "cpu").train()
    assert int(folder.rows[-1]["step"]) == 4


def test_a_reference_that_was_cut_short_ends_the_run(monkeypatch) -> None:
    """Ctrl-C while the held-out set is prepared: other numbers must not pass for the real ones."""
    whole = Annealing.solve

    def cut_short(self: Annealing, *arguments: Any, **options: Any) -> Solution:
        return replace(whole(self, *arguments, **options), interrupted=True)

    monkeypatch.setattr(Annealing, "solve", cut_short)
    with pytest.raises(KeyboardInterrupt):
        HeldOut(ITERATION.distribution, ITERATION.sizes, ITERATION.held_out)


def test_the_command_trains_and_tells_where(tmp_path: Path, capsys) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'method = "policy-iteration"\nwidth = 4\nsteps = 2\ninstances = 1\nstates = 2\n'
        "held_out = 1\nsizes = [[8, 2]]\nthreads = 1\n[distribution]\nn = [8, 12]\nm = [2, 3]\n"
    )
    output = tmp_path / "run"
    options = ["--config", str(file), "-o", str(output), "--seed", "3", "--device", "cpu"]
    assert run_command(["train", *options]) == 0
    assert str(output) in capsys.readouterr().out
    assert load_policy(output / "policy.safetensors")[1].training["config"]["seed"] == 3
    assert run_command(["train", *options]) == 2
    assert "--resume" in capsys.readouterr().err
    assert run_command(["train", *options, "--resume"]) == 0


class TestRunFolder:
    def test_a_run_is_not_overwritten(self, tmp_path: Path) -> None:
        RunFolder(tmp_path, ITERATION, resume=False)
        with pytest.raises(InputError, match="--resume"):
            RunFolder(tmp_path, ITERATION, resume=False)

    def test_a_run_is_resumed_with_its_own_configuration_only(self, tmp_path: Path) -> None:
        RunFolder(tmp_path, ITERATION, resume=False)
        with pytest.raises(InputError, match="another configuration"):
            RunFolder(tmp_path, ITERATION.model_copy(update={"seed": 1}), resume=True)

    @pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff" * 100])
    def test_a_damaged_state_is_one_line(self, tmp_path: Path, content: bytes) -> None:
        folder = RunFolder(tmp_path, ITERATION, resume=False)
        (tmp_path / "state.safetensors").write_bytes(content)
        with pytest.raises(InputError, match="damaged") as caught:
            folder.load_state()
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("content", ["", "[]", "{"])
    def test_a_damaged_configuration_is_one_line(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "config.json").write_text(content)
        with pytest.raises(InputError, match="another configuration") as caught:
            RunFolder(tmp_path, ITERATION, resume=True)
        assert "\n" not in str(caught.value)

    def test_a_device_that_is_not_there_is_refused(self) -> None:
        with pytest.raises(InputError, match=r"^device: "):
            choose_device("nonsense")


class TestConfig:
    def test_a_byte_order_mark_is_taken(self, tmp_path: Path) -> None:
        path = tmp_path / "marked.toml"
        path.write_text('method = "policy-gradient"\n', encoding="utf-8-sig")
        assert read_config(path) == {"method": "policy-gradient"}

    def test_what_ships_is_found_from_any_folder(self, tmp_path: Path) -> None:
        script = "from dsct_gym.training.config import read_config; read_config('quick')"
        subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)

    @pytest.mark.parametrize("name", shipped_configs())
    def test_what_ships_is_valid(self, name: str) -> None:
        check_config(read_config(name), name)

    def test_the_shipped_policy_is_trained_by_the_configuration_of_that_name(self) -> None:
        assert isinstance(check_config(read_config("shipped"), "shipped"), PolicyIterationConfig)

    @pytest.mark.parametrize(
        ("table", "named"),
        [
            ({"steps": 0}, "steps"),
            ({"candidates": 1}, "candidates"),
            ({"surprise": 1}, "surprise"),
            ({"distribution": {"n": [3, 5], "m": [2, 4]}}, "distribution"),
            ({"distribution": {"rho": "x"}}, "distribution.rho"),
        ],
    )
    def test_a_fault_is_one_line_that_names_the_field(self, table: dict, named: str) -> None:
        with pytest.raises(InputError, match=named) as caught:
            check_config({"method": "policy-iteration"} | table, "mine.toml")
        assert str(caught.value).startswith("mine.toml: ")
        assert "\n" not in str(caught.value)

    def test_a_method_that_does_not_exist_is_refused(self) -> None:
        with pytest.raises(InputError, match="method"):
            check_config({"method": "magic"}, "mine.toml")

    def test_a_file_that_is_no_toml_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "c.toml"
        path.write_text("steps = = 3")
        with pytest.raises(InputError, match="not TOML"):
            read_config(path)

    def test_a_missing_file_tells_what_ships(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="shipped"):
            train(tmp_path / "nowhere", tmp_path / "run")
