"""Weights of partners: the regression against a known truth, the same seed the same weights."""

import json
from pathlib import Path

import numpy as np
import pytest

from dsct_gym.agents.partners import SHIPPED_PARTNERS, Trait, load_partner_weights
from dsct_gym.training import partners
from dsct_gym.training.partners import Swaps, fit, train_partners


def test_the_regression_finds_the_weights_that_drew_the_swaps() -> None:
    generator = np.random.default_rng(0)
    truth = generator.normal(size=len(Trait))
    traits = generator.exponential(size=(400_000, len(Trait)))
    chance = 1.0 / (1.0 + np.exp(-(traits @ truth - 0.5)))
    found = fit(Swaps(traits=traits, gains=generator.random(chance.size) < chance))
    assert found == pytest.approx(truth, abs=0.05)


def test_the_same_seed_gives_the_same_weights() -> None:
    one, again, other = train_partners(1, 0), train_partners(1, 0), train_partners(1, 1)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_the_file_that_ships_is_what_the_command_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = json.loads(SHIPPED_PARTNERS.read_text())["training"]
    path = tmp_path / "partners.json"
    words = ["partners", "-o", str(path), "--seed", str(told["seed"]), "--instances", "1"]
    monkeypatch.setattr("sys.argv", words)
    partners.main()
    assert json.loads(path.read_text())["training"] == told | {"instances": 1}
    # Few instances, but the same signs where it matters: likeness of work above all.
    few, many = load_partner_weights(path), load_partner_weights(SHIPPED_PARTNERS)
    assert few[Trait.WORK_ROOT] < 0.0 > many[Trait.WORK_ROOT]
