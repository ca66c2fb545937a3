"""The episodes of ``DSCT-EA-Service-v0``: services side by side, each at its next decision."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from dsct_gym.arguments import as_integer, as_number, as_range
from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.envs.service_view import Flight, Setting, look, width_of
from dsct_gym.errors import InputError
from dsct_gym.jit import helper, kernel
from dsct_gym.online.arrivals import ArrivalProcess, make_arrivals
from dsct_gym.serving.card import Cards, command, costs_of, idle, new_cards
from dsct_gym.serving.gpu import gpu as find_gpu
from dsct_gym.serving.load import highest_rate
from dsct_gym.serving.networks import network as find_network
from dsct_gym.serving.outcome import Outcome
from dsct_gym.serving.profile import choices, table_of
from dsct_gym.serving.queue import Queues, new_queues, receive, start
from dsct_gym.serving.table import Table, batch_energy, batch_time, check_table

WAITS: Final = 8
"""Steps of waiting in an objective while requests wait."""

CLOCKS: Final = 8
LARGEST_BATCH: Final = 32
MOST_PRICE: Final = 1e12

Numbers = float | tuple[float, float]
"""A number, or a range that each episode draws its own from."""


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
    """A batch of services whose clock is decided on for a whole batch.

    Args:
        count: Number of services N.
        gpu: Name of a card.
        network: Name of a network.
        table: In place of both: what batches cost.
        arrivals: Name of a process of `dsct_gym.online.arrivals`, or one itself.
        load: Mean rate as a share of what the card sustains, positive; of a range each episode
            draws its own, uniformly.
        objective: In times of one request alone at the highest clock.
        requests: How many an episode expects, and has at most.
        latency: From commanding a clock to its effect, s.
        price: Of a late request, J; by default a hundred times the energy of one request alone. Of
            a range each episode draws its own, log-uniformly.

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
        load: Numbers = 0.5,
        objective: float = 6.0,
        requests: int = 500,
        latency: float = 0.01,
        price: Numbers | None = None,
    ) -> None:
        self.table = check_table(table) if table is not None else _standard(gpu, network)
        self.process = make_arrivals(arrivals) if isinstance(arrivals, str) else arrivals
        self.requests = as_integer(requests, "requests", 2)
        self.setting = make_setting(
            self.table,
            as_number(objective, "objective", 1.0, 1e6) * float(batch_time(self.table)[0, -1]),
            as_number(latency, "latency", 0.0, 1e6),
        )
        self.load = _ends(load, "load", 1e-6, 100.0)
        dear = 100.0 * self.setting.alone if price is None else price
        self.prices = _ends(dear, "price", 0.0 if as_range(dear) is None else 1e-12, MOST_PRICE)
        self.price = np.full(count, self.prices[0])
        self.cards: Cards = new_cards(count, self.table.num_clocks - 1)
        self.queues: Queues = new_queues(
            np.full((count, self.requests), np.inf), np.zeros(count, dtype=np.int64)
        )
        self.flight = Flight(np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64))
        self.observation = np.zeros((count, self.width), dtype=np.float32)
        self.mask = np.zeros((count, 1 + self.setting.sizes.size), dtype=np.bool_)

    @property
    def width(self) -> int:
        """Length of an observation."""
        return width_of(self.table.num_clocks)

    def begin(self, row: int, rng: np.random.Generator, given: Floats | None = None) -> None:
        """Begins a new episode, at time 0 before anything has come.

        Args:
            row: Which service.
            rng: Where load, price and arrivals come from.
            given: Arrivals to play instead, s, as `check_arrivals` gives them.
        """
        moments = self._draw(rng) if given is None else given
        low, high = self.prices
        self.price[row] = low if low == high else low * (high / low) ** rng.random()
        self.queues.arrival[row] = np.inf
        self.queues.arrival[row, : moments.size] = moments
        self.queues.total[row] = moments.size
        for column in (self.queues.head, self.queues.come, self.queues.batches, *self.flight):
            column[row] = 0
        fastest = self.table.num_clocks - 1
        for values, value in zip(self.cards, (0, fastest, fastest, np.inf, 0, 0, 0), strict=True):
            values[row] = value
        self.look()

    def _draw(self, rng: np.random.Generator) -> Floats:
        """Arrivals of an episode, s."""
        low, high = self.load
        load = low if low == high else low + (high - low) * rng.random()
        moments = np.zeros(0)
        while moments.size == 0:
            moments = self.process.draw(float(self.requests), rng)[: self.requests]
        return moments * (self.requests / (load * self.setting.sustained))

    def check_arrivals(self, given: npt.ArrayLike) -> Floats:
        """Arrivals that somebody gives for an episode, s.

        Raises:
            InputError: If they are no moments from 0 on that ascend, or too many or none.
        """
        moments = np.asarray(given, dtype=np.float64)
        if moments.ndim != 1 or not 1 <= moments.size <= self.requests:
            raise InputError(f"arrivals: must be 1 to {self.requests} moments (see requests=)")
        if not np.isfinite(moments).all() or moments[0] < 0.0 or (np.diff(moments) < 0.0).any():
            raise InputError("arrivals: must be finite, at least 0 and ascend")
        return moments

    def step(self, actions: Ints, playing: Bools) -> Step:
        """Carries out decisions where episodes are playing.

        Args:
            actions: Batch choice (0 waits, k starts at most the k-th size) and clock (N, 2).
            playing: Which episodes (N,).
        """
        step = new_step(playing.size)
        self._play(actions, playing, step)
        self.look()
        return step

    def _play(self, actions: Ints, playing: Bools, step: Step) -> None:
        """Carries out decisions."""
        play_batches(self.setting, self.cards, self.queues, actions, playing, step)

    def look(self) -> None:
        """Writes observations and masks."""
        look(
            self.setting,
            self.cards,
            self.queues,
            self.flight,
            self.price,
            self.observation,
            self.mask,
        )

    @property
    def done(self) -> Bools:
        """Whether all requests were served (N,)."""
        return np.asarray(self.queues.head >= self.queues.total)

    def outcome(self, row: int) -> Outcome:
        """What came of an episode."""
        return Outcome.of(self.cards, self.queues, self.setting.objective, row)


