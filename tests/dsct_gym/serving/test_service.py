"""Services against queueing theory and against a second simulator that takes small steps."""

import math

import numpy as np
import pytest

from dsct_gym.errors import InputError
from dsct_gym.serving.agent import Fixed
from dsct_gym.serving.card import costs_of, new_cards
from dsct_gym.serving.queue import new_queues
from dsct_gym.serving.rest import rested
from dsct_gym.serving.rule import STAY, greedy_rule, network_plans, waiting_rule
from dsct_gym.serving.service import play, serve, serve_by_rule
from dsct_gym.serving.table import as_network, batch_energy, batch_time, check_table
from dsct_gym.serving.toy import affine_table

ALPHA, BASE = 1e-3, 2e-3
TABLE = affine_table(per_request=ALPHA, per_batch=BASE, largest_batch=64)
TOP = TABLE.num_clocks - 1


def poisson(rate: float, count: int, seed: int = 0) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).exponential(1.0 / rate, count))


def greedy(largest: int):
    return greedy_rule(TABLE, largest, TOP, network_plans(TABLE))


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_batches_of_one_are_the_queue_m_d_1(load):
    """Pollaczek and Khinchine: E[W] = τ + λ τ² / (2 (1 − ρ))."""
    time = ALPHA + BASE
    rate = load / time
    found = serve_by_rule(TABLE, greedy(1), poisson(rate, 400_000), 1.0)
    expected = time + rate * time**2 / (2.0 * (1.0 - load))
    assert found.latency.mean() == pytest.approx(expected, rel=0.01)
    assert found.summary()["mean_batch"] == 1.0


def chain(rate: float, most: int) -> tuple[float, float]:
    """Mean latency and mean batch of greedy batching by its Markov chain over batch sizes."""
    sizes = np.arange(1, most + 1)
    mean = rate * (ALPHA * sizes + BASE)
    factorial = np.array([math.lgamma(n + 1) for n in range(most + 1)])
    come = np.arange(most + 1)
    odds = np.exp(come * np.log(mean)[:, None] - mean[:, None] - factorial)
    move = odds[:, 1:].copy()
    move[:, 0] += odds[:, 0]  # whoever comes to an idle card is served alone
    move /= move.sum(axis=1, keepdims=True)
    stay = np.full(most, 1.0 / most)
    for _ in range(5000):
        stay = stay @ move
    time = ALPHA * sizes + BASE
    waited = odds[:, 1:] * sizes * (time[:, None] / 2.0 + time[None, :])
    total = stay @ (waited.sum(axis=1) + odds[:, 0] * time[0])
    size = stay @ (move @ sizes)
    return float(total / size), float(size)


@pytest.mark.parametrize("rate", [100.0, 400.0, 700.0])
def test_greedy_batching_is_its_markov_chain_and_within_the_bound(rate):
    """The bound of Inoue, arXiv:1912.06322, theorem 2, and the chain that it bounds."""
    found = serve_by_rule(TABLE, greedy(64), poisson(rate, 400_000), 1.0)
    mean, size = chain(rate, 64)
    assert found.latency.mean() == pytest.approx(mean, rel=0.01)
    assert found.summary()["mean_batch"] == pytest.approx(size, rel=0.01)
    share, load = rate * BASE, rate * ALPHA
    first = (ALPHA + BASE) / (2 * (1 - load)) * (1 + 2 * share + (1 - share) / (1 + load))
    second = 1.5 * BASE / (1 - load) + ALPHA / 2 * (load + 2) / (1 - load**2)
    assert mean <= min(first, second) * (1.0 + 1e-9)


def test_energy_is_power_by_time_worked_out_by_hand():
    table = affine_table(clocks=(700.0, 1400.0), compute=(1.0, 0.0), knee=1400.0)
    plans = network_plans(table)
    plans[0, :, 1] = 1  # the unit that the clock does not matter to, at the high one
    rule = greedy_rule(table, 4, 0, plans)
    arrivals = np.array([0.01, 0.011])
    # Commanded at 10 ms, effective at 11: of the first unit, 1.5 ms at the high clock, a third is
    # left, 1 ms at the low one. The second unit takes 1.5 ms at either; the high clock is commanded
    # with it at 12 ms, effective at 13. The other request, from 13.5 ms on, likewise.
    found = serve_by_rule(table, rule, arrivals, 1.0, latency=1e-3)
    assert found.latency == pytest.approx([0.0135 - 0.010, 0.017 - 0.011])
    power, idle = table.power[:, 0], table.idle_power
    busy = 1e-3 * (power[0, 1] + power[0, 0] + power[1, 0] + 0.5 * power[1, 1])
    assert found.busy_energy == pytest.approx(2.0 * busy)
    assert found.idle_energy == pytest.approx(0.01 * idle[1])
    assert found.switches == 4


