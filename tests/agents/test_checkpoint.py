"""Checkpoints: what is written comes back; what does not fit is refused in one line."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load, save

from dsct_gym import make_solver
from dsct_gym.agents.checkpoint import load_policy, save_policy
from dsct_gym.agents.rl import SHIPPED, Rl
from dsct_gym.errors import InputError
from dsct_gym.training.config import PolicyIterationConfig, read_config
from dsct_gym.training.module import PolicyModule


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "policy.safetensors"
    save_policy(file, PolicyModule(8, seed=1).export(), {"steps": 3})
    return file


def rewrite(path: Path, *, header: dict | None = None, **arrays: np.ndarray | None) -> None:
    """Changes fields of the header or arrays of a checkpoint; None drops an array."""
    with safe_open(path, "numpy") as file:
        stated = json.loads(file.metadata()["policy"])
    found = load(path.read_bytes()) | arrays
    kept = {name: values for name, values in found.items() if values is not None}
    path.write_bytes(save(kept, {"policy": json.dumps(stated | (header or {}))}))


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_policy(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    return message


def test_what_is_written_comes_back(path: Path) -> None:
    network, header = load_policy(path)
    for one, other in zip(network, PolicyModule(8, seed=1).export(), strict=True):
        assert np.array_equal(one, other)
    assert header.training == {"steps": 3}
    assert header.width == 8


def test_the_policy_that_ships_tells_how_it_was_trained() -> None:
    _, header = load_policy(SHIPPED)
    stated = PolicyIterationConfig.model_validate(header.training["config"])
    committed = PolicyIterationConfig.model_validate(read_config("shipped"))
    assert stated == committed
    assert header.training["closed"] > 0.65


class Bomb:
    def __reduce__(self):
        return (Path.write_text, (Path("exploded"), "!"))


def test_a_pickle_is_refused_unopened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "policy.safetensors"
    file.write_bytes(pickle.dumps(Bomb()))
    assert "not a policy checkpoint" in refusal(file)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("keep", [0, 4, 8, 100, -1])
def test_a_cut_file_is_refused(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    assert "not a policy checkpoint" in refusal(path)


def test_other_tensors_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.safetensors"
    file.write_bytes(save({"weight": np.zeros(3, dtype=np.float32)}))
    assert "not a policy checkpoint" in refusal(file)


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ({"architecture": "transformer/9"}, "architecture"),
        ({"machine": ["speed"]}, "machine"),
        ({"context": []}, "context"),
        ({"width": 10**9}, "width"),
        ({"width": "x"}, "width"),
        ({"format": "dsct-ea-policy/2"}, "format"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(path: Path, header: dict, named: str) -> None:
    rewrite(path, header=header)
    assert f": {named}: " in refusal(path)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (None, "missing or unknown array"),
        (np.zeros(9, dtype=np.float32), "must be float32 (8,)"),
        (np.zeros(8), "must be float32 (8,)"),
        (np.full(8, np.nan, dtype=np.float32), "not finite"),
    ],
)
def test_an_array_that_does_not_fit_is_refused(
    path: Path, values: np.ndarray | None, reason: str
) -> None:
    rewrite(path, bias=values)
    message = refusal(path)
    assert "bias: " in message
    assert reason in message


def test_an_array_of_a_type_that_numpy_lacks_is_refused(path: Path) -> None:
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    document = json.loads(content[8 : 8 + length])
    first, last = document["bias"]["data_offsets"]
    document["bias"] = {"dtype": "BF16", "shape": [16], "data_offsets": [first, last]}
    header = json.dumps(document).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + content[8 + length :])
    assert ": bias: BF16 (16,), must be float32 (8,)" in refusal(path)


@pytest.mark.parametrize("header", ["{", "[]", "[" * 200_000, '"\\ud800"', "1e999", ""])
def test_a_header_that_is_no_object_is_refused(path: Path, header: str) -> None:
    path.write_bytes(save(load(path.read_bytes()), {"policy": header}))
    assert ": header: " in refusal(path)


def test_names_from_a_file_are_shown_short_and_harmless(path: Path) -> None:
    rewrite(path, header={"\n\x1b[31m" * 1_000: 1})
    assert len(refusal(path)) < 300 + len(str(path))
    rewrite(path, header={"architecture": "\n" * 1_000})
    assert len(refusal(path)) < 300 + len(str(path))
    save_policy(path, PolicyModule(8).export())
    rewrite(path, **{"\n\x1b[31m": np.zeros(1)})
    assert "\\x1b" in refusal(path)


def test_a_path_that_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "missing")
    assert "cannot be read" in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "cannot be read: not a file" in refusal(tmp_path / "pipe")


def test_a_file_larger_than_any_policy_is_not_read(path: Path) -> None:
    with path.open("ab") as file:
        file.truncate(2**30)
    assert "not a policy checkpoint: too large" in refusal(path)


def test_solvers_take_a_checkpoint(path: Path) -> None:
    solver = make_solver("rl", checkpoint=path)
    assert isinstance(solver, Rl)
    assert solver.network.width == 8
