"""Watches over a run of Stable-Baselines3: evaluates, keeps its state, stops it."""

from __future__ import annotations

import io
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dsct_gym.atomic import write_bytes
from dsct_gym.registration import ENVIRONMENTS
from dsct_gym.training.stable.export import export_policy
from dsct_gym.training.stable.telling import Telling

if TYPE_CHECKING:
    from dsct_gym.training.run import Progress
    from dsct_gym.training.run_folder import RunFolder
    from dsct_gym.training.stable.arrivals import ArrivalHeldOut
    from dsct_gym.training.stable.config import Sb3Config
    from dsct_gym.training.stable.held_out import StableHeldOut

POLICY: Final = "policy.zip"
"""The best agent on the held-out set."""
CHECKPOINT: Final = "policy.safetensors"
"""The same as a checkpoint, where one can hold it."""
STATE: Final = "state.zip"
"""The agent as it was when the run was last kept."""
REPLAY: Final = "replay.pkl"
"""The replay buffer at that moment, of algorithms that have one."""


class Watch(Telling):
    """Evaluates between rollouts, when nothing is under way that a kill could lose.

    Args:
        config: The run.
        folder: Where it keeps itself.
        held_out: What it is evaluated on.
        progress: Told where the run stands.
        notes: Notes of the last state, to go on from; None at the start.

    Attributes:
        best_share: Best share of the gap closed.
    """

    def __init__(
        self,
        config: Sb3Config,
        folder: RunFolder,
        held_out: StableHeldOut | ArrivalHeldOut,
        progress: Progress | None,
        notes: dict[str, Any] | None,
    ) -> None:
        super().__init__(config.timesteps, progress)
        self._config, self._folder, self._held_out = config, folder, held_out
        notes = notes or {}
        self.best_share = float(notes.get("best_share", -np.inf))
        self._waited, self._due = int(notes.get("waited", 0)), int(notes.get("due", 0))
        self._count_from(float(notes.get("seconds", 0.0)))
        self._evaluated = -1
        self._over = self._waited >= config.patience

    @property
    def _curves(self) -> list[str]:
        """Columns of the log that do not always equal another one."""
        sizes = [f"{n}x{m}" for n, m in self._config.held_out_sizes]
        chosen = ENVIRONMENTS[self._config.env].works == "chosen"
        played = ["played"] if chosen else []
        return ["mean", *(sizes if len(sizes) > 1 else []), *played]

    def _on_rollout_start(self) -> None:
        limit = self._config.seconds
        late = limit is not None and self._seconds >= limit
        if self.num_timesteps >= self._due or late:
            self._evaluate()
        self._over = late or self._waited >= self._config.patience

    def _on_step(self) -> bool:
        return super()._on_step() and not self._over

    def _on_training_end(self) -> None:
        # A step that was broken off is none of the state.
        if not self._over and self.num_timesteps > self._evaluated:
            self._evaluate()

    def _evaluate(self) -> None:
        """Plays the held-out set, keeps the best agent, writes everything down."""
        shares = self._held_out.closed(self.model.policy)
        self._evaluated = self.num_timesteps
        self._due = self.num_timesteps + self._config.evaluate_every
        self._waited += 1
        if shares["mean"] > self.best_share:
            self.best_share, self._waited = shares["mean"], 0
            self._save(POLICY)
            if self._config.exports:
                export_policy(self.model, self._folder.path / CHECKPOINT, self._summary())
        seconds = round(self._seconds, 1)
        self._folder.log({"step": self.num_timesteps, "seconds": seconds} | shares)
        self._folder.draw_curve(self._curves)
        self._keep()

    def _summary(self) -> dict[str, Any]:
        """What the checkpoint tells of its training."""
        packages = ("dsct-gym", "numpy", "torch", "stable-baselines3")
        return {
            "config": self._config.model_dump(mode="json"),
            "steps": self.num_timesteps,
            "seconds": round(self._seconds, 1),
            "closed": round(self.best_share, 4),
            "versions": {name: version(name) for name in packages},
        }

    def _keep(self) -> None:
        """Keeps what a resumed run goes on from."""
        if getattr(self.model, "replay_buffer", None) is not None:
            # Too large to be held in memory once more.
            part = self._folder.path / f"{REPLAY}.part"
            self.model.save_replay_buffer(part)
            part.replace(self._folder.path / REPLAY)
        self._save(STATE)
        notes = {
            "seconds": self._seconds,
            "waited": self._waited,
            "due": self._due,
            "best_share": self.best_share,
        }
        self._folder.save_state({}, notes)

    def _save(self, name: str) -> None:
        buffer = io.BytesIO()
        self.model.save(buffer)
        write_bytes(self._folder.path / name, buffer.getvalue())