def test_a_card_rests_and_is_woken_while_requests_wait_worked_out_by_hand():
    """The clock to rest at is commanded at 0 and on at 4 ms; the wait of 5 ms hides its command."""
    table = affine_table(clocks=(700.0, 1400.0), knee=1400.0)
    rule = waiting_rule(table, least=2, largest=4, timeout=5e-3, plan=1, plans=network_plans(table))
    rule = rested(rule, 0, np.inf)
    found = serve_by_rule(table, rule, np.array([0.01]), 1.0, latency=4e-3)
    assert found.latency == pytest.approx([5e-3 + 3e-3])
    assert found.switches == 2
    power, idle = table.power[0, 0], table.idle_power
    assert found.busy_energy == pytest.approx(3e-3 * power[1])
    assert found.idle_energy == pytest.approx(4e-3 * idle[1] + 10e-3 * idle[0] + 1e-3 * idle[1])
    late = rested(rule, 0, 2.5e-3)
    found = serve_by_rule(table, late, np.array([0.01]), 1.0, latency=4e-3)
    # Woken at 12.5, on at 16.5 ms: of the batch begun at 15 ms a quarter is done, the rest is 2.25.
    assert found.latency == pytest.approx([5e-3 + 1.5e-3 + 2.25e-3])


def test_a_card_is_woken_at_the_clock_that_the_plan_has_for_as_many_as_wait():
    """One alone would run at 700, two at 1,400 MHz, which the second request has commanded."""
    table = affine_table(clocks=(350.0, 700.0, 1400.0), knee=1400.0)
    every = network_plans(table)
    plans = np.concatenate([every, every[1:2]])
    plans[3, 1:] = 2
    rule = waiting_rule(table, least=3, largest=4, timeout=5e-3, plan=3, plans=plans)
    rule = rested(rule, 0, np.inf)
    found = serve_by_rule(table, rule, np.array([0.010, 0.012]), 1.0, latency=1e-3)
    # Idle at 1,400 MHz to 1 ms, at 350 to 11, at 700 to 13, at 1,400 until both start at 15 ms.
    idle = table.idle_power
    spent = 1e-3 * idle[2] + 10e-3 * idle[0] + 2e-3 * idle[1] + 2e-3 * idle[2]
    assert found.idle_energy == pytest.approx(spent)
    assert found.busy_energy == pytest.approx((table.time * table.power)[0, 1, 2])
    assert found.switches == 3


def test_waking_just_in_time_rests_longer_and_no_batch_is_started_otherwise():
    rule = waiting_rule(TABLE, least=4, largest=8, timeout=8e-3, plan=3, plans=network_plans(TABLE))
    arrivals = poisson(60.0, 3000)
    plain = serve_by_rule(TABLE, rule, arrivals, 1.0)
    first, in_time = (
        serve_by_rule(TABLE, rested(rule, 0, lead), arrivals, 1.0) for lead in (np.inf, 0.0)
    )
    for found in (first, in_time):
        assert found.latency == pytest.approx(plain.latency)
        assert found.busy_energy == pytest.approx(plain.busy_energy)
    assert in_time.idle_energy < first.idle_energy < plain.idle_energy


def step_by_step(table, rule, arrivals, latency, tick):
    """The same service in ticks: power is added up, work is done, clocks change at their time."""
    now, clock, target, effect = 0.0, table.num_clocks - 1, table.num_clocks - 1, math.inf
    head, energy, ends, running, wanted = 0, 0.0, [], None, -1
    while head < arrivals.size or running is not None:
        if wanted not in (-1, target):
            target, effect = wanted, math.inf if wanted == clock else now + latency
        wanted = -1
        if effect <= now + tick / 2:
            clock, effect = target, math.inf
        come = int(np.searchsorted(arrivals, now + tick / 2))
        if running is None and come == head:
            wanted = rule.park
        if running is None and come > head:
            age = min(int((now - arrivals[head]) / rule.step + 1e-6), rule.batch.shape[1] - 1)
            place = min(come - head, rule.batch.shape[0] - 1)
            batch = int(rule.batch[place, age])
            plan = int(rule.plan[place, age])
            if batch:
                running = [batch, plan, -1, 0.0]
            elif plan >= 0:
                wanted = int(rule.plans[plan, min(come - head, rule.plans.shape[1]) - 1, 0])
        if wanted not in (-1, target):
            continue  # likewise
        if running is not None:
            batch, plan, unit, left = running
            if left <= 1e-9:
                unit, left = unit + 1, 1.0
                if unit == table.num_units:
                    ends += [now] * batch
                    head, running = head + batch, None
                    continue
                wanted = int(rule.plans[plan, batch - 1, unit])
                if wanted != target:
                    running = [batch, plan, unit, left]
                    continue  # perhaps at once
            left -= tick / table.time[unit, batch - 1, clock]
            energy += tick * table.power[unit, batch - 1, clock]
            running = [batch, plan, unit, left]
        else:
            energy += tick * table.idle_power[clock]
        now += tick
    return np.array(ends) - arrivals, energy


