"""What an agent of a service is told, what it gives, and how one is found by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import ClassVar, NamedTuple

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.errors import InputError, instead_of
from dsct_gym.serving.card import Costs, costs_of
from dsct_gym.serving.outcome import Outcome
from dsct_gym.serving.rule import Rule
from dsct_gym.serving.service import Control, Player, Seen, serve, serve_while_prompt
from dsct_gym.serving.table import Table, batch_time

ENTRY_POINT_GROUP = "dsct_gym.serving_agents"

MARGIN = 0.8
"""What agents are tuned to is this share of the violations allowed: a sample is not the truth."""

HOPELESS = 3.0
"""A trial ends at this multiple of the violations allowed."""

_LONG, _KEPT = 3000, 24
"""From how many requests on rules are screened first, and how many are kept."""

BLOCKS = 10
"""Parts of a sample that tell how sure is what it says."""


class Measured(NamedTuple):
    """How a rule did on each part of a sample (B,).

    Attributes:
        energy: J a request.
        violations: Share of the requests that took longer than the objective.
    """

    energy: Floats
    violations: Floats

    @property
    def surely(self) -> float:
        """Violations that the mean is below by all likelihood: one standard error more."""
        return float(self.violations.mean() + standard_error(self.violations))


def standard_error(values: Floats) -> float:
    """Of the mean of independent values."""
    return float(values.std(ddof=1) / np.sqrt(values.size))


@dataclass(frozen=True, eq=False)
class Situation:
    """What an agent knows before the first request.

    Attributes:
        table: What a predictor says of the network on the GPU; never the truth.
        objective: What a request should take at most, s.
        sample: Arrivals of an earlier time, s, ascending (M,): what it may try rules on.
        latency: Of a command to change the clock, s.
        allowed: Share of the requests that may take longer, in (0, 1).
        idle_counts: Whether energy counts while nothing runs.
    """

    table: Table
    objective: float
    sample: Floats
    latency: float = 0.0
    allowed: float = 0.01
    idle_counts: bool = True

    @property
    def rate(self) -> float:
        """Mean rate of the sample, requests a second."""
        return self.sample.size / float(self.sample[-1])

    @property
    def fastest(self) -> int:
        """Place of the highest clock."""
        return self.table.num_clocks - 1

    @property
    def largest_batch(self) -> int:
        """The largest batch that can be done within the objective at some clock, at least 1."""
        possible = batch_time(self.table).min(axis=1) <= self.objective
        return max(1, int(possible.sum()))

    def energy(self, outcome: Outcome) -> float:
        """What counts, J a request."""
        if self.idle_counts:
            return outcome.energy_per_request
        return outcome.busy_energy_per_request

    def cost(self, outcome: Outcome) -> tuple[float, float]:
        """What is least where an outcome is best: violations too many, then energy."""
        return max(0.0, outcome.violations - MARGIN * self.allowed), self.energy(outcome)

    @cached_property
    def costs(self) -> Costs:
        """The table as kernels read it."""
        return costs_of(self.table)

    def trial(self, rule: Rule) -> Outcome:
        """How a rule does on the sample, by what the predictor says; not to the end if badly."""
        enough = HOPELESS * self.allowed
        return serve_while_prompt(
            self.costs, rule, self.sample, self.objective, self.latency, enough
        )

    def best(self, rules: Iterable[Rule]) -> Rule:
        """The rule that does best on the sample, of those that do well on stretches of it."""
        tried = self.promising(rules, _KEPT)
        return min(tried, key=lambda rule: self.cost(self.trial(rule)))

    def promising(self, rules: Iterable[Rule], count: int) -> list[Rule]:
        """So many that do best on stretches of the sample, best first; all of few."""
        tried = list(rules)
        if len(tried) <= count:
            return tried
        short = self
        if self.sample.size >= _LONG:
            # Stretches may be late by chance: twice the violations are let pass.
            short = replace(self.brief, allowed=2.0 * self.allowed)
        costs = [short.cost(short.trial(rule)) for rule in tried]
        order = sorted(range(len(tried)), key=costs.__getitem__)
        return [tried[place] for place in order[:count]]

    @cached_property
    def brief(self) -> Situation:
        """The same with stretches of the sample in place of all of it."""
        return replace(self, sample=stretches(self.sample, self.objective))

    def measure(self, rule: Rule) -> Measured:
        """How a rule does on each part of the sample."""
        found = [
            serve_while_prompt(self.costs, rule, part, self.objective, self.latency, 1.0)
            for part in self.parts
        ]
        energy = np.array([self.energy(outcome) for outcome in found])
        return Measured(energy, np.array([outcome.violations for outcome in found]))

    @cached_property
    def parts(self) -> list[Floats]:
        """Parts of the sample one after the other, each from 0 on."""
        return [part - part[0] for part in np.array_split(self.sample, BLOCKS)]

    def batches(self) -> list[int]:
        """Batch sizes worth trying: powers of two, and the largest."""
        most = self.largest_batch
        return sorted({*(2**k for k in range(most.bit_length())), most})


def stretches(sample: Floats, pause: float, count: int = 8, share: float = 0.15) -> Floats:
    """Stretches of a sample spread over all of it, one after the other, s.

    Args:
        sample: s, ascending (M,).
        pause: Between two of them, s.
        count: How many.
        share: Of the sample in all of them.
    """
    length = max(1, int(share * sample.size / count))
    found, end = [], 0.0
    for first in np.linspace(0, sample.size - length, count).astype(int).tolist():
        part = sample[first : first + length]
        found.append(part - part[0] + end)
        end = float(found[-1][-1]) + pause
    return np.concatenate(found)


@dataclass(frozen=True)
class Fixed:
    """A control that keeps its rule."""

    rule: Rule
    period: float = np.inf

    def adapt(self, seen: Seen) -> Rule:
        """The same rule."""
        return self.rule


class Agent(ABC):
    """Decides how requests are batched and at which clocks they run."""

    name: ClassVar[str]

    @abstractmethod
    def control(self, situation: Situation) -> Control | Player:
        """How it will serve."""

    def serve(
        self,
        situation: Situation,
        truth: Table,
        arrivals: Floats,
        progress: Callable[[float], None] | None = None,
    ) -> Outcome:
        """Serves requests on the real card.

        Args:
            situation: What it knows before.
            truth: What the card really takes.
            arrivals: When requests come, s, ascending (M,).
            progress: Told now and then which share is served.
        """
        control, late = self.control(situation), situation.latency
        return serve(truth, control, arrivals, situation.objective, late, progress)


@cache
def agent_entry_points() -> Mapping[str, EntryPoint]:
    """All registered agents by name."""
    found = {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
    return dict(sorted(found.items()))


def make_agent(name: str, **options: object) -> Agent:
    """Makes an agent by its registered name.

    Raises:
        InputError: If there is none of that name, it cannot be loaded or refuses an option.
    """
    from dsct_gym.solver import check_options

    entry = agent_entry_points().get(name)
    if entry is None:
        raise InputError(f"agent: no agent {name!r}; {instead_of(name, agent_entry_points())}")
    try:
        factory = entry.load()
    except (ImportError, AttributeError) as error:
        raise InputError(f"agent: {name!r} cannot be loaded ({error})") from error
    check_options(f"agent {name!r}", factory, options)
    agent = factory(**options)
    assert isinstance(agent, Agent)
    return agent
