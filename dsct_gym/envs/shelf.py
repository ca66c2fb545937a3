"""The instances of a batch of environments, whatever the arrays that kernels read them in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dsct_gym.envs.observation import Layout
from dsct_gym.envs.workers import Workers
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.suites.suite import best_known

if TYPE_CHECKING:
    from dsct_gym.problem import Problem


class Shelf(ABC):
    """The instances of a batch of environments, and their rows: one for each environment's own.

    Args:
        count: Number of environments.
        prepared: Instances known in advance, which all environments share.
        layout: Sizes of the observations.
        workers: The threads of the batch.

    Raises:
        InputError: If an instance is larger than the layout.

    Attributes:
        bank: The rows as kernels read them; a subclass makes them before it calls this.
        shared: The first row of the instances known in advance.
        recipes: What gives the problem of each row, None for a row without one.
        workers: The threads.
    """

    bank: Any

    def __init__(
        self, count: int, prepared: Sequence[Problem], layout: Layout, workers: Workers
    ) -> None:
        self._layout = layout
        self.shared = count
        self.recipes: list[Callable[[], Problem] | None] = [None] * (count + len(prepared))
        self.workers = workers
        for row, instance in enumerate(prepared, start=count):
            self.load(row, instance)

    @property
    def several(self) -> bool:
        """Whether a machine of any row may have several clocks, for which kernels are others."""
        return False

    @abstractmethod
    def load(self, row: int, problem: Problem) -> None:
        """Writes an instance into a row.

        Raises:
            InputError: If it is larger than the environment.
        """

    def recipe(self, row: int) -> Callable[[], Problem]:
        """What gives the instance that is in a row now, even after the row has another."""
        recipe = self.recipes[row]
        assert recipe is not None
        return recipe

    def instance(self, row: int) -> Problem:
        """The instance in a row, built once."""
        recipe = self.recipe(row)
        if not isinstance(recipe, Given):
            recipe = self.recipes[row] = Given(recipe())
        return recipe()

    def reference(self, row: int) -> float | None:
        """Best-known mean accuracy of the instance in a row; None where nothing is known."""
        recipe = self.recipe(row)
        known = best_known(recipe.problem) if isinstance(recipe, Given) else None
        return None if known is None else known.mean_accuracy

    def check_tasks(self, instance: Instance) -> None:
        """Refuses an instance of more tasks than the layout has room for.

        Raises:
            InputError: Naming the number.
        """
        self._check("tasks", instance.num_tasks, self._layout.max_tasks)

    def check_machines(self, instance: Instance) -> None:
        """Refuses an instance of more machines than the layout has room for.

        Raises:
            InputError: Naming the number.
        """
        self._check("machines", instance.num_machines, self._layout.max_machines)

    @staticmethod
    def _check(what: str, size: int, most: int) -> None:
        if size > most:
            raise InputError(
                f"instance: {size} {what}, but the environment was made for at most {most}"
            )


@dataclass(frozen=True)
class Given:
    """The recipe of a problem that is there."""

    problem: Problem

    def __call__(self) -> Problem:
        """Gives it."""
        return self.problem
