"""The policy gradient: credit, batches that follow from their seed, runs that survive a kill."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from agents.checkpoint import load_policy
from dsct_gym.errors import InputError
from training.batch import advantages, draw_size, play, show_teacher
from training.config import Distribution, PolicyGradientConfig, check_config, read_config
from training.module import PolicyModule
from training.policy_gradient import train_policy_gradient
from training.run_folder import RunFolder, choose_device

SMALL = Distribution(n=(8, 12), m=(2, 3))
TINY = PolicyGradientConfig(
    width=4,
    steps=6,
    rollouts=4,
    batch=400,
    imitation=2,
    distribution=SMALL,
    evaluate_every=2,
    held_out=2,
    sizes=((8, 2),),
    threads=1,
)


def test_credit_is_what_follows_discounted_less_what_others_got() -> None:
    value = np.array([[[0.0, 1.0, 1.0, 3.0], [0.0, 0.0, 2.0, 2.0]]])
    # Gains 1 0 2 and 0 2 0; with a trace of 1/2, credits 1.5 1 2 and 1 2 0.
    credit = np.array([[[1.5, 1.0, 2.0], [1.0, 2.0, 0.0]]])
    centred = credit - credit.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(advantages(value, 0.5), centred / centred.std())


def test_rollouts_that_differ_by_rounding_teach_nothing() -> None:
    value = np.array([[[1.0, 2.0], [1.0, 2.0 + 1e-15]]])
    assert not advantages(value, 0.9).any()


def test_sizes_stay_within_the_distribution_and_reach_its_ends() -> None:
    rng = np.random.default_rng(0)
    sizes = np.array([draw_size(Distribution(), rng) for _ in range(3_000)])
    assert (sizes.min(axis=0) == (10, 2)).all()
    assert (sizes.max(axis=0) == (200, 20)).all()
    assert (2 * sizes[:, 1] <= np.maximum(sizes[:, 0], 4)).all()


@pytest.mark.parametrize("teach", [False, True])
def test_a_seed_gives_one_batch_however_many_threads(teach: bool) -> None:
    network = PolicyModule(4).export()

    def draw(threads: int, seed: int):
        with ThreadPoolExecutor(threads) as pool:
            if teach:
                return show_teacher(
                    network, SMALL, machines_scored=2_000, seed=(seed, 3), pool=pool
                )
            return play(
                network, SMALL, machines_scored=2_000, rollouts=4, seed=(seed, 3), pool=pool
            )

    one, two, other = draw(1, 0), draw(2, 0), draw(1, 1)
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a, b)
    assert one.context.shape != other.context.shape or (one.context != other.context).any()


def test_imitation_makes_the_teacher_more_likely(tmp_path: Path) -> None:
    config = TINY.model_copy(update={"steps": 1, "imitation": 30, "learning_rate": (1e-2, 1e-3)})
    with ThreadPoolExecutor(1) as pool:
        batch = show_teacher(
            PolicyModule(4).export(), SMALL, machines_scored=4_000, seed=(9, 9, 9), pool=pool
        )
    train_policy_gradient(config, RunFolder(tmp_path / "run", config, resume=False), resume=False)

    def likelihood(module: PolicyModule) -> float:
        with torch.no_grad():
            scores = module(torch.from_numpy(batch.context), torch.from_numpy(batch.machine))
            chosen = torch.from_numpy(batch.action).unsqueeze(-1)
            return float(torch.log_softmax(scores, -1).gather(-1, chosen).mean())

    trained = PolicyModule(4)
    tensors, _ = RunFolder(tmp_path / "run", config, resume=True).load_state()
    trained.load_state_dict(
        {n.removeprefix("weights."): t for n, t in tensors.items() if n.startswith("weights.")}
    )
    assert likelihood(trained) > likelihood(PolicyModule(4)) + 0.02


class Killed(Exception):
    pass


def test_a_run_that_is_killed_and_resumed_ends_like_one_that_was_not(tmp_path: Path) -> None:
    whole = RunFolder(tmp_path / "whole", TINY, resume=False)
    train_policy_gradient(TINY, whole, resume=False)

    def kill(done: int, total: int, note: str) -> None:
        if done == 5:  # the last state kept is that of step 4
            raise Killed

    with pytest.raises(Killed):
        train_policy_gradient(
            TINY, RunFolder(tmp_path / "cut", TINY, resume=False), resume=False, progress=kill
        )
    cut = RunFolder(tmp_path / "cut", TINY, resume=True)
    seen: list[int] = []
    train_policy_gradient(
        TINY, cut, resume=True, progress=lambda done, total, note: seen.append(done)
    )
    assert seen == [5, 6, 7, 8]
    assert [row["step"] for row in cut.rows] == [str(s) if s < 5 else s for s in (0, 2, 4, 6, 8)]
    one, other = whole.load_state(), cut.load_state()
    assert one is not None
    assert other is not None
    assert one[0].keys() == other[0].keys()
    for name, tensor in one[0].items():
        assert torch.equal(tensor, other[0][name]), name


def test_the_best_policy_ends_in_a_checkpoint_that_tells_of_its_training(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, TINY, resume=False)
    closed = train_policy_gradient(TINY, folder, resume=False)
    network, header = load_policy(tmp_path / "policy.safetensors")
    assert network.width == 4
    assert header.training["config"]["seed"] == 0
    assert header.training["closed"] == pytest.approx(closed, abs=1e-4)
    assert max(float(row["mean"]) for row in folder.rows) == pytest.approx(closed)
    assert (tmp_path / "curve.png").stat().st_size > 1_000


def test_training_stops_when_nothing_becomes_better(tmp_path: Path) -> None:
    config = TINY.model_copy(
        update={"steps": 1_000, "learning_rate": (1e-12, 1e-12), "patience": 2, "imitation": 0}
    )
    folder = RunFolder(tmp_path, config, resume=False)
    train_policy_gradient(config, folder, resume=False)
    assert int(folder.rows[-1]["step"]) == 4


class TestRunFolder:
    def test_a_run_is_not_overwritten(self, tmp_path: Path) -> None:
        RunFolder(tmp_path, TINY, resume=False)
        with pytest.raises(InputError, match="--resume"):
            RunFolder(tmp_path, TINY, resume=False)

    def test_a_run_is_resumed_with_its_own_configuration_only(self, tmp_path: Path) -> None:
        RunFolder(tmp_path, TINY, resume=False)
        with pytest.raises(InputError, match="another configuration"):
            RunFolder(tmp_path, TINY.model_copy(update={"seed": 1}), resume=True)

    @pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff" * 100])
    def test_a_damaged_state_is_one_line(self, tmp_path: Path, content: bytes) -> None:
        folder = RunFolder(tmp_path, TINY, resume=False)
        (tmp_path / "state.safetensors").write_bytes(content)
        with pytest.raises(InputError, match="damaged") as caught:
            folder.load_state()
        assert "\n" not in str(caught.value)

    def test_a_device_that_is_not_there_is_refused(self) -> None:
        with pytest.raises(InputError, match=r"^device: "):
            choose_device("nonsense")


class TestConfig:
    def test_what_ships_is_valid(self) -> None:
        config = check_config(read_config("shipped"), "shipped")
        assert isinstance(config, PolicyGradientConfig)

    @pytest.mark.parametrize(
        ("table", "named"),
        [
            ({"steps": 0}, "steps"),
            ({"rollouts": 1}, "rollouts"),
            ({"surprise": 1}, "surprise"),
            ({"distribution": {"n": [3, 5], "m": [2, 4]}}, "distribution"),
            ({"distribution": {"rho": "x"}}, "distribution.rho"),
        ],
    )
    def test_a_fault_is_one_line_that_names_the_field(self, table: dict, named: str) -> None:
        with pytest.raises(InputError, match=named) as caught:
            check_config({"method": "policy-gradient"} | table, "mine.toml")
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

    def test_a_missing_file_tells_what_ships(self) -> None:
        with pytest.raises(InputError, match="shipped"):
            read_config("nowhere")