@pytest.mark.parametrize(("latency", "park"), [(0.0, 0), (0.5e-3, 1), (4e-3, STAY), (4e-3, 0)])
def test_a_second_simulator_in_small_steps_finds_the_same(latency, park):
    table = affine_table(compute=(1.0, 0.3, 0.8), largest_batch=4)
    plans = np.random.default_rng(3).integers(0, 5, (6, 4, 3))
    rule = waiting_rule(table, least=3, largest=4, timeout=4e-3, plan=2, plans=plans)
    rule = rule._replace(park=park)
    arrivals = poisson(250.0, 30, seed=1)
    tick = 2e-6
    found = serve_by_rule(table, rule, arrivals, 1.0, latency)
    latencies, energy = step_by_step(table, rule, np.round(arrivals / tick) * tick, latency, tick)
    assert found.latency == pytest.approx(latencies, abs=60 * tick)
    assert found.busy_energy + found.idle_energy == pytest.approx(energy, rel=2e-3)


def test_many_side_by_side_are_each_alone():
    table = affine_table(compute=(1.0, 0.3))
    plans = np.random.default_rng(0).integers(0, 5, (1, 16, 2))
    rule = waiting_rule(table, least=4, largest=16, timeout=5e-3, plan=0, plans=plans)
    arrivals = np.stack([poisson(300.0, 500, seed) for seed in range(4)])
    cards, queues = new_cards(4, 4), new_queues(arrivals, np.full(4, 500))
    play(costs_of(table), rule, cards, queues, 1e-3)
    for row in range(4):
        alone = serve_by_rule(table, rule, arrivals[row], 1.0, 1e-3)
        assert np.array_equal(queues.latency[row], alone.latency)
        assert cards.busy_energy[row] == alone.busy_energy


def test_looking_at_a_service_does_not_change_it():
    rule = waiting_rule(TABLE, least=4, largest=8, timeout=5e-3, plan=1, plans=network_plans(TABLE))

    class Watch:
        period = 0.0333
        arrivals, latencies = 0, 0

        def __init__(self):
            self.rule = rule

        def adapt(self, seen):
            self.arrivals += seen.arrivals.size
            self.latencies += seen.latency.size
            assert ((seen.arrivals > seen.start - 0.1) & (seen.arrivals <= seen.end)).all()
            return rule

    arrivals, told, watch = poisson(200.0, 5000), [], Watch()
    plain = serve_by_rule(TABLE, rule, arrivals, 0.02, 1e-3)
    watched = serve(TABLE, watch, arrivals, 0.02, 1e-3, progress=told.append)
    assert np.allclose(plain.latency, watched.latency, rtol=0.0, atol=1e-9)
    assert plain.energy_per_request == pytest.approx(watched.energy_per_request, rel=1e-9)
    assert 4500 < watch.arrivals <= 5000
    assert 4500 < watch.latencies <= 5000
    assert told == sorted(told)
    assert len(told) > 50


def test_requests_that_all_come_at_the_first_moment_are_looked_at_and_served():
    """Time is not divided into looks where none passes between arrivals: that took for ever."""
    table = affine_table(largest_batch=4, clocks=(1000.0,))
    rule = greedy_rule(table, 4, 0, network_plans(table))
    told: list[float] = []
    found = serve(table, Fixed(rule), np.zeros(6), 1.0, progress=told.append)
    four, two = batch_time(table)[[3, 1], 0]
    assert found.latency == pytest.approx([four] * 4 + [four + two] * 2)


def test_requests_that_a_rule_would_never_start_are_started_at_the_end():
    rule = greedy(4)._replace(batch=np.zeros((2, 1), dtype=np.int64))
    found = serve_by_rule(TABLE, rule, np.array([0.0, 0.0, 0.1]), 1.0)
    assert found.batches == 1
    assert found.latency == pytest.approx([0.105, 0.105, 0.005])


def test_a_network_is_the_sum_of_its_units():
    table = affine_table(compute=(1.0, 0.2, 0.7))
    whole = as_network(table)
    assert np.allclose(whole.time[0], table.time.sum(axis=0))
    assert np.allclose(batch_energy(whole), batch_energy(table))
    assert np.allclose(batch_time(whole), batch_time(table))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"time": TABLE.time[:, :3]}, "table.time: has shape"),
        ({"power": -TABLE.power}, "table.power: must be positive"),
        ({"clocks": TABLE.clocks[::-1]}, "table.clocks: must ascend"),
        ({"batches": TABLE.batches + 1}, "table.batches: must be every size"),
    ],
)
def test_what_is_no_table_is_refused_by_name(change, line):
    assert check_table(TABLE) is TABLE
    with pytest.raises(InputError, match=line):
        check_table(TABLE._replace(**change))
