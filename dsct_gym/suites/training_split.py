"""Instances to train on for those who are compared on a suite.

A suite's own instances are its test set. Its training split are new ones of the scenarios that they
were drawn from: as many as anyone wants, and none of them is in the suite.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from dsct_gym.errors import InputError
from dsct_gym.generator import Scenario
from dsct_gym.instance import Instance
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
        if manifest.needs:
            needed = " and ".join(manifest.needs)
            raise InputError(f"suite: {suite!r} needs {needed}, which no training split draws")
        recipes = [dict(entry.scenario) for entry in manifest.instances]
        if not all(recipes):
            raise InputError(f"{suite}/{MANIFEST}: says not what its instances were drawn from")
        for recipe in recipes:
            recipe.pop("seed", None)
        self.scenarios = tuple(Scenario(**recipe) for recipe in recipes)

    @property
    def sizes(self) -> set[tuple[int, int]]:
        """Numbers of tasks and machines that occur."""
        return {(scenario.max_tasks, scenario.max_machines) for scenario in self.scenarios}

    def sample(self, rng: np.random.Generator) -> Instance:
        """Draws an instance of one of the scenarios, all as likely."""
        return self.scenarios[int(rng.random() * len(self.scenarios))].sample(rng)
