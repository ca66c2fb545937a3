"""Policy gradient on the Assign task, with the other rollouts of an instance as the baseline.

Each step draws a size and instances of it, plays every instance several times and moves the policy
towards the decisions that served better than those of the other rollouts (POMO-style; see
`training.batch.advantages`). Steps that imitate annealing may come first. The random numbers of a
step depend on the seed and the step alone, so a run that is killed and resumed ends with the same
weights as one that was not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents.checkpoint import save_policy
from agents.network import Network
from training.batch import Batch, advantages, play, show_teacher
from training.config import PolicyGradientConfig
from training.held_out import HeldOut
from training.module import PolicyModule
from training.run_folder import RunFolder, choose_device

Progress = Callable[[int, int, str], None]
"""Called with the steps done, the steps in all and a note."""

_LONGEST_GRADIENT = 1.0


def train_policy_gradient(
    config: PolicyGradientConfig,
    folder: RunFolder,
    *,
    resume: bool,
    device: str = "auto",
    progress: Progress | None = None,
) -> float:
    """Trains a policy; the best one on the held-out set ends in ``policy.safetensors``.

    Args:
        config: What to do.
        folder: Where the run keeps itself.
        resume: Whether to go on from the last state in the folder.
        device: Where torch computes; ``auto`` is CUDA where there is some. Rollouts always run on
            the CPU.
        progress: Told after each step.

    Returns:
        The best share of the gap closed on the held-out set, mean over its sizes.

    Raises:
        InputError: If the device cannot be used or the state is damaged.
    """
    run = _Run(config, folder, choose_device(device))
    if resume:
        run.restore()
    threads = torch.get_num_threads()
    torch.set_num_threads(config.threads)
    try:
        with ThreadPoolExecutor(config.threads) as pool:
            run.train(pool, progress)
    finally:
        torch.set_num_threads(threads)
    return run.best_share


class _Run:
    """A training run between two steps."""

    def __init__(
        self, config: PolicyGradientConfig, folder: RunFolder, device: torch.device
    ) -> None:
        self.config, self.folder, self.device = config, folder, device
        self.module = PolicyModule(config.width, config.seed).to(device)
        self.optimizer = torch.optim.Adam(self.module.parameters(), lr=config.learning_rate[0])
        self.held_out = HeldOut(config.distribution, config.sizes, config.held_out)
        self.best = self.module.export()
        self.best_share, self.best_step = -np.inf, 0
        self.step, self.seconds, self.waited = 0, 0.0, 0

    def train(self, pool: ThreadPoolExecutor, progress: Progress | None) -> None:
        """Goes on until the steps are done, or nothing has become better for too long."""
        config = self.config
        total = config.imitation + config.steps
        if self.step == 0:
            self._evaluate()
        while self.step < total and self.waited < config.patience:
            started = time.perf_counter()
            self._imitate(pool) if self.step < config.imitation else self._improve(pool)
            self.step += 1
            self.seconds += time.perf_counter() - started
            if self.step % config.evaluate_every == 0 or self.step == total:
                self._evaluate()
            if progress is not None:
                progress(self.step, total, f"closes {100.0 * self.best_share:.1f} % held out")

    def _improve(self, pool: ThreadPoolExecutor) -> None:
        """One step of policy gradient."""
        config = self.config
        batch = play(
            self.module.export(),
            config.distribution,
            machines_scored=config.batch,
            rollouts=config.rollouts,
            seed=(config.seed, self.step),
            pool=pool,
        )
        worth = torch.from_numpy(advantages(batch.value, config.trace)).float().to(self.device)
        self._descend(lambda: -(worth * self._log_chance(batch)).mean())

    def _imitate(self, pool: ThreadPoolExecutor) -> None:
        """One step that makes what annealing found more likely."""
        config = self.config
        batch = show_teacher(
            self.module.export(),
            config.distribution,
            machines_scored=config.batch,
            seed=(config.seed, self.step),
            pool=pool,
        )
        self._descend(lambda: -self._log_chance(batch).mean())

    def _log_chance(self, batch: Batch) -> Tensor:
        """Logarithm of the probability of each decision of a batch."""
        context = torch.from_numpy(batch.context).to(self.device)
        machine = torch.from_numpy(batch.machine).to(self.device)
        action = torch.from_numpy(batch.action).to(self.device)
        chances = torch.log_softmax(self.module(context, machine), -1)
        return chances.gather(-1, action.unsqueeze(-1)).squeeze(-1)

    def _descend(self, loss: Callable[[], Tensor]) -> None:
        first, last = self.config.learning_rate
        share = self.step / (self.config.imitation + self.config.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = first * (last / first) ** share
        self.optimizer.zero_grad()
        loss().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), _LONGEST_GRADIENT)
        self.optimizer.step()

    def _evaluate(self) -> None:
        """Plays the held-out set, keeps the best policy, writes everything down."""
        started = time.perf_counter()
        network = self.module.export()
        shares = self.held_out.closed(network)
        self.waited += 1
        if shares["mean"] > self.best_share:
            self.best, self.best_share, self.best_step = network, shares["mean"], self.step
            self.waited = 0
            save_policy(self.folder.path / "policy.safetensors", network, self._summary())
        self.seconds += time.perf_counter() - started
        self.folder.log({"step": self.step, "seconds": round(self.seconds, 1)} | shares)
        self.folder.draw_curve(list(shares))
        self._keep()

    def _summary(self) -> dict[str, Any]:
        """What the checkpoint tells of its training."""
        versions = {name: version(name) for name in ("dsct-gym", "numpy", "torch")}
        return {
            "config": self.config.model_dump(mode="json"),
            "steps": self.best_step,
            "seconds": round(self.seconds, 1),
            "closed": round(self.best_share, 4),
            "versions": versions,
        }

    def _keep(self) -> None:
        tensors = {f"weights.{name}": value for name, value in self.module.state_dict().items()}
        tensors |= {f"best.{n}": torch.from_numpy(a) for n, a in self.best._asdict().items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": value for name, value in state.items()}
        notes = {
            "step": self.step,
            "seconds": self.seconds,
            "waited": self.waited,
            "best_share": self.best_share,
            "best_step": self.best_step,
        }
        self.folder.save_state(tensors, notes)

    def restore(self) -> None:
        """Goes back to the last state in the folder, if there is one."""
        kept = self.folder.load_state()
        if kept is None:
            return
        tensors, notes = kept
        self.module.load_state_dict(_under(tensors, "weights."))
        adam = self.optimizer.state_dict()
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _under(tensors, "adam.").items():
            index, field = name.split(".")
            state.setdefault(int(index), {})[field] = value
        self.optimizer.load_state_dict(adam | {"state": state})
        self.best = Network(**{n: t.numpy() for n, t in _under(tensors, "best.").items()})
        self.step, self.seconds = int(notes["step"]), float(notes["seconds"])
        self.waited, self.best_step = int(notes["waited"]), int(notes["best_step"])
        self.best_share = float(notes["best_share"])


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors under a prefix, without it."""
    return {n.removeprefix(prefix): value for n, value in tensors.items() if n.startswith(prefix)}
