"""Clocks of units against trying all of them."""

import itertools

import numpy as np
import pytest

from dsct_gym.serving.plans import plan_costs, price_ladder, unit_plans, worthwhile_plans
from dsct_gym.serving.rule import network_plans
from dsct_gym.serving.toy import affine_table

TABLE = affine_table(
    compute=(1.0, 0.2, 0.7, 0.0), largest_batch=3, clocks=(600.0, 900.0, 1200.0, 1400.0)
)
PRICES = price_ladder(TABLE, 9)


def every_plan() -> np.ndarray:
    """All clocks of four units, whatever the batch (256, 3, 4)."""
    plans = np.array(list(itertools.product(range(4), repeat=4)), dtype=np.int64)
    return np.ascontiguousarray(np.broadcast_to(plans[:, None], (256, 3, 4)))


@pytest.mark.parametrize("latency", [0.0, 2e-4, 5e-4])
def test_no_other_clocks_cost_less_at_any_price(latency):
    """Among plans whose every change takes effect before its unit ends."""
    plans = every_plan()
    changes = plans[:, :, 1:] != plans[:, :, :-1]
    size = np.arange(3)[None, :, None]
    time = TABLE.time[np.arange(1, 4)[None, None], size, plans[:, :, :-1]]
    possible = (~changes | (time > latency)).all(axis=2)
    found = unit_plans(TABLE, PRICES, latency)
    for price, plan in zip(PRICES, found, strict=True):
        seconds, joules = plan_costs(TABLE, plans, latency)
        least = np.where(possible, joules + price * seconds, np.inf).min(axis=0)
        own_seconds, own_joules = plan_costs(TABLE, plan[None], latency)
        assert own_joules[0] + price * own_seconds[0] == pytest.approx(least, rel=1e-12)


def test_free_changes_are_never_worse_than_one_clock_and_sometimes_better():
    found, network = unit_plans(TABLE, PRICES, 0.0), network_plans(TABLE)
    seconds, joules = plan_costs(TABLE, found, 0.0)
    steady_seconds, steady_joules = plan_costs(TABLE, network, 0.0)
    better = 0
    for place, price in enumerate(PRICES):
        steady = (steady_joules + price * steady_seconds).min(axis=0)
        own = joules[place] + price * seconds[place]
        assert (own <= steady * (1.0 + 1e-12) + 1e-12).all()
        better += int((own < steady - 1e-6).sum())
    assert better > 0


@pytest.mark.parametrize("latency", [1.0, np.inf])
def test_changes_that_come_too_late_leave_one_clock(latency):
    found = unit_plans(TABLE, PRICES, latency)
    assert (found == found[:, :, :1]).all()
    assert np.array_equal(worthwhile_plans(TABLE, latency), network_plans(TABLE))


def test_clocks_come_first_and_then_what_differs():
    plans = worthwhile_plans(TABLE, 0.0)
    assert np.array_equal(plans[:4], network_plans(TABLE))
    assert (plans[4:] != plans[4:, :, :1]).any(axis=(1, 2)).all()
    assert len(plans) > 4
