"""A training run of `rl-online`: generations, evaluations, and the folder all of it is kept in."""

from __future__ import annotations

import time
from concurrent.futures import Executor, ThreadPoolExecutor
from importlib.metadata import version
from typing import Any, Final

import numpy as np
import torch

from dsct_gym.agents.online.columns import (
    HOLD_AT,
    INDEX_AT,
    PRICES_AT,
    PRIOR_AT,
    ROW,
    SHARPNESS_AT,
    SIZE,
    Candidate,
    Hold,
    Outlook,
    Price,
    Prior,
)
from dsct_gym.agents.online.weights import as_file
from dsct_gym.arrays import Floats
from dsct_gym.atomic import write_text
from dsct_gym.random import spawn
from dsct_gym.training.online.config import EvolutionConfig
from dsct_gym.training.online.evolution import Evolution
from dsct_gym.training.online.practice import HeldOut, draw_training, play_matches
from dsct_gym.training.run import Progress
from dsct_gym.training.run_folder import RunFolder

_STREAM: Final = 0xE70
_ARRAYS: Final = ("mean", "covariance", "path", "whitened")


def untrained() -> Floats:
    """Weights by hand to begin with (SIZE,): clearing prices, worth by duration and urgency."""
    weights = np.zeros(SIZE)
    time_row, energy_row = PRICES_AT + Price.TIME * ROW, PRICES_AT + Price.ENERGY * ROW
    weights[time_row + Outlook.LATER] = 0.8
    weights[energy_row + Outlook.ENERGY] = 0.8
    weights[energy_row + Outlook.PACE] = -1.0
    weights[INDEX_AT + Candidate.VALUE] = 1.0
    weights[INDEX_AT + Candidate.DURATION] = -0.7
    weights[INDEX_AT + Candidate.SLACK] = -0.5
    weights[INDEX_AT + Candidate.RIVAL] = -0.5
    weights[HOLD_AT + Hold.ALWAYS] = 0.7
    weights[PRIOR_AT + Prior.LOAD] = 0.7
    weights[PRIOR_AT + Prior.WEIGHT] = -2.3
    weights[SHARPNESS_AT] = 1.0
    return weights


class EvolutionRun:
    """Evolution of the weights on games of its own, watched on games that it does not learn from.

    What is drawn in a generation depends on the seed and the generation alone, so a run that is
    killed and resumed ends with the same weights as one that was not. All proposals of a generation
    play the same games. The weights that it gives are the mean at its end; of its evaluations it
    only keeps a log.

    Args:
        config: What to do.
        folder: Where the run keeps itself; the weights are its ``online.json``.
    """

    def __init__(self, config: EvolutionConfig, folder: RunFolder) -> None:
        self._config, self._folder = config, folder
        self._training = draw_training(config.practice, config.seed, config.instances)
        self._held_out = HeldOut(config.practice, config.held_out)
        self.evolution = Evolution.begin(untrained(), config.spread)
        self._seconds, self._closed = 0.0, 0.0

    def train(self, progress: Progress | None = None) -> float:
        """Goes on until the generations are done.

        Args:
            progress: Told after each generation.

        Returns:
            The share of the gap between `price` and the clairvoyant bound that is closed on the
            held-out set.
        """
        config = self._config
        with ThreadPoolExecutor(config.threads) as pool:
            if self.evolution.step == 0:
                self._evaluate(pool)
            while self.evolution.step < config.steps:
                started = time.perf_counter()
                self._improve(pool)
                self._seconds += time.perf_counter() - started
                step = self.evolution.step
                if step % config.evaluate_every == 0 or step == config.steps:
                    self._evaluate(pool)
                if progress is not None:
                    progress(step, config.steps, f"closes {100.0 * self._closed:.1f} % held out")
        return self._closed

    def _improve(self, pool: Executor) -> None:
        """One generation."""
        config, evolution = self._config, self.evolution
        rng = spawn(config.seed, _STREAM, evolution.step)
        matches = [
            games[index]
            for games in self._training.values()
            for index in rng.permutation(len(games))[: config.batch].tolist()
        ]
        draws = evolution.propose(config.population, rng)
        earned = play_matches(matches, evolution.weights_of(draws), pool)
        evolution.learn(draws, earned.mean(axis=0))

    def _evaluate(self, pool: Executor) -> None:
        """Plays the held-out set and writes everything down."""
        shares = self._held_out.closed(self.evolution.mean, pool)
        self._closed = shares["mean"]
        write_text(self._folder.path / "online.json", as_file(self.evolution.mean, self._told()))
        row: dict[str, Any] = {"step": self.evolution.step, "seconds": round(self._seconds, 1)}
        self._folder.log(row | {"spread": self.evolution.spread} | shares)
        self._folder.draw_curve(list(shares))
        self._keep()

    def _told(self) -> dict[str, Any]:
        """What the file tells of the training."""
        return {
            "config": self._config.model_dump(mode="json"),
            "steps": self.evolution.step,
            "closed": round(self._closed, 4),
            "versions": {name: version(name) for name in ("dsct-gym", "numpy")},
        }

    def _keep(self) -> None:
        evolution = self.evolution
        arrays = {name: torch.from_numpy(getattr(evolution, name)) for name in _ARRAYS}
        numbers = {"step": evolution.step, "spread": evolution.spread}
        notes = numbers | {"seconds": self._seconds, "closed": self._closed}
        self._folder.save_state(arrays, notes)

    def restore(self) -> None:
        """Goes back to the last state in the folder, if there is one.

        Raises:
            InputError: If it is damaged.
        """
        kept = self._folder.load_state()
        if kept is None:
            return
        arrays, notes = kept
        self.evolution = Evolution(
            **{name: arrays[name].numpy().copy() for name in _ARRAYS},
            spread=float(notes["spread"]),
            step=int(notes["step"]),
        )
        self._seconds, self._closed = float(notes["seconds"]), float(notes["closed"])