def make_setting(table: Table, objective: float, latency: float) -> Setting:
    """What is the same in all episodes of a table.

    Args:
        table: Of the network.
        objective: s.
        latency: Of a command, s.

    Raises:
        InputError: If not even a request alone is done in time.
    """
    sustained = highest_rate(table, objective)
    if sustained <= 0.0:
        raise InputError(f"objective: no rate is sustained within {objective:g} s")
    return Setting(
        costs=costs_of(table),
        sizes=2 ** np.arange(table.largest_batch.bit_length()),
        clocks=table.clocks,
        objective=objective,
        latency=latency,
        wait=objective / WAITS,
        rest=objective,
        sustained=sustained,
        alone=float(batch_energy(table)[0, -1]),
    )


def new_step(count: int) -> Step:
    """Room for what a step gives."""
    return Step(np.zeros(count), np.zeros(count, dtype=np.int64), np.zeros(count))


def _ends(value: object, field: str, least: float, most: float) -> tuple[float, float]:
    """The ends of a range, or a number twice.

    Raises:
        InputError: Naming the field.
    """
    ends = as_range(value)
    if ends is None:
        number = as_number(value, field, least, most)
        return number, number
    low, high = (as_number(end, field, least, most) for end in ends)
    if low > high:
        raise InputError(f"{field}: range from {low:g} to {high:g}")
    return low, high


def _standard(gpu: str, network: str) -> Table:
    """A network on a card at some of its clocks."""
    card = find_gpu(gpu)
    usable = choices(card)
    clocks = usable[np.linspace(0, usable.size - 1, CLOCKS).round().astype(int)]
    return table_of(card, find_network(network), LARGEST_BATCH, clocks)


@kernel
def play_batches(
    setting: Setting, cards: Cards, queues: Queues, actions: Ints, playing: Bools, step: Step
) -> None:
    """Starts a batch and runs it to its end, or waits; then comes the next decision."""
    for row in range(playing.size):
        if not playing[row]:
            continue
        before, since, first = spent(cards, row), cards.now[row], queues.head[row]
        waiting = queues.come[row] - first
        if actions[row, 0] == 0 or waiting == 0:
            wait(setting, cards, queues, row, actions[row, 1], waiting)
        else:
            batch = min(setting.sizes[actions[row, 0] - 1], waiting)
            _start(setting, cards, queues, row, batch, actions[row, 1])
        receive(queues, row, cards.now[row])
        tell(setting, cards, queues, row, step, before, since, first)


@helper
def spent(cards: Cards, row: int) -> float:
    """Energy so far, J."""
    return float(cards.busy_energy[row] + cards.idle_energy[row])


@helper
def tell(
    setting: Setting,
    cards: Cards,
    queues: Queues,
    row: int,
    step: Step,
    before: float,
    since: float,
    first: int,
) -> None:
    """Writes what a step gave.

    Args:
        setting: Of the service.
        cards: All cards.
        queues: Their requests.
        row: Which one.
        step: Where to.
        before: Energy spent before it, J.
        since: When it began, s.
        first: The first request that was not served before it.
    """
    late = 0
    for request in range(first, queues.head[row]):
        late += queues.latency[row, request] > setting.objective
    step.violations[row] = late
    step.energy[row] = spent(cards, row) - before
    step.dt[row] = cards.now[row] - since


@helper
def wait(
    setting: Setting, cards: Cards, queues: Queues, row: int, clock: int, waiting: int
) -> None:
    """Commands a clock and waits for another request, or so long; longer where none waits."""
    command(cards, row, clock, setting.latency)
    come = queues.come[row]
    until = cards.now[row] + (setting.wait if waiting > 0 else setting.rest)
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
