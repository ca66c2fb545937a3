"""Evolution of the weights of `rl-online`: it finds optima, and runs can be cut and resumed."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

pytest.importorskip("torch")

from dsct_gym import make_solver
from dsct_gym.agents.online.columns import SIZE
from dsct_gym.agents.online.weights import as_file, load_weights
from dsct_gym.agents.rl_online import RlOnline
from dsct_gym.errors import InputError
from dsct_gym.online.arrivals.shipped import NEVER_TRAINED_ON
from dsct_gym.random import spawn
from dsct_gym.training.online import practice
from dsct_gym.training.online.config import EvolutionConfig, Practice
from dsct_gym.training.online.evolution import Evolution
from dsct_gym.training.online.practice import KINDS, Match, draw_practice, kinds_of, play_each
from dsct_gym.training.online.run import EvolutionRun, untrained
from dsct_gym.training.run_folder import RunFolder
from dsct_gym.training.start import check_config

SMALL = EvolutionConfig(
    steps=5,
    population=4,
    batch=1,
    instances=2,
    evaluate_every=2,
    held_out=1,
    practice=Practice(n=(8, 12), m=(2, 3)),
)


def test_it_finds_the_top_of_a_ridge() -> None:
    """A quadratic whose axes differ a thousandfold and are turned."""
    rng = np.random.default_rng(0)
    turned, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    curvature, top = np.geomspace(1.0, 1e3, 6), rng.normal(size=6)

    def value(x: np.ndarray) -> np.ndarray:
        return -(((x - top) @ turned) ** 2 @ curvature)

    evolution = Evolution.begin(np.zeros(6), 0.5)
    for step in range(400):
        draws = evolution.propose(12, np.random.default_rng((1, step)))
        evolution.learn(draws, value(evolution.weights_of(draws)))
    assert value(evolution.mean) > -1e-9 > value(np.zeros(6))


def test_proposals_come_with_their_mirror_images() -> None:
    evolution = Evolution.begin(np.ones(5), 0.1)
    proposals = evolution.weights_of(evolution.propose(8, np.random.default_rng(0)))
    assert np.allclose(proposals[:4] + proposals[4:], 2.0)
    assert len(np.unique(proposals, axis=0)) == 8


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_earned_in_practice_is_what_the_solver_gains(kind: str, tmp_path: Path) -> None:
    problem = draw_practice(SMALL.practice, KINDS[kind], spawn(0, 3))
    match, earned = Match.of(problem), np.empty(3)
    weights = np.round(untrained() + np.array([[0.0], [0.7], [0.0]]), 3)
    assert play_each(match.game, match.memory, weights, earned)
    for row, found in zip(weights, earned, strict=True):
        file = tmp_path / "weights.json"
        file.write_text(as_file(row, {}))
        schedule = RlOnline(file).solve(problem).schedule
        gain = schedule.total_accuracy - problem.core.base_accuracy.sum()
        assert found == pytest.approx(gain / problem.core.num_tasks, abs=1e-12)
    assert earned[0] == earned[2] != earned[1]  # nothing is left over from the game before


def test_nothing_that_is_kept_for_tests_is_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def ask(name: str, **part: float) -> None:
        asked.append((name, part))

    monkeypatch.setattr(practice, "shipped_trace", ask)
    for index in range(30):
        KINDS["trace"](spawn(0, index))
    assert NEVER_TRAINED_ON not in {name for name, _ in asked}
    assert len({name for name, _ in asked}) == 3
    assert all(part["end"] <= 0.5 for _, part in asked)


def test_ones_own_trace_is_practised_on(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("time\n" + "".join(f"{10 * second}\n" for second in range(400)))
    told = Practice.model_validate({"arrivals": [{"name": str(file), "end": 0.5}]})
    (draw,) = kinds_of(told).values()
    arrivals = draw_practice(told, draw, spawn(0, 1)).arrivals
    gaps = np.diff(np.sort(arrivals))
    assert gaps == pytest.approx(gaps[0])  # the trace has one request every ten seconds


@pytest.mark.parametrize(
    ("told", "refused"),
    [
        ({"end": 0.5}, "has no name"),
        ({"name": "nothing"}, "no process 'nothing'"),
        ({"name": "poisson", "speed": 1}, "speed"),
    ],
)
def test_arrivals_that_are_nothing_are_refused(told: dict[str, object], refused: str) -> None:
    with pytest.raises(ValidationError, match=refused):
        Practice.model_validate({"arrivals": [told]})


class Killed(Exception):
    pass


def test_a_run_that_is_killed_and_resumed_ends_like_one_that_was_not(tmp_path: Path) -> None:
    whole = EvolutionRun(SMALL, RunFolder(tmp_path / "whole", SMALL, resume=False))
    whole.train()

    def kill(done: int, total: int, note: str) -> None:
        if done == 3:  # the last state kept is that of step 2
            raise Killed

    cut = EvolutionRun(SMALL, RunFolder(tmp_path / "cut", SMALL, resume=False))
    with pytest.raises(Killed):
        cut.train(kill)
    again = EvolutionRun(SMALL, RunFolder(tmp_path / "cut", SMALL, resume=True))
    again.restore()
    assert again.evolution.step == 2
    again.train()
    assert np.array_equal(whole.evolution.mean, again.evolution.mean)
    assert np.array_equal(whole.evolution.covariance, again.evolution.covariance)
    files = [load_weights(tmp_path / name / "online.json") for name in ("whole", "cut")]
    assert np.array_equal(*files)
    assert files[0].size == SIZE
    make_solver("rl-online", checkpoint=tmp_path / "cut" / "online.json")


def test_threads_do_not_change_the_result(tmp_path: Path) -> None:
    ends = []
    for threads in (1, 3):
        config = SMALL.model_copy(update={"threads": threads, "steps": 2})
        run = EvolutionRun(config, RunFolder(tmp_path / str(threads), config, resume=False))
        run.train()
        ends.append(run.evolution.mean)
    assert np.array_equal(*ends)


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"population": 5}, "population"),
        ({"batch": 200}, "batch: more than the 128"),
        ({"practice": {"rho": [0.0, 1.0]}}, "rho"),
        ({"practice": {"patience": [2.0, 1.0]}}, "patience"),
        ({"practice": {"n": [0, 5]}}, "n"),
        ({"generations": 5}, "generations"),
    ],
)
def test_configurations_are_checked(table: dict[str, object], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        check_config({"method": "evolution"} | table, "mine.toml")
