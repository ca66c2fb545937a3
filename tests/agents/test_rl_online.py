"""`rl-online`: what it sees, what it chooses, its file, and that it does not look ahead."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from arriving import arriving, by_hand, otherwise_after
from dsct_gym import Instance, make_solver
from dsct_gym.agents.online.columns import PRIOR_AT, SIZE, Outlook, Prior
from dsct_gym.agents.online.decision import best_work
from dsct_gym.agents.online.demand import BINS, clearing_price, tally
from dsct_gym.agents.online.outlook import COSTS, OUTLOOK, Mind, look_out, remember
from dsct_gym.agents.online.weights import SHIPPED, as_file, load_weights
from dsct_gym.agents.rl_online import RlOnline
from dsct_gym.arrays import Floats
from dsct_gym.errors import InputError
from dsct_gym.jit import kernel
from dsct_gym.online import OnlineInstance
from dsct_gym.online.generator import generate_online
from dsct_gym.online.known import Choice, Known
from dsct_gym.online.policy import PlainPolicy
from dsct_gym.online.simulator import Game, Outcome, know, next_idle

BIN = 0.3


@kernel
def tallied(known: Known, task: int, most: float, middle: float, bins: Floats) -> None:
    tally(known, task, most, middle, bins)


@kernel
def cleared(present: Floats, past: Floats, expected: float, capacity: float) -> float:
    return clearing_price(present, past, expected, capacity)


@kernel
def chosen_work(known: Known, task: int, machine: int, cost: float) -> tuple[float, float]:
    return best_work(known, task, machine, cost)


@kernel
def looked_out(known: Known, memory: Floats, parameters: Floats) -> None:
    remember(known, memory)
    look_out(known, memory, parameters)


def all_there(problem: Instance) -> Known:
    game = Game.of(problem, 1)
    assert next_idle(game)
    return know(game)


def demand_at(known: Known, price: float) -> float:
    """Work whose slope is above a price, over all tasks."""
    width = np.diff(known.reach, axis=1)
    rise = np.diff(known.value, axis=1)
    return float(width[rise > price * width].sum())


@pytest.mark.parametrize("share", [0.1, 0.4, 0.8])
def test_at_the_clearing_price_tasks_want_what_there_is_room_for(share: float) -> None:
    known = all_there(arriving(3, n=60).core)
    present, past = np.zeros(BINS), np.zeros(BINS)
    middle = math.log(0.8 / known.reach[:, -1].mean())
    for task in range(60):
        tallied(known, task, np.inf, middle, present)
        tallied(known, task, np.inf, middle, past)
    whole = float(known.reach[:, -1].sum())
    assert present.sum() == pytest.approx(whole)
    capacity = share * 1.5 * whole  # all that is present, and half of it to come
    price = cleared(present, past, 0.5, capacity) + middle
    below, above = (1.5 * demand_at(known, math.exp(price + by)) for by in (BIN, -BIN))
    assert below <= capacity <= above


def test_where_all_fits_the_price_falls_with_the_room_left() -> None:
    present, past = np.ones(BINS), np.zeros(BINS)
    prices = [cleared(present, past, 1.0, BINS * times) for times in (0.9, 1.1, 2.0, 20.0)]
    assert prices == sorted(prices, reverse=True)
    assert len(set(prices)) == 4


@pytest.mark.parametrize("seed", range(5))
def test_the_work_that_is_worth_most(seed: int) -> None:
    known = all_there(arriving(seed, n=8).core)
    rng = np.random.default_rng(seed)
    for task in range(8):
        slope = known.value[task, -1] / known.reach[task, -1]
        cost = slope * float(rng.uniform(0.0, 3.0))
        most = min(
            known.reach[task, -1],
            known.deadline[task] * known.speed[1],
            known.left * known.efficiency[1],
        )
        works = np.linspace(0.0, most, 4_001)
        worth = np.interp(works, known.reach[task], known.value[task]) - cost * works
        value, work = chosen_work(known, task, 1, cost)
        assert value == pytest.approx(worth.max() - known.value[task, 0], abs=1e-3)
        assert value >= worth.max() - known.value[task, 0] - 1e-12
        assert 0.0 <= work <= most * (1.0 + 1e-9)


class _Watching(PlainPolicy):
    """Starts the most urgent task in full if it can, and keeps an outlook at each decision."""

    name = "watching"
    turns = staticmethod(next_idle)

    def begin(self) -> None:
        self.memory = np.zeros(COSTS)
        self.parameters = np.zeros(SIZE)
        self.parameters[PRIOR_AT + Prior.LOAD] = math.log(3.0)
        self.parameters[PRIOR_AT + Prior.WEIGHT] = math.log(0.25)
        self.seen: list[tuple[Known, Floats]] = []

    def decide(self, known: Known) -> Choice:
        looked_out(known, self.memory, self.parameters)
        self.seen.append((known, self.memory[OUTLOOK:COSTS].copy()))
        task, machine = int(known.waiting[0]), known.machine
        in_time = (known.deadline[task] - known.clock) * known.speed[machine]
        work = min(known.reach[task, -1], in_time, known.left * known.efficiency[machine])
        if work <= 0.0:
            return Choice(-1, -1, 0.0)
        return Choice(task=task, machine=machine, work=float(work))


def rate_of(known: Known, span: float, late: float) -> float:
    """Arrivals a second, each counted for less the longer it is ago."""
    patience = (known.deadline - known.arrival).cumsum() / np.arange(1, known.arrival.size + 1)
    count, before = 0.0, 0.0
    for moment, mean in zip(known.arrival, patience, strict=True):
        count = count * math.exp(-(moment - before) / mean / span) + 1.0
        before = moment
    count *= math.exp(-(known.clock - before) / patience[-1] / span)
    return count / (1.0 - math.exp(-(known.clock / patience[-1] + late) / span)) / span


def test_every_column_of_the_outlook() -> None:
    watching = _Watching()
    watching.solve(arriving(5, n=60, m=3, beta=0.4))
    for known, found in watching.seen[5::7]:
        k = known.arrival.size
        patience = (known.deadline - known.arrival).mean()
        speed, power = known.speed.sum(), (known.speed / known.efficiency).sum()
        left = known.horizon - known.clock
        longer, lately = rate_of(known, 5.0, 0.3), rate_of(known, 1.0, 0.3)
        mean_work = known.reach[:, -1].mean()
        seen_before = 3.0 * speed / mean_work * 0.25 * known.horizon
        rate = (k + seen_before) / (known.clock + 0.25 * known.horizon) * patience
        can = [
            min(
                known.reach[task, -1],
                (known.deadline[task] - known.clock) * known.speed.mean(),
            )
            for task in known.waiting
        ]
        taken = np.clip((known.free - known.clock) / patience, 0.0, 1.0)
        offered = rate / patience * mean_work / speed
        budget = known.budget / power / known.horizon
        share = known.left / known.budget
        expected = {
            Outlook.ONE: 1.0,
            Outlook.PACE: math.log((share + 0.02) / (left / known.horizon + 0.02)),
            Outlook.LEFT: left / known.horizon,
            Outlook.TREND: math.log((longer + 0.001) / (rate + 0.001)),
            Outlook.SURGE: math.log((lately + 0.01) / (longer + 0.01)),
            Outlook.WAITING: sum(can) / (speed * patience),
            Outlook.BUSY: (taken * known.speed).sum() / speed,
            Outlook.BUDGET: math.log(budget + 0.01),
            Outlook.LOAD: math.log(offered + 0.001),
        }
        for place, value in expected.items():
            assert found[place] == pytest.approx(value, rel=1e-6, abs=1e-9), place.name
        free = np.maximum(known.free - known.clock, 0.0)
        for place, span, pace in ((Outlook.LATER, 1.0, longer), (Outlook.SOON, 0.4, lately)):
            capacity = float((known.speed * np.maximum(span * patience - free, 0.0)).sum())
            coming = 0.5 * pace * min(span, left / patience) / k
            check_price(known, can, found[place], coming, capacity)
        coming, capacity = rate / patience * left / k, known.left * speed / power
        check_price(known, can, found[Outlook.ENERGY], coming, capacity)


def check_price(
    known: Known, can: list[float], log_price: float, coming: float, capacity: float
) -> None:
    """At the price, what waits and what comes want the capacity, up to a bin of the tally."""
    if not -6.0 < log_price < 3.0:
        return  # all fits, or nothing does
    unit = (known.value[:, -1] - known.value[:, 0]).sum() / known.reach[:, -1].sum()
    low, high = unit * math.exp(log_price - BIN), unit * math.exp(log_price + BIN)
    wanted = []
    for price in (low, high):
        present = 0.0
        for task, most in zip(known.waiting, can, strict=True):
            reach = np.minimum(known.reach[task], most)
            slope = np.diff(known.value[task]) / np.diff(known.reach[task])
            present += float(np.diff(reach)[slope > price].sum())
        wanted.append(present + coming * demand_at(known, price))
    assert wanted[1] <= capacity * (1.0 + 1e-6) + 1e-6
    assert capacity <= wanted[0] * (1.0 + 1e-6) + 1e-6


def play(problem: OnlineInstance) -> Game:
    rule = RlOnline()
    game = Game.of(problem, rule.levels)
    rule._play(game)
    return game


@pytest.mark.parametrize("seed", range(6))
def test_what_comes_later_changes_nothing_before(seed: int) -> None:
    problem = arriving(seed, n=40, m=1 + seed)
    moment = float(np.quantile(problem.arrivals, 0.2 + 0.1 * seed))
    one, two = play(problem), play(otherwise_after(problem, moment, seed))
    known = int((problem.arrivals <= moment).sum())
    early = one.start[:known] <= moment
    assert (one.machine[:known][early] >= 0).any()
    for column in ("machine", "start", "work"):
        first, other = getattr(one, column)[:known], getattr(two, column)[:known]
        assert np.array_equal(first[early], other[early])


@pytest.mark.parametrize("machines", [1, 2, 7, 20])
def test_any_machines_and_any_load(machines: int) -> None:
    for seed in range(3):
        problem = arriving(seed, n=50, m=machines, rho=0.1 + seed, beta=0.5 * seed, crowds=4)
        game = play(problem)
        assert (game.outcome != Outcome.OPEN).all()
        schedule = make_solver("rl-online").solve(problem).schedule  # verified
        assert np.array_equal(schedule.work, game.schedule(problem).work)


def test_units_of_work_do_not_matter() -> None:
    problem = arriving(2, n=50)
    core = problem.core
    scaled = Instance(
        core.speeds * 8.0,
        core.efficiencies * 8.0,
        core.deadlines,
        core.work * 8.0,
        core.accuracy,
        core.energy_budget,
    )
    one = play(problem)
    other = play(OnlineInstance(scaled, problem.arrivals, problem.horizon))
    assert np.array_equal(one.machine, other.machine)
    assert np.allclose(one.work * 8.0, other.work)


def test_tasks_that_gain_nothing_are_left() -> None:
    problem = by_hand([0.0, 0.0], [4.0, 4.0], [4.0, 4.0], horizon=4.0)
    core = problem.core
    flat = Instance(
        core.speeds, core.efficiencies, core.deadlines, core.work, [[0.5, 0.5]] * 2, 100.0
    )
    assert (play(OnlineInstance(flat, problem.arrivals, 4.0)).machine == -1).all()


def test_it_beats_the_price_rule_on_new_bursts() -> None:
    problems = [generate_online(80, 4, arrivals="bursty", mu=10, seed=seed) for seed in range(12)]
    mine, rule = (
        np.array([make_solver(name).solve(each).schedule.mean_accuracy for each in problems])
        for name in ("rl-online", "price")
    )
    assert mine.mean() > rule.mean() + 0.01


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    parameters = np.round(np.random.default_rng(0).normal(size=SIZE), 4)
    path = tmp_path / "weights.json"
    path.write_text(as_file(parameters, {"seed": 3}))
    assert np.array_equal(load_weights(path), parameters)
    problem = arriving(1)
    other = make_solver("rl-online", checkpoint=path).solve(problem).schedule
    assert not np.array_equal(other.work, make_solver("rl-online").solve(problem).schedule.work)


def changed(**fields: object) -> str:
    return json.dumps(json.loads(SHIPPED.read_text()) | fields)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "not JSON"),
        ("[]", "object"),
        (changed(format="dsct-ea-partners/1"), "format"),
        (changed(time={"one": 1.0}), "time: other names"),
        (changed(index={"__class__": 1.0}), "index: other names"),
        (changed(sharpness=1e9), "sharpness"),
        (changed(sharpness="1"), "sharpness"),
        (changed(hold=[1, 2, 3]), "hold"),
        (changed(more=1), "more"),
        (changed().replace('"sharpness": ', '"sharpness": NaN, "x": '), "sharpness"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "weights.json"
    path.write_text(text)
    with pytest.raises(InputError, match=fault) as raised:
        make_solver("rl-online", checkpoint=path)
    assert str(path) in str(raised.value)


def test_memory_has_room_for_all_machines() -> None:
    assert RlOnline().memory(7) == COSTS + 7
    assert len(Mind) + 2 * BINS == OUTLOOK
