"""The episodes of ``DSCT-EA-Service-v0``: services side by side, each at its next decision."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np

from dsct_gym.arguments import as_integer, as_number
from dsct_gym.arrays import Bools, Floats, Floats32, Ints
from dsct_gym.errors import InputError
from dsct_gym.jit import helper, kernel
from dsct_gym.online.arrivals import ArrivalProcess, make_arrivals
from dsct_gym.serving.card import Cards, Costs, command, costs_of, idle, new_cards
from dsct_gym.serving.gpu import gpu as find_gpu
from dsct_gym.serving.load import highest_rate
from dsct_gym.serving.networks import network as find_network
from dsct_gym.serving.outcome import Outcome
from dsct_gym.serving.profile import choices, table_of
from dsct_gym.serving.queue import Queues, new_queues, receive, start
from dsct_gym.serving.table import Table, batch_energy, batch_time, check_table

SHORT, LONG = 4.0, 40.0
"""Windows in which arrivals are counted, in objectives."""

WAITS: Final = 24
"""Steps of waiting in an objective."""

CLOCKS: Final = 8
LARGEST_BATCH: Final = 32


class Column(IntEnum):
    """Places in an observation; all are at least 0 and at most 10."""

    WAITING = 0  # requests waiting over the largest batch
    OLDEST = 1  # age of the oldest over the objective
    MIDDLE = 2  # age of the one in the middle of those waiting, likewise
    SHORT_RATE = 3  # arrivals a second in the last 4 objectives over what the card sustains
    LONG_RATE = 4  # in the last 40, likewise
    CLOCK = 5  # clock it runs at over the highest
    TARGET = 6  # clock that was commanded last, likewise
    IN_FLIGHT = 7  # time until the command takes effect over the objective
    RUN_TIME = 8  # time of all that waits as one batch at this clock over the objective


class Setting(NamedTuple):
    """What is the same in all episodes.

    Attributes:
        costs: Of the network on the card.
        sizes: Batch sizes to choose from (B,).
        clocks: MHz (C,).
        objective: s.
        latency: Of a command, s.
        wait: Length of waiting, s.
        sustained: Requests a second.
        price: Of a late request, J.
    """

    costs: Costs
    sizes: Ints
    clocks: Floats
    objective: float
    latency: float
    wait: float
    sustained: float
    price: float


class Step(NamedTuple):
    """What a step gave each episode (N,).

    Attributes:
        energy: J.
        violations: Requests that ended late.
        dt: Time that passed, s.
    """

    energy: Floats
    violations: Ints
    dt: Floats


class ServiceEpisodes:
    """A batch of services.

    Args:
        count: Number of services N.
        gpu: Name of a card.
        network: Name of a network.
        table: In place of both: what batches cost.
        arrivals: Name of a process of `dsct_gym.online.arrivals`, or one itself.
        load: Mean rate as a share of what the card sustains, positive.
        objective: In times of one request alone at the highest clock.
        requests: How many an episode expects, and has at most.
        latency: From commanding a clock to its effect, s.
        price: Of a late request, J; by default a hundred times the energy of one request alone.

    Raises:
        InputError: Naming the argument at fault.
    """

    def __init__(
        self,
        count: int,
        *,
        gpu: str = "V100",
        network: str = "resnet50",
        table: Table | None = None,
        arrivals: str | ArrivalProcess = "poisson",
        load: float = 0.5,
        objective: float = 6.0,
        requests: int = 500,
        latency: float = 0.01,
        price: float | None = None,
    ) -> None:
        self.table = check_table(table) if table is not None else _standard(gpu, network)
        self.process = make_arrivals(arrivals) if isinstance(arrivals, str) else arrivals
        self.requests = as_integer(requests, "requests", 2)
        times = as_number(objective, "objective", 1.0, 1e6)
        seconds = times * float(batch_time(self.table)[0, -1])
        sustained = highest_rate(self.table, seconds)
        if sustained <= 0.0:
            raise InputError(f"objective: no rate is sustained within {times:g} times")
        self.rate = as_number(load, "load", 1e-6, 100.0) * sustained
        alone = float(batch_energy(self.table)[0, -1])
        self.setting = Setting(
            costs=costs_of(self.table),
            sizes=2 ** np.arange(self.table.largest_batch.bit_length()),
            clocks=self.table.clocks,
            objective=seconds,
            latency=as_number(latency, "latency", 0.0, 1e6),
            wait=seconds / WAITS,
            sustained=sustained,
            price=100.0 * alone if price is None else as_number(price, "price", 0.0, 1e12),
        )
        self.cards: Cards = new_cards(count, self.table.num_clocks - 1)
        self.queues: Queues = new_queues(
            np.full((count, self.requests), np.inf), np.zeros(count, dtype=np.int64)
        )
        self.observation = np.zeros((count, len(Column)), dtype=np.float32)
        self.mask = np.zeros((count, 1 + self.setting.sizes.size), dtype=np.bool_)

    def begin(self, row: int, rng: np.random.Generator) -> None:
        """Begins a new episode, at its first request."""
        moments = np.zeros(0)
        while moments.size == 0:
            moments = self.process.draw(float(self.requests), rng)[: self.requests]
        self.queues.arrival[row] = np.inf
        self.queues.arrival[row, : moments.size] = moments * (self.requests / self.rate)
        self.queues.total[row] = moments.size
        for column in (self.queues.head, self.queues.come, self.queues.batches):
            column[row] = 0
        fastest = self.table.num_clocks - 1
        for values, value in zip(self.cards, (0, fastest, fastest, np.inf, 0, 0, 0), strict=True):
            values[row] = value
        _begin(self.setting, self.cards, self.queues, row)
        self.look()

    def step(self, actions: Ints, playing: Bools) -> Step:
        """Carries out decisions where episodes are playing.

        Args:
            actions: Batch choice (0 waits, k starts at most the k-th size) and clock (N, 2).
            playing: Which episodes (N,).
        """
        count = playing.size
        energy, dt = np.zeros(count), np.zeros(count)
        violations = np.zeros(count, dtype=np.int64)
        step = Step(energy, violations, dt)
        _step(self.setting, self.cards, self.queues, actions, playing, step)
        self.look()
        return step

    def look(self) -> None:
        """Writes observations and masks."""
        _look(self.setting, self.cards, self.queues, self.observation, self.mask)

    @property
    def done(self) -> Bools:
        """Whether all requests were served (N,)."""
        return np.asarray(self.queues.head >= self.queues.total)

    def outcome(self, row: int) -> Outcome:
        """What came of an episode."""
        return Outcome.of(self.cards, self.queues, self.setting.objective, row)


def _standard(gpu: str, network: str) -> Table:
    """A network on a card at some of its clocks."""
    card = find_gpu(gpu)
    usable = choices(card)
    clocks = usable[np.linspace(0, usable.size - 1, CLOCKS).round().astype(int)]
    return table_of(card, find_network(network), LARGEST_BATCH, clocks)


@kernel
def _begin(setting: Setting, cards: Cards, queues: Queues, row: int) -> None:
    """To the first request."""
    _wait_for_work(setting, cards, queues, row)


@kernel
def _step(
    setting: Setting, cards: Cards, queues: Queues, actions: Ints, playing: Bools, step: Step
) -> None:
    """Starts a batch or waits, then on to the next decision."""
    for row in range(playing.size):
        if not playing[row]:
            continue
        before = cards.busy_energy[row] + cards.idle_energy[row]
        since, first = cards.now[row], queues.head[row]
        waiting = queues.come[row] - first
        if actions[row, 0] == 0:
            _wait(setting, cards, queues, row, actions[row, 1])
        else:
            batch = min(setting.sizes[actions[row, 0] - 1], waiting)
            _start(setting, cards, queues, row, batch, actions[row, 1])
        _wait_for_work(setting, cards, queues, row)
        late = 0
        for request in range(first, queues.head[row]):
            late += queues.latency[row, request] > setting.objective
        step.violations[row] = late
        step.energy[row] = cards.busy_energy[row] + cards.idle_energy[row] - before
        step.dt[row] = cards.now[row] - since


@helper
def _wait(setting: Setting, cards: Cards, queues: Queues, row: int, clock: int) -> None:
    """Commands a clock and waits for another request, or one step."""
    command(cards, row, clock, setting.latency)
    come = queues.come[row]
    until = cards.now[row] + setting.wait
    if come < queues.total[row]:
        until = min(until, queues.arrival[row, come])
    idle(setting.costs, cards, row, until)


@kernel
def _start(
    setting: Setting, cards: Cards, queues: Queues, row: int, batch: int, clock: int
) -> None:
    """Runs a batch at one clock."""
    plan = np.full((1, batch, setting.costs.time.shape[0]), clock, dtype=np.int64)
    start(setting.costs, cards, queues, row, batch, plan, 0, setting.latency)


@helper
def _wait_for_work(setting: Setting, cards: Cards, queues: Queues, row: int) -> None:
    """Lets requests come, the next one at least, if there is one."""
    waiting = receive(queues, row, cards.now[row])
    if waiting == 0 and queues.come[row] < queues.total[row]:
        idle(setting.costs, cards, row, queues.arrival[row, queues.come[row]])
        receive(queues, row, cards.now[row])


@kernel
def _look(
    setting: Setting, cards: Cards, queues: Queues, observation: Floats32, mask: Bools
) -> None:
    """Writes what is seen, and which batch choices there are: no more than wait, rounded up."""
    largest, highest = setting.costs.whole_time.shape[0], setting.clocks[-1]
    for row in range(observation.shape[0]):
        now, head, come = cards.now[row], queues.head[row], queues.come[row]
        waiting = come - head
        seen = observation[row]
        seen[:] = 0.0
        if waiting > 0:
            middle = queues.arrival[row, head + waiting // 2]
            batch = min(waiting, largest)
            time = setting.costs.whole_time[batch - 1, cards.clock[row]]
            seen[Column.WAITING] = waiting / largest
            seen[Column.OLDEST] = (now - queues.arrival[row, head]) / setting.objective
            seen[Column.MIDDLE] = (now - middle) / setting.objective
            seen[Column.RUN_TIME] = time / setting.objective
        seen[Column.SHORT_RATE] = _rate(setting, queues, row, now, SHORT)
        seen[Column.LONG_RATE] = _rate(setting, queues, row, now, LONG)
        seen[Column.CLOCK] = setting.clocks[cards.clock[row]] / highest
        seen[Column.TARGET] = setting.clocks[cards.target[row]] / highest
        if cards.effect[row] < np.inf:
            seen[Column.IN_FLIGHT] = (cards.effect[row] - now) / setting.objective
        for column in range(seen.size):
            seen[column] = min(max(seen[column], 0.0), 10.0)
        mask[row, 0] = True
        below = 0
        for choice in range(setting.sizes.size):
            mask[row, choice + 1] = below < waiting
            below = setting.sizes[choice]


@helper
def _rate(setting: Setting, queues: Queues, row: int, now: float, window: float) -> float:
    """Arrivals a second lately, over what the card sustains."""
    length = min(max(now, setting.objective), window * setting.objective)
    request = queues.come[row] - 1
    count = 0
    while request >= 0 and queues.arrival[row, request] > now - length:
        count += 1
        request -= 1
    return count / length / setting.sustained
