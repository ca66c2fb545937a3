"""How the numbers of `price` are tuned."""

import json
from pathlib import Path

import numpy as np
import pytest

from dsct_gym.baselines.dispatch.price import Price, tuned_numbers
from dsct_gym.training.dispatch import KINDS, draw, main, mean_accuracy, tune


def test_what_is_tuned_is_the_mean_accuracy_of_the_rule() -> None:
    instances = draw("bursty", 2, 0)
    numbers = tuned_numbers()["bursty"]
    solved = [Price("bursty").solve(instance).schedule.mean_accuracy for instance in instances]
    assert mean_accuracy(numbers, instances) == pytest.approx(np.mean(solved))


def test_tuning_finds_better_numbers_the_same_ones_every_time() -> None:
    instances = draw("poisson", 3, 0)
    found = tune(instances, 6, 0)
    assert np.array_equal(found, tune(instances, 6, 0))
    assert mean_accuracy(found, instances) > mean_accuracy(
        np.array([5.0, 1.0, 20.0, 0.1]), instances
    )


def test_parts_hold_other_instances() -> None:
    assert draw("any", 2, 0) == draw("any", 2, 0)
    assert draw("any", 2, 0) != draw("any", 2, 1)


def test_the_file_is_what_ships(tmp_path: Path) -> None:
    main(["--instances", "1", "--draws", "1", "-o", str(tmp_path / "price.json")])
    made = json.loads((tmp_path / "price.json").read_text())
    assert made["kinds"].keys() == KINDS.keys() == tuned_numbers().keys()
