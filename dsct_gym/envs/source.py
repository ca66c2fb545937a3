"""Where the instances of an environment come from.

Instances that are known in advance (one given, a suite, a pool) are prepared once and shared by
all episodes; a scenario or a generator of the user's own draws a new one for every episode, from
the environment's own random generator.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from dsct_gym.arrays import Ints
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.problem import Knowledge, check_known
from dsct_gym.registration import ENVIRONMENTS

if TYPE_CHECKING:
    from dsct_gym.envs.bank import Library


@runtime_checkable
class Sampler(Protocol):
    """Anything that draws instances, such as a `Scenario`."""

    def sample(self, rng: np.random.Generator) -> Instance:
        """Draws an instance."""
        ...


Generator = Sampler | Callable[[np.random.Generator], Instance]


class Source(ABC):
    """Gives each episode its instance.

    Attributes:
        max_tasks: Most tasks of an instance.
        max_machines: Most machines of an instance.
        padded: Whether some instances are known to be smaller than the largest, so that whoever
            learns on them learns what padding is.
        prepared: Instances known in advance; a library keeps them in its rows from ``shared`` on.
    """

    max_tasks: int
    max_machines: int
    padded: bool = False
    prepared: Sequence[Instance] = ()

    @abstractmethod
    def load(self, library: Library, envs: Ints, generators: Sequence[np.random.Generator]) -> Ints:
        """Chooses the next instances of some environments and has them loaded.

        Args:
            library: The rows; row e is environment e's own.
            envs: The environments.
            generators: The random generator of each of these environments.

        Returns:
            The row of each of these environments' instances.
        """


class Pool(Source):
    """Draws uniformly from instances prepared ahead.

    Args:
        instances: At least one.
    """

    def __init__(self, instances: Sequence[Instance]) -> None:
        if not instances:
            raise InputError("pool: needs at least one instance")
        self.prepared = tuple(instances)
        self.max_tasks = max(instance.num_tasks for instance in instances)
        self.max_machines = max(instance.num_machines for instance in instances)
        self.padded = len({(each.num_tasks, each.num_machines) for each in instances}) > 1

    def load(self, library: Library, envs: Ints, generators: Sequence[np.random.Generator]) -> Ints:
        """Draws rows of the pool; a pool of one draws nothing."""
        first, size = library.shared, len(self.prepared)
        if size == 1:
            return np.full(envs.size, first)
        return np.array([first + int(rng.random() * size) for rng in generators])


class Drawn(Source):
    """Draws a new instance for every episode.

    Args:
        sampler: What draws them.
        max_tasks: Most tasks of an instance.
        max_machines: Most machines of an instance.
        padded: Whether some instances are smaller.
    """

    def __init__(
        self,
        sampler: Callable[[np.random.Generator], Instance],
        max_tasks: int,
        max_machines: int,
        padded: bool = False,
    ) -> None:
        self._sampler = sampler
        self.max_tasks, self.max_machines, self.padded = max_tasks, max_machines, padded

    def load(self, library: Library, envs: Ints, generators: Sequence[np.random.Generator]) -> Ints:
        """Draws instances into the environments' own rows."""
        for env, rng in zip(envs.tolist(), generators, strict=True):
            library.load(env, self.draw(rng))
        return envs

    def draw(self, rng: np.random.Generator) -> Instance:
        """Draws one instance."""
        return playable(self._sampler(rng), "generator")


def playable(problem: object, field: str) -> Instance:
    """The problem itself, if it needs nothing that an environment of DSCT-EA does not know.

    Raises:
        InputError: Naming the field.
    """
    check_known(problem, frozenset(), "this environment", _knowledge_of_all, field=field)
    assert isinstance(problem, Instance)
    return problem


def _knowledge_of_all() -> dict[str, Knowledge]:
    return {name: environment.knows for name, environment in ENVIRONMENTS.items()}
