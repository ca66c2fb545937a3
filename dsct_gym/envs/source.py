"""Where the instances of an environment come from.

Instances that are known in advance (one given, a suite, a pool) are prepared once and shared by
all episodes; a scenario or a generator of the user's own draws a new one for every episode, from
the environment's own random generator.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

import numpy as np

from dsct_gym.arrays import Ints
from dsct_gym.errors import InputError
from dsct_gym.problem import Knowledge, Problem, check_known
from dsct_gym.registration import ENVIRONMENTS

if TYPE_CHECKING:
    from dsct_gym.envs.shelf import Shelf


@runtime_checkable
class Sampler(Protocol):
    """Anything that draws instances, such as a `Scenario`."""

    def sample(self, rng: np.random.Generator) -> Problem:
        """Draws an instance, or another problem that the environment knows."""
        ...


Generator = Sampler | Callable[[np.random.Generator], Problem]


class Source(ABC):
    """Gives each episode its instance.

    Attributes:
        max_tasks: Most tasks of an instance.
        max_machines: Most machines of an instance.
        padded: Whether some instances are known to be smaller than the largest, so that whoever
            learns on them learns what padding is.
        prepared: Instances known in advance; a library keeps them in its rows from ``shared`` on.
        compiled: Whether it draws instances by a kernel of its own.
    """

    max_tasks: int
    max_machines: int
    padded: bool = False
    prepared: Sequence[Problem] = ()
    compiled: bool = False

    @abstractmethod
    def load(self, library: Shelf, envs: Ints, generators: Sequence[np.random.Generator]) -> Ints:
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

    def __init__(self, instances: Sequence[Problem]) -> None:
        if not instances:
            raise InputError("pool: needs at least one instance")
        self.prepared = tuple(instances)
        sizes = {(each.core.num_tasks, each.core.num_machines) for each in instances}
        self.max_tasks, self.max_machines = map(max, zip(*sizes, strict=True))
        self.padded = len(sizes) > 1

    def load(self, library: Shelf, envs: Ints, generators: Sequence[np.random.Generator]) -> Ints:
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
        env_id: The environment that plays them; None: one that knows DSCT-EA alone.
    """

    def __init__(
        self,
        sampler: Callable[[np.random.Generator], Problem],
        max_tasks: int,
        max_machines: int,
        padded: bool = False,
        env_id: str | None = None,
    ) -> None:
        self._sampler, self._env_id = sampler, env_id
        self.max_tasks, self.max_machines, self.padded = max_tasks, max_machines, padded

    def load(self, library: Shelf, envs: Ints, generators: Sequence[np.random.Generator]) -> Ints:
        """Draws instances into the environments' own rows."""
        for env, rng in zip(envs.tolist(), generators, strict=True):
            library.load(env, self.draw(rng))
        return envs

    def draw(self, rng: np.random.Generator) -> Problem:
        """Draws one instance."""
        return playable(self._sampler(rng), "generator", self._env_id)


def playable(problem: object, field: str, env_id: str | None) -> Problem:
    """The problem itself, if it needs nothing that the environment does not know.

    Raises:
        InputError: Naming the field.
    """
    known = None if env_id is None else ENVIRONMENTS.get(env_id)
    knows = frozenset() if known is None else known.knows
    check_known(problem, knows, env_id or "this environment", _knowledge_of_all, field=field)
    return cast("Problem", problem)


def _knowledge_of_all() -> dict[str, Knowledge]:
    return {name: environment.knows for name, environment in ENVIRONMENTS.items()}
