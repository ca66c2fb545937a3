"""Instances to train on for those who are compared on a suite.

A suite's own instances are its test set. Its training split are new ones of the scenarios that they
were drawn from: as many as anyone wants, and none of them is in the suite. Where tasks arrive as in
a trace, the split draws from the part of it that no suite does, and from none that is kept for
tests (`dsct_gym.online.arrivals.shipped`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from dsct_gym.errors import InputError
from dsct_gym.generator import Scenario
from dsct_gym.online.arrivals.shipped import training_part
from dsct_gym.online.generator import OnlineScenario
from dsct_gym.problem import Problem
from dsct_gym.suites.suite import MANIFEST, read_suite_manifest

SPLITS: Final = ("train", "test")


class TrainingSplit:
    """Draws instances like those of a suite.

    Args:
        suite: Name of a suite.

    Raises:
        InputError: If there is none of that name, it is of a variant, or does not say what it was
            drawn from.

    Attributes:
        scenarios: One for each instance of the suite.
    """

    def __init__(self, suite: str) -> None:
        manifest = read_suite_manifest(suite)
        if set(manifest.needs) - {"arrivals"}:
            needed = " and ".join(manifest.needs)
            raise InputError(f"suite: {suite!r} needs {needed}, which no training split draws")
        recipes = [dict(entry.scenario) for entry in manifest.instances]
        if not all(recipes):
            raise InputError(f"{suite}/{MANIFEST}: says not what its instances were drawn from")
        self.scenarios = tuple(each for recipe in recipes for each in _to_train_on(recipe))

    @property
    def sizes(self) -> set[tuple[int, int]]:
        """Numbers of tasks and machines that occur; tasks that arrive are as many as expected."""
        tasks = [
            each.tasks if isinstance(each, OnlineScenario) else each for each in self.scenarios
        ]
        return {(scenario.max_tasks, scenario.max_machines) for scenario in tasks}

    def sample(self, rng: np.random.Generator) -> Problem:
        """Draws an instance of one of the scenarios, all as likely."""
        return self.scenarios[int(rng.random() * len(self.scenarios))].sample(rng)


def _to_train_on(recipe: Mapping[str, Any]) -> Iterator[Scenario | OnlineScenario]:
    """The scenario of a recipe; none where its tasks arrive as nobody may train on."""
    told = {key: value for key, value in recipe.items() if key != "seed"}
    if "arrivals" not in told:
        yield Scenario(**told)
        return
    arrivals = training_part(told.pop("arrivals"))
    if arrivals is not None:
        tolerance = tuple(told.pop("tolerance"))
        yield OnlineScenario.of(arrivals=arrivals, tolerance=tolerance, **told)
