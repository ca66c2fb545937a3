"""Certificates: valid whatever their prices, as tight as what they prove, refused when broken."""

import json
import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsct_gym import InputError, generate, upper_bound
from dsct_gym.certificate import Certificate
from dsct_gym.instance import Instance
from strategies import instances
from truth import LinearProgramme, brute_force, linear_programme

PRICES = st.one_of(st.sampled_from([0.0, 1.0, 1e100]), st.floats(0.0, 1.0), st.floats(0.0, 0.05))


@st.composite
def priced(draw: st.DrawFn, max_tasks: int = 4) -> tuple[Instance, Certificate]:
    """An instance with prices drawn without a look at it."""
    instance = draw(instances(max_tasks=max_tasks))
    prices = np.array([draw(PRICES) for _ in range(instance.num_tasks)])
    return instance, Certificate(prices, draw(PRICES))


def dual(instance: Instance, certificate: Certificate) -> float:
    """The bound that the prices prove, one linear programme for each set of tasks on a machine."""
    alone = [
        max(
            _worth(instance, certificate, r, np.array(taken))
            for taken in product([False, True], repeat=instance.num_tasks)
        )
        for r in range(instance.num_machines)
    ]
    spent = certificate.energy_price * instance.energy_budget
    return float(instance.base_accuracy.sum() + certificate.task_prices.sum() + spent + sum(alone))


def _worth(instance: Instance, certificate: Certificate, r: int, taken: np.ndarray) -> float:
    """What a machine with a set of tasks is worth at most: its energy is paid for, not limited."""
    unit = instance.work[:, -1].mean()
    allowed = taken[:, None] & (np.arange(instance.num_machines) == r)
    plain = linear_programme(instance, allowed)
    rate = certificate.energy_price / instance.efficiencies[r]
    cost = plain.cost.copy()
    cost[: instance.num_tasks * (instance.work.shape[1] - 1)] += rate * unit
    matrix = plain.matrix[:-1]
    free = LinearProgramme(cost, matrix, plain.rhs[:-1], plain.upper, 0.0)
    return free.optimum() - float(certificate.task_prices[taken].sum())


@settings(max_examples=60, deadline=None)
@given(priced())
def test_any_prices_prove_a_valid_bound(drawn: tuple[Instance, Certificate]) -> None:
    instance, certificate = drawn
    assert certificate.check(instance) >= brute_force(instance) - 1e-9


@settings(max_examples=40, deadline=None)
@given(priced(max_tasks=4))
def test_the_bound_is_what_the_prices_prove(drawn: tuple[Instance, Certificate]) -> None:
    instance, certificate = drawn
    if certificate.energy_price > 10.0 or certificate.task_prices.max() > 10.0:
        return  # the linear programmes lose their digits
    proved = min(dual(instance, certificate), float(instance.top_accuracy.sum()))
    found = certificate.check(instance, precision=1e-12)
    assert found == pytest.approx(proved, rel=1e-8)
    assert found <= certificate.check(instance, precision=1e-3) + 1e-12


def test_no_price_at_all_leaves_one_machine_its_deadlines() -> None:
    instance = Instance([2.0], [1.0], [1.0, 2.0], [[0, 4], [0, 4]], [[0, 0.8], [0.1, 0.5]], 1e9)
    # 4 GFLOP by the second deadline, of which the first task may have 2.
    found = Certificate([0.0, 0.0], 0.0).check(instance)
    exact = Fraction(1, 10) + 2 * Fraction(1, 5) + 2 * Fraction(1, 10)
    assert Fraction(found) >= exact - Fraction(1, 10**15)
    assert found == pytest.approx(0.7, rel=1e-6)


def test_roundings_go_upwards() -> None:
    """The bound is at least the exact optimum of the numbers as stored, worked out in fractions."""
    rng = np.random.default_rng(7)
    for _ in range(50):
        # One segment each, all by the same deadline: the steepest are done first.
        width, top = rng.random(12) / 3 + 1e-3, rng.random(12)
        time = width.sum() * 0.7
        instance = Instance(
            [1.0], [1.0], [time] * 12, np.c_[np.zeros(12), width], np.c_[np.zeros(12), top], 1e9
        )
        pairs = [(Fraction(a), Fraction(w)) for a, w in zip(top, width, strict=True)]
        exact, left = Fraction(0), Fraction(time)
        for a, w in sorted(pairs, key=lambda pair: pair[0] / pair[1], reverse=True):
            exact += a * min(w, left) / w
            left -= min(w, left)
        found = Fraction(Certificate(np.zeros(12), 0.0).check(instance, precision=0.0))
        assert exact <= found <= exact * (1 + Fraction(1, 10**11))


