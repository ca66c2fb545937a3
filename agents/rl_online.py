"""`rl-online`: learned prices of time and energy for tasks that arrive."""

from __future__ import annotations

from pathlib import Path

from dsct_gym.agents.online.decision import decide
from dsct_gym.agents.online.outlook import COSTS
from dsct_gym.agents.online.weights import SHIPPED, load_weights
from dsct_gym.arrays import Floats
from dsct_gym.online.policy import CompiledPolicy, when_idle
from dsct_gym.solver import practises


@practises()
class RlOnline(CompiledPolicy):
    """Late binding at learned prices: one policy for any machines, load and burstiness.

    Whenever a machine is idle and tasks wait, two prices are made of what is known
    (`dsct_gym.agents.online.columns.Outlook`: pace of spending, rates of arrivals, work that waits,
    and the prices at which known and expected tasks would just fill the machines, or use up the
    energy): of work while machines are scarce, and of energy. Work on a machine costs about the
    dearer of both, as in the clairvoyant relaxation. Each waiting task is weighed with the work
    that is worth most at that cost, and the one of the highest index is started: an index of its
    worth, duration, urgency and what another machine would make of it. Everything is linear in its
    logarithms, so what is learned is a few numbers with names. They were trained by evolution on
    generated arrivals (`dsct_gym.training.online`).

    Source: this project's own. Prices that follow spending, as for `price`; machines that take the
    task of the highest index: Vepsalainen and Morton, "Priority rules for job shops with weighted
    tardiness costs", Management Science 1987.

    Args:
        checkpoint: File of weights to play; those that ship when left out.
        pace: As for `DispatchPolicy`.

    Raises:
        InputError: If the file is no such file, or ``pace`` is out of range.
    """

    name = "rl-online"
    play = when_idle(decide)

    def __init__(self, checkpoint: str | Path | None = None, pace: float | None = None) -> None:
        super().__init__(levels=1, pace=pace)  # it chooses works, not levels
        self._parameters = load_weights(SHIPPED if checkpoint is None else checkpoint)

    def memory(self, machines: int) -> int:
        """Sums, tallies and outlook, and what work costs on each machine."""
        return COSTS + machines

    @property
    def parameters(self) -> Floats:
        """What is learned, by the places in `dsct_gym.agents.online.columns`."""
        return self._parameters
