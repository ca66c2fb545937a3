"""The cells of the experiment on serving: what is compared, on which requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.benchmark.reproduce.experiment import Effort, Row
from dsct_gym.online.arrivals import ArrivalProcess, Poisson, bursty, shipped_trace
from dsct_gym.random import spawn
from dsct_gym.serving.agent import Situation, make_agent
from dsct_gym.serving.gpu import Gpu
from dsct_gym.serving.gpu import gpu as find_gpu
from dsct_gym.serving.load import highest_rate
from dsct_gym.serving.network import Units
from dsct_gym.serving.networks import network as find_network
from dsct_gym.serving.outcome import Outcome
from dsct_gym.serving.prediction import predicted_table
from dsct_gym.serving.profile import choices, table_of
from dsct_gym.serving.service import serve
from dsct_gym.serving.table import Table, as_network, batch_time

GPUS: Final = ("V100", "M40")
NETWORKS: Final = ("alexnet", "vgg16", "googlenet", "resnet50", "mobilenet-v2")
LOADS: Final = (0.2, 0.5, 0.8)
PROCESSES: Final = ("poisson", "bursty", "trace")
OBJECTIVES: Final = (3, 6, 12)

AGENTS: Final = (
    "fmax-b1",
    "fmax-greedy",
    "clipper",
    "batch-timeout",
    "dvfs-b1",
    "dvfs-greedy",
    "batchdvfs",
    "static",
    "eais",
    "eali",
    "replan",
)
LATENCY: Final = 0.01
"""From commanding a clock to its effect, s."""

LATENCIES: Final = (0.0, 1e-4, 1e-3)
LARGEST_BATCH: Final = 64
CLOCKS: Final = 8
WINDOWS: Final = 50
KNEE: Final = 100.0  # MHz

_REQUESTS: Final[dict[Effort, int]] = {"full": 10_000, "quick": 1500}
_SEEDS: Final[dict[Effort, int]] = {"full": 10, "quick": 1}
_FORESEEN: Final[dict[Effort, int]] = {"full": 3000, "quick": 500}


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
    """All cells: every network at the middle objective, and ResNet-50 at all three."""
    if effort == "quick":
        return [
            Cell("V100", "alexnet", "poisson", 0.5, 6),
            Cell("M40", "resnet50", "bursty", 0.5, 6),
        ]
    return [
        Cell(gpu, network, arrivals, load, objective)
        for objective in (6, 3, 12)
        for network in (NETWORKS if objective == 6 else ("resnet50",))
        for gpu in GPUS
        for arrivals in PROCESSES
        for load in LOADS
    ]


def ablation_cells(effort: Effort) -> list[Cell]:
    """Cells in which the parts of `eali` are taken away."""
    if effort == "quick":
        return [Cell("V100", "alexnet", "poisson", 0.5, 6)]
    return [
        Cell(gpu, network, "poisson", load, 6)
        for gpu in GPUS
        for network in ("alexnet", "resnet50")
        for load in (0.2, 0.8)
    ]


def compare(cell: Cell, effort: Effort) -> Iterator[Row]:
    """A row for each agent; `smdp` and `oracle` where they are meant to be used."""
    truth, known = tables(cell.gpu, cell.network)
    situation, tests = set_up(cell, known, effort)
    names = (*AGENTS, "smdp") if cell.arrivals == "poisson" else AGENTS
    for name in names:
        control = make_agent(name).control(situation)
        found = [
            serve(truth, control, test, situation.objective, situation.latency) for test in tests
        ]
        yield _row(cell, name, "", found, situation)
    short = tests[0][: _FORESEEN[effort]]
    yield _row(cell, "oracle", "", [make_agent("oracle").serve(situation, truth, short)], situation)


def ablations(cell: Cell, effort: Effort) -> Iterator[Row]:
    """A row for `eali` as it is and with each of its parts taken away or its world changed."""
    truth, known = tables(cell.gpu, cell.network)
    layers, guessed = tables(cell.gpu, cell.network, "layers")
    plain, tests = set_up(cell, known, effort)
    variants = {
        "as it is": (truth, plain),
        "one clock for the network": (as_network(truth), replace(plain, table=as_network(known))),
        "a clock for every layer": (layers, replace(plain, table=guessed)),
        "no batching": (_single(truth), replace(plain, table=_single(known))),
        "true power known": (truth, replace(plain, table=truth)),
        **{
            f"clock changes in {1e3 * late:g} ms": (truth, replace(plain, latency=late))
            for late in LATENCIES
        },
        "tuned as if idling were free": (truth, replace(plain, idle_counts=False)),
        f"knee {KNEE:g} MHz lower than told": (_moved(cell, -KNEE), plain),
        f"knee {KNEE:g} MHz higher than told": (_moved(cell, KNEE), plain),
    }
    for variant, (real, situation) in variants.items():
        control = make_agent("eali").control(situation)
        found = [
            serve(real, control, test, situation.objective, situation.latency) for test in tests
        ]
        yield _row(cell, "eali", variant, found, situation)


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
    """Some of the clocks that schedulers choose from, the slowest and the fastest among them."""
    usable = choices(card)
    return np.asarray(usable[np.linspace(0, usable.size - 1, CLOCKS).round().astype(int)])


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
    count = _REQUESTS[effort]
    sample = earlier.draw(_possible(earlier, count), spawn(0, 1))
    tests = [
        later.draw(_possible(later, count), spawn(0, 0, seed)) for seed in range(_SEEDS[effort])
    ]
    densest = 1.0
    if cell.arrivals != "poisson":
        counts, _ = np.histogram(sample, WINDOWS, (0.0, 1.0))
        densest = float(counts.max() / counts.mean())
    rate = cell.load * most / densest
    sample = sample * (_possible(earlier, count) / rate)
    tests = [test * (_possible(later, count) / rate) for test in tests]
    return Situation(known, objective, sample, LATENCY), tests


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


def _row(cell: Cell, agent: str, variant: str, found: list[Outcome], situation: Situation) -> Row:
    """Means over streams, with the half width of a 95 % interval of the energy (normal)."""
    told = [outcome.summary() for outcome in found]
    means = {name: float(np.mean([each[name] for each in told])) for name in told[0]}
    energies = np.array([each["energy_per_request"] for each in told])
    spread = float(energies.std(ddof=1)) if energies.size > 1 else 0.0
    seconds = float(np.mean([outcome.seconds for outcome in found]))
    figures = {
        "seconds_allowed": situation.objective,
        "energy_per_request": means["energy_per_request"],
        "energy_interval": 1.96 * spread / len(found) ** 0.5,
        "busy_energy_per_request": means["busy_energy_per_request"],
        "violations": means["violations"],
        "p50": means["p50"],
        "p99": means["p99"],
        "mean_batch": means["mean_batch"],
        "switches_per_second": means["switches"] / seconds,
    }
    return {
        **cell._asdict(),
        "agent": agent,
        "variant": variant,
        "streams": len(found),
        "requests": sum(outcome.requests for outcome in found),
        **{name: float(f"{value:.6g}") for name, value in figures.items()},
    }
