"""The cells of the experiment on serving: what is compared, on which requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Final, NamedTuple, cast

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.benchmark.reproduce.experiment import Effort, Row
from dsct_gym.online.arrivals import ArrivalProcess, Poisson, bursty, shipped_trace
from dsct_gym.random import spawn
from dsct_gym.serving.agent import Fixed, Situation, make_agent, standard_error
from dsct_gym.serving.gpu import Gpu
from dsct_gym.serving.gpu import gpu as find_gpu
from dsct_gym.serving.load import highest_rate
from dsct_gym.serving.network import Units
from dsct_gym.serving.networks import network as find_network
from dsct_gym.serving.outcome import Outcome
from dsct_gym.serving.prediction import predicted_table
from dsct_gym.serving.profile import choices, table_of
from dsct_gym.serving.service import Control, Player, serve
from dsct_gym.serving.table import Table, as_network, batch_time

GPUS: Final = ("V100", "M40")
NETWORKS: Final = ("alexnet", "vgg16", "googlenet", "resnet50", "mobilenet-v2")
LOADS: Final = (0.2, 0.5, 0.8)
PROCESSES: Final = ("poisson", "bursty", "trace")
OBJECTIVES: Final = (3, 6, 12)

AGENTS: Final = (
    "static",
    "fmax-b1",
    "fmax-greedy",
    "clipper",
    "batch-timeout",
    "dvfs-b1",
    "dvfs-greedy",
    "batchdvfs",
    "eais",
    "eali",
    "replan",
    "rl-service",
)
LATENCY: Final = 0.01
"""From commanding a clock to its effect, s."""

LATENCIES: Final = (0.0, 1e-4, 1e-3)
ERRORS: Final = (0.1, 0.2)
LARGEST_BATCH: Final = 64
CLOCKS: Final = 8
WINDOWS: Final = 50
KNEE: Final = 100.0  # MHz

_REQUESTS: Final[dict[Effort, int]] = {"full": 10_000, "quick": 1500}
_TOTAL: Final[dict[Effort, int]] = {"full": 105_000, "quick": 1500}
_SAMPLES: Final[dict[Effort, int]] = {"full": 3, "quick": 1}
_FORESEEN: Final[dict[Effort, int]] = {"full": 2000, "quick": 500}

_DIGITS: Final = 5


class Cell(NamedTuple):
    """One setting in which agents are compared.

    Attributes:
        gpu: Name.
        network: Name.
        arrivals: One of `PROCESSES`.
        load: Rate where requests come most densely, as a share of what the card sustains.
        objective: In times of one request alone at the highest clock.
    """

    gpu: str
    network: str
    arrivals: str
    load: float
    objective: int

    @property
    def label(self) -> str:
        """For progress."""
        return f"{self.network} on {self.gpu}, {self.arrivals}, {self.load:.0%}, x{self.objective}"


def all_cells(effort: Effort) -> list[Cell]:
    """All cells: every card, network, process, load and objective."""
    if effort == "quick":
        return [
            Cell("V100", "alexnet", "poisson", 0.5, 6),
            Cell("M40", "resnet50", "bursty", 0.5, 6),
        ]
    return [
        Cell(gpu, network, arrivals, load, objective)
        for objective in OBJECTIVES
        for network in NETWORKS
        for gpu in GPUS
        for arrivals in PROCESSES
        for load in LOADS
    ]


def ablation_cells(effort: Effort) -> list[Cell]:
    """Cells in which the parts of `eali` are taken away."""
    if effort == "quick":
        return [Cell("V100", "alexnet", "poisson", 0.5, 6)]
    return [
        Cell(gpu, network, arrivals, load, 6)
        for gpu in GPUS
        for network in ("alexnet", "resnet50")
        for arrivals, load in (("poisson", 0.8), ("bursty", 0.5))
    ]


def compare(cell: Cell, effort: Effort) -> Iterator[Row]:
    """A row for each agent; `smdp` and `oracle` where they are meant to be used."""
    truth, known = tables(cell.gpu, cell.network)
    situation, tests = set_up(cell, known, effort)
    short = tests[0][: _FORESEEN[effort]]
    bar: Floats | None = None
    brief_bar = np.ones(1)
    for name in (*AGENTS, "smdp") if cell.arrivals == "poisson" else AGENTS:
        control = make_agent(name).control(situation)
        *found, brief = _serve_all(truth, control, situation, [*tests, short])
        if bar is None:
            bar, brief_bar = _energies(found), _energies([brief])
        yield _row(cell, name, "", found, brief, bar)
    foreseen = make_agent("oracle").serve(situation, truth, short)
    yield _row(cell, "oracle", "", [foreseen], foreseen, brief_bar)


def ablations(cell: Cell, effort: Effort) -> Iterator[Row]:
    """A row for `eali` as it is and with each of its parts taken away or its world changed."""
    truth, known = tables(cell.gpu, cell.network)
    layers, guessed = tables(cell.gpu, cell.network, "layers")
    plain, tests = set_up(cell, known, effort)
    situations = {
        "as it is": (truth, plain),
        "one clock for the network": (as_network(truth), replace(plain, table=as_network(known))),
        "a clock for every layer": (layers, replace(plain, table=guessed)),
        "no batching": (_single(truth), replace(plain, table=_single(known))),
        "true power known": (truth, replace(plain, table=truth)),
        **{
            f"power told with {share:.0%} of error": (truth, replace(plain, table=wrong))
            for share, wrong in ((share, _mistold(known, share)) for share in ERRORS)
        },
        **{
            f"clock changes in {1e3 * late:g} ms": (truth, replace(plain, latency=late))
            for late in LATENCIES
        },
        "tuned as if idling were free": (truth, replace(plain, idle_counts=False)),
        f"knee {KNEE:g} MHz lower than told": (_moved(cell, -KNEE), plain),
        f"knee {KNEE:g} MHz higher than told": (_moved(cell, KNEE), plain),
    }
    bar: Floats | None = None
    for variant, (real, situation) in situations.items():
        control = _eali(situation)
        variants: dict[str, Control] = {variant: control}
        if variant == "as it is":
            variants["one price of late requests"] = Fixed(control.rule)
            variants["never resting"] = _eali(situation, rests=False)
        for name, played in variants.items():
            found = _serve_all(real, played, situation, tests)
            bar = _energies(found) if bar is None else bar
            yield _row(cell, "eali", name, found, found[0], bar)


def _eali(situation: Situation, **options: object) -> Control:
    """How `eali` serves: by a rule, which not all agents do."""
    return cast(Control, make_agent("eali", **options).control(situation))


def _serve_all(
    truth: Table, control: Control | Player, situation: Situation, streams: list[Floats]
) -> list[Outcome]:
    """What comes of each stream."""
    return [serve(truth, control, each, situation.objective, situation.latency) for each in streams]


def _energies(found: list[Outcome]) -> Floats:
    """J a request of each stream."""
    return np.array([outcome.energy_per_request for outcome in found])


@cache
def tables(gpu: str, network: str, units: Units = "units") -> tuple[Table, Table]:
    """The truth, and what agents are told of it; at clocks spread over those of the card."""
    card, served = find_gpu(gpu), find_network(network)
    clocks = _clocks(card)
    return (
        table_of(card, served, LARGEST_BATCH, clocks, units),
        predicted_table(card, served, LARGEST_BATCH, clocks, units),
    )


def _clocks(card: Gpu) -> Floats:
    """Some of the clocks that schedulers choose from, and the lowest of all to rest at."""
    usable = choices(card)
    spread = usable[np.linspace(0, usable.size - 1, CLOCKS).round().astype(int)]
    return np.union1d(card.clocks[:1], spread)


def _mistold(table: Table, share: float) -> Table:
    """The same with the power at each clock told wrongly, by a factor of its own."""
    factor = np.exp(share * spawn(0, 2).standard_normal(table.num_clocks))
    return table._replace(power=table.power * factor, idle_power=table.idle_power * factor)


def _moved(cell: Cell, by: float) -> Table:
    """The truth of a card whose voltage starts to rise elsewhere."""
    card = find_gpu(cell.gpu)
    power = card.power._replace(knee=card.power.knee + by)
    moved = replace(card, power=power)
    return table_of(moved, find_network(cell.network), LARGEST_BATCH, _clocks(card))


def _single(table: Table) -> Table:
    """The same without batches."""
    return table._replace(
        batches=table.batches[:1], time=table.time[:, :1], power=table.power[:, :1]
    )


@cache
def _sustained(gpu: str, network: str, objective: int) -> tuple[float, float]:
    """The objective, s, and the highest rate within it, requests a second."""
    truth, _ = tables(gpu, network)
    seconds = objective * float(batch_time(truth)[0, -1])
    return seconds, highest_rate(truth, seconds)


def set_up(cell: Cell, known: Table, effort: Effort) -> tuple[Situation, list[Floats]]:
    """What agents know, and the streams of requests that all of them serve."""
    objective, most = _sustained(cell.gpu, cell.network, cell.objective)
    earlier, later = _processes(cell.arrivals)
    count, expected = (_possible(each, _REQUESTS[effort]) for each in (earlier, later))
    streams = round(_TOTAL[effort] / expected + 0.5 * (effort == "full"))
    samples = [earlier.draw(count, spawn(0, 1, seed)) for seed in range(_SAMPLES[effort])]
    tests = [later.draw(expected, spawn(0, 0, seed)) for seed in range(streams)]
    densest = 1.0
    if cell.arrivals != "poisson":
        counts, _ = np.histogram(samples[0], WINDOWS, (0.0, 1.0))
        densest = float(counts.max() / counts.mean())
    rate = cell.load * most / densest
    sample = np.concatenate([place + each for place, each in enumerate(samples)])
    tests = [test * (expected / rate) for test in tests]
    return Situation(known, objective, sample * (count / rate), LATENCY), tests


def _processes(name: str) -> tuple[ArrivalProcess, ArrivalProcess]:
    """What rules are tried on, and what is served: of a trace, its first and second half."""
    if name == "trace":
        return shipped_trace("azure-conv", end=0.5), shipped_trace("azure-conv", begin=0.5)
    process = Poisson() if name == "poisson" else bursty(factor=4.0, length=0.02)
    return process, process


def _possible(process: ArrivalProcess, count: int) -> float:
    """How many requests to draw: of a trace no more than most of what it holds."""
    times = getattr(process, "times", None)
    return float(count) if times is None else min(float(count), 0.4 * times.size)


def _row(
    cell: Cell, agent: str, variant: str, found: list[Outcome], brief: Outcome, bar: Floats
) -> Row:
    """Of all requests together, with half widths of 95 % intervals over streams (normal).

    Args:
        cell: Where.
        agent: Name.
        variant: What of it.
        found: What came of each stream.
        brief: What came of the few requests that `oracle` serves.
        bar: What the first of the table spent on each stream, J a request.
    """
    latency = np.concatenate([outcome.latency for outcome in found])
    p50, p99 = np.quantile(latency, (0.5, 0.99)).tolist()
    over = _energies(found) / bar
    figures = {
        "energy_per_request": float(_energies(found).mean()),
        "energy_interval": _half_width(_energies(found)),
        "over_first": float(over.mean()),
        "over_first_interval": _half_width(over),
        "foreseen_energy": brief.energy_per_request,
        "busy_energy_per_request": float(np.mean([o.busy_energy_per_request for o in found])),
        "violations": float(np.mean(latency > found[0].objective * (1.0 + 1e-12))),
        "p50": p50,
        "p99": p99,
        "mean_batch": latency.size / sum(outcome.batches for outcome in found),
        "switches_per_second": sum(o.switches for o in found) / sum(o.seconds for o in found),
    }
    return {
        **cell._asdict(),
        "agent": agent,
        "variant": variant,
        "streams": len(found),
        "requests": int(latency.size),
        **{name: float(f"{value:.{_DIGITS}g}") for name, value in figures.items()},
    }


def _half_width(values: Floats) -> float:
    """Of a 95 % interval of the mean; 0 of one value."""
    return 1.96 * standard_error(values) if values.size > 1 else 0.0
