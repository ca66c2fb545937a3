"""`price` against its formula, integrated numerically, and on an example worked out by hand."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from arriving import arriving, by_hand
from dsct_gym import make_solver
from dsct_gym.baselines.dispatch.price import Price
from dsct_gym.errors import InputError
from dsct_gym.online.known import NOTHING, Choice, Known
from dsct_gym.online.policy import PlainPolicy
from dsct_gym.online.simulator import Game, next_arrival

NUMBERS = {"energy": 0.9, "correction": 6.0, "queue": 0.8, "shape": 0.4}


class Formula(PlainPolicy):
    """The rule as its docstring has it."""

    name = "formula"
    turns = staticmethod(next_arrival)

    def decide(self, known: Known) -> Choice:
        task = known.waiting[0]
        unit = known.gain[:, -1].sum() / known.reach[:, -1].sum()
        patience = float((known.deadline - known.arrival).mean())
        ahead = known.spent / known.budget - known.clock / known.horizon
        joule = NUMBERS["energy"] * unit * known.efficiency.mean()
        joule *= math.exp(NUMBERS["correction"] * ahead)
        worth = {NOTHING: 0.0}
        for machine, speed in enumerate(known.speed):
            start = max(known.clock, known.free[machine])
            for work, gain in zip(known.level[task], known.gain[task], strict=True):
                end, energy = start + work / speed, work / known.efficiency[machine]
                if end > known.deadline[task] or energy > known.left or work <= 0.0:
                    continue
                x = [(moment - known.clock) / patience for moment in (start, end)]
                integral = quad(lambda ahead: ahead ** NUMBERS["shape"], *x)[0] * patience
                price = joule * energy + NUMBERS["queue"] * unit * speed * integral
                worth[Choice(task, machine, work)] = gain - price
        return max(worth, key=worth.__getitem__)


@pytest.mark.parametrize("seed", range(3))
def test_each_decision_is_the_best_of_the_formula(seed: int) -> None:
    problem = arriving(seed, n=25)
    ours, theirs = (rule.solve(problem).schedule for rule in (Price(**NUMBERS), Formula()))
    assert np.array_equal(ours.machine, theirs.machine)
    assert ours.work == pytest.approx(theirs.work)


def test_an_example_by_hand() -> None:
    # A straight curve, one machine of 1 GFLOP/s and 1 GFLOP/J, energy at λ_0 = 0.5 of what it
    # brings on average. Time costs nothing at first and rises linearly (p = 1, κ = 1), in units of
    # the mean patience of 4 s and 1/4 of accuracy a GFLOP: the last GFLOP that pays ends x of 4 s
    # ahead with 1/4 = 0.5/4 + x/4, x = 0.5: 2 s, level 5 of 10. The next task, at the same moment,
    # finds 2 s taken and is skipped.
    problem = by_hand([0.0, 0.0], [4.0, 4.0], [4.0, 4.0], horizon=4.0)
    rule = Price(energy=0.5, correction=0.0, queue=1.0, shape=1.0)
    game = Game.of(problem, rule.levels)
    rule._play(game)
    assert game.work == pytest.approx([2.0, 0.0])


def test_options_are_checked() -> None:
    for options in ({"tuned": "rain"}, {"energy": -1.0}, {"queue": "much"}, {"pace": 2.0}):
        with pytest.raises(InputError, match=next(iter(options))):
            make_solver("price", **options)
