"""The policy that ships earns its place: what it has learned shows in a single pass."""

import numpy as np
import pytest

from dsct_gym.agents.checkpoint import load_policy
from dsct_gym.agents.network import Network
from dsct_gym.agents.rl import SHIPPED
from dsct_gym.training.config import Distribution
from dsct_gym.training.held_out import HeldOut
from dsct_gym.training.module import PolicyModule

NETWORK, HEADER = load_policy(SHIPPED)


@pytest.fixture(scope="module")
def watched() -> HeldOut:
    """32 instances, on which what approx-refined gains is 0 and what annealing gains is 1."""
    return HeldOut(Distribution(), ((50, 5),), 32)


def closed(watched: HeldOut, network: Network) -> float:
    """Share of the gap that a greedy pass closes by itself, below 0 where it makes a plan worse."""
    return watched.closed(network)["50x5"]


def test_one_pass_closes_more_of_the_gap_than_an_untrained_policy(watched: HeldOut) -> None:
    untrained = [
        closed(watched, PolicyModule(HEADER.width, seed=seed).export()) for seed in range(4)
    ]
    assert closed(watched, NETWORK) > max(untrained) + 0.04
    assert closed(watched, NETWORK) > 0.74


def test_a_policy_that_has_learned_nothing_makes_the_plan_worse(watched: HeldOut) -> None:
    # The share is that of the pass alone: with the first plan as a net it would be 0 at worst.
    blind = Network(**{name: np.zeros_like(a) for name, a in NETWORK._asdict().items()})
    assert closed(watched, blind) < 0.0