@pytest.mark.parametrize("scale", [1e-90, 1e-9, 1e9, 1e90])
def test_units_do_not_matter(scale: float) -> None:
    plain = generate(8, 3, mu=5, rho=0.4, beta=0.5, seed=4)
    prices, energy = np.full(8, 0.2), 0.5 / plain.energy_budget
    scaled = Instance(
        plain.speeds * scale,
        plain.efficiencies,
        plain.deadlines,
        plain.work * scale,
        plain.accuracy,
        plain.energy_budget * scale,
    )
    bound = Certificate(prices, energy).check(plain)
    assert Certificate(prices, energy / scale).check(scaled) == pytest.approx(bound, rel=1e-6)


def test_other_prices_prove_less_than_the_best() -> None:
    """Task prices of 0 and the energy price of the relaxation are no better than the relaxation."""
    instance = generate(12, 3, mu=5, rho=0.35, beta=0.5, seed=1)
    assert Certificate(np.zeros(12), 0.0).check(instance) >= upper_bound(instance)
    assert Certificate(np.full(12, 1e100), 1e100).check(instance) == math.nextafter(
        math.fsum(instance.top_accuracy), math.inf
    )


class TestFiles:
    @pytest.fixture
    def document(self) -> dict[str, object]:
        return {
            "format": "dsct-ea-certificate/1",
            "instance": "x",
            "method": "columns",
            "upper_bound": 1.5,
            "energy_price": 0.25,
            "task_prices": [0.5, 0.0],
        }

    def test_what_is_saved_is_loaded(self, tmp_path, document) -> None:
        path = tmp_path / "c.json"
        written = Certificate([0.1, 0.2], 1e-9, "x", "columns", 1.5)
        written.save(path)
        read = Certificate.load(path)
        assert read.document() == written.document()
        assert not read.task_prices.flags.writeable

    @pytest.mark.parametrize(
        ("field", "value", "fault"),
        [
            ("format", "dsct-ea/1", "format: must be 'dsct-ea-certificate/1'"),
            ("task_prices", [0.1, -1e-9], "task_prices[1]: must be at least 0, got -1e-09"),
            ("task_prices", [math.nan, 0.1], "task_prices[0]: must be finite, got nan"),
            ("task_prices", [1e101], "task_prices[0]: must be at most 1e+100, got 1e+101"),
            ("task_prices", ["0.1"], "task_prices[0]: must be a number"),
            ("task_prices", [], "task_prices: needs at least 1"),
            ("task_prices", 3, "task_prices: must be a list"),
            ("energy_price", math.inf, "energy_price: must be finite, got inf"),
            ("energy_price", -1.0, "energy_price: must be at least 0, got -1.0"),
            ("energy_price", None, "energy_price: must be a number"),
            ("upper_bound", "low", "upper_bound: must be a number"),
            ("prices", [1.0], "prices: unknown key"),
        ],
    )
    def test_refuses_what_breaks_the_format(self, tmp_path, document, field, value, fault) -> None:
        path = tmp_path / "c.json"
        path.write_text(json.dumps({**document, field: value}))
        with pytest.raises(InputError) as error:
            Certificate.load(path)
        assert error.value.lines == [str(error.value)]
        assert str(error.value).startswith(fault)

    def test_refuses_another_instance(self) -> None:
        instance = generate(3, 2, seed=0)
        with pytest.raises(InputError, match="task_prices: 2 prices for 3 tasks"):
            Certificate([0.1, 0.2], 0.0).check(instance)
        named = Instance([1.0], [1.0], [1.0], [[0, 1]], [[0, 1]], 1.0, name="y")
        with pytest.raises(InputError, match="instance: it is for 'x', not 'y'"):
            Certificate([0.1], 0.0, "x").check(named)

    @pytest.mark.parametrize(
        ("prices", "energy", "fault"),
        [
            ([0.1, math.nan], 0.0, "task_prices[1]: must be in 0..1e100, got nan"),
            ([-0.1], 0.0, "task_prices[0]: must be in 0..1e100, got -0.1"),
            ([[0.1]], 0.0, "task_prices: must be a list of numbers, one a task"),
            ([0.1], math.inf, "energy_price: must be in 0..1e100, got inf"),
        ],
    )
    def test_refuses_prices_out_of_range(self, prices, energy, fault) -> None:
        with pytest.raises(InputError) as error:
            Certificate(prices, energy)
        assert str(error.value) == fault
