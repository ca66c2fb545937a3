"""Services whose clock is decided on at the start of every unit of a batch."""

from __future__ import annotations

from dsct_gym.arrays import Bools, Ints
from dsct_gym.envs.service_episodes import ServiceEpisodes, Step, spent, tell, wait
from dsct_gym.envs.service_view import Flight, Setting, UnitColumn
from dsct_gym.jit import helper, kernel
from dsct_gym.serving.card import Cards, command, run_unit
from dsct_gym.serving.queue import Queues, receive


class UnitEpisodes(ServiceEpisodes):
    """As `ServiceEpisodes`, but a step runs one unit of a batch.

    While a batch runs, only the clock is chosen; requests go on coming. What a batch makes late is
    told with its last unit.
    """

    @property
    def width(self) -> int:
        """Length of an observation."""
        return super().width + len(UnitColumn)

    def _play(self, actions: Ints, playing: Bools, step: Step) -> None:
        _play_units(self.setting, self.cards, self.queues, self.flight, actions, playing, step)

    def look(self) -> None:
        """Writes observations and masks."""
        super().look()
        first = super().width
        shares = self.flight.size / self.table.largest_batch
        self.observation[:, first + UnitColumn.RUNNING] = shares
        self.observation[:, first + UnitColumn.DONE] = self.flight.unit / self.table.num_units


@kernel
def _play_units(
    setting: Setting,
    cards: Cards,
    queues: Queues,
    flight: Flight,
    actions: Ints,
    playing: Bools,
    step: Step,
) -> None:
    """Runs a unit, of the batch that runs or of one that is started, or waits."""
    for row in range(playing.size):
        if not playing[row]:
            continue
        before, since, first = spent(cards, row), cards.now[row], queues.head[row]
        waiting, clock = queues.come[row] - first, actions[row, 1]
        if flight.size[row] == 0 and waiting > 0 and actions[row, 0] > 0:
            flight.size[row] = min(setting.sizes[actions[row, 0] - 1], waiting)
        if flight.size[row] == 0:
            wait(setting, cards, queues, row, clock, waiting)
        else:
            _run(setting, cards, queues, flight, row, clock)
        receive(queues, row, cards.now[row])
        tell(setting, cards, queues, row, step, before, since, first)


@helper
def _run(
    setting: Setting, cards: Cards, queues: Queues, flight: Flight, row: int, clock: int
) -> None:
    """Commands a clock and runs the next unit; with the last one the batch has ended."""
    command(cards, row, clock, setting.latency)
    run_unit(setting.costs, cards, row, flight.unit[row], flight.size[row])
    flight.unit[row] += 1
    if flight.unit[row] < setting.costs.time.shape[0]:
        return
    head = queues.head[row]
    for request in range(head, head + flight.size[row]):
        queues.latency[row, request] = cards.now[row] - queues.arrival[row, request]
    queues.head[row] += flight.size[row]
    queues.batches[row] += 1
    flight.size[row], flight.unit[row] = 0, 0
