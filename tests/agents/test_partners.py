"""Which tasks are worth swapping: traits, lists, the file, and what the lists are worth."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from dsct_gym import Instance, allocate, generate, make_solver
from dsct_gym.agents.partners import (
    PARTNERS,
    SHIPPED_PARTNERS,
    Tasks,
    Trait,
    list_partners,
    load_partner_weights,
    traits_of,
)
from dsct_gym.baselines.local_search import Clock, Search, cool
from dsct_gym.errors import InputError
from dsct_gym.list_schedule import assign
from dsct_gym.relaxation import relax
from strategies import instances

WEIGHTS = load_partner_weights(SHIPPED_PARTNERS)


def true_traits(instance: Instance) -> dict[Trait, np.ndarray]:
    """Every trait of every pair of tasks, spelt out (n, n)."""
    order, work = np.argsort(instance.deadlines, kind="stable"), relax(instance).work
    load = work[order] / np.mean(work)
    rank = np.arange(load.size) / load.size
    deadline = np.log(instance.deadlines[order] / np.max(instance.deadlines) + 1e-3)
    full = np.log(instance.work.max(axis=1)[order])

    def apart(values: np.ndarray) -> np.ndarray:
        return np.abs(values[:, None] - values[None, :])

    works = apart(np.log(np.maximum(load, 1e-3)))
    return {
        Trait.WORK: works,
        Trait.WORK_SQUARED: works**2,
        Trait.WORK_ROOT: np.sqrt(works),
        Trait.RANK: apart(rank),
        Trait.RANK_SQUARED: apart(rank) ** 2,
        Trait.DEADLINE: apart(deadline),
        Trait.FULL_WORK: apart(full),
        Trait.LOAD: apart(load),
        Trait.LARGER_LOAD: np.maximum(load[:, None], load[None, :]),
    }


@pytest.mark.parametrize("n", [2, 12, 60])
def test_traits_by_name(n: int) -> None:
    instance = generate(n, 2, mu=10, rho=0.4, beta=0.4, seed=n)
    one, other = (index.ravel() for index in np.indices((n, n)))
    found = traits_of(Tasks.of(instance, relax(instance)), one, other)
    for trait, values in true_traits(instance).items():
        assert found[:, trait] == pytest.approx(values.ravel(), rel=1e-9, abs=1e-12), trait.name


def test_a_partner_is_listed_as_often_as_it_deserves() -> None:
    instance = generate(90, 4, mu=10, rho=0.4, beta=0.4, seed=3)
    traits = true_traits(instance)
    logits = sum(weight * traits[trait] for trait, weight in zip(Trait, WEIGHTS, strict=True))
    chance = np.exp(logits)
    np.fill_diagonal(chance, 0.0)
    shares = chance / chance.sum(axis=1, keepdims=True)
    lists = list_partners(instance, relax(instance), WEIGHTS)
    counts = np.array([np.bincount(row, minlength=90) for row in lists])
    assert lists.shape == (90, PARTNERS)
    # Equal steps of the sum: nobody is listed a whole time more or less than the share says.
    assert np.abs(counts - PARTNERS * shares).max() < 1.0
    assert not counts.diagonal().any()


def test_of_many_tasks_those_of_similar_work_are_weighed() -> None:
    instance = generate(400, 4, seed=1)
    work = relax(instance).work[instance.edf_order]
    place = np.argsort(np.argsort(work, kind="stable"), kind="stable")
    lists = list_partners(instance, relax(instance), np.zeros(len(Trait)))
    away = np.abs(place[lists] - place[:, None])
    assert away.min() >= 1
    assert 120 <= away.max() <= 128


@settings(max_examples=60, deadline=None)
@given(instance=instances(max_tasks=8))
def test_lists_name_other_tasks(instance: Instance) -> None:
    lists = list_partners(instance, relax(instance), WEIGHTS)
    n = instance.num_tasks
    assert lists.shape in ((n, PARTNERS), (n, 0))
    assert (lists.shape[1] > 0) == (n > 1 and relax(instance).work.max() > 0.0)
    assert ((lists >= 0) & (lists < n)).all()
    assert (lists != np.arange(n)[:, None]).all()


def test_what_swaps_gain_is_what_the_allocation_says() -> None:
    instance = generate(20, 3, mu=10, rho=0.4, beta=0.4, seed=5)
    machine_of = assign(instance, relax(instance))
    search, order = Search(instance, machine_of, 0), instance.edf_order
    one, other = (index.ravel() for index in np.indices((20, 20)))
    before = allocate(instance, machine_of).total_accuracy
    for first, second, gain in zip(one, other, search.swap_gains(one, other), strict=True):
        a, b = order[first], order[second]
        if machine_of[a] == machine_of[b]:
            assert np.isnan(gain)
            continue
        swapped = machine_of.copy()
        swapped[[a, b]] = swapped[[b, a]]
        change = allocate(instance, swapped).total_accuracy - before
        assert gain == pytest.approx(change, abs=1e-9)


@pytest.mark.learning
def test_learned_partners_find_more_with_as_many_moves() -> None:
    gained = {"any": 0.0, "learned": 0.0}
    for seed in range(8):
        instance = generate(200, 5, mu=10, rho=0.4, beta=0.4, seed=seed)
        relaxation = relax(instance)
        start = assign(instance, relaxation)
        lists = {"any": None, "learned": list_partners(instance, relaxation, WEIGHTS)}
        for name, partners in lists.items():
            search = Search(instance, start, seed, partners)
            for _ in cool(search, Clock(0.0, 50 * 200, None)):
                pass
            gained[name] += search.best_total - allocate(instance, start).total_accuracy
    assert gained["learned"] > 1.05 * gained["any"]


def changed(**fields: object) -> str:
    return json.dumps(json.loads(SHIPPED_PARTNERS.read_text()) | fields)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[]", "must be an object"),
        (changed(format="dsct-ea-partners/2"), "format: "),
        (changed(weights=[1.0] * 8), "weights: "),
        (changed(weights=[1.0] * 8 + ["1"]), r"weights\[8\]: must be a number"),
        (changed(weights=[1.0] * 8 + [1e300]), r"weights\[8\]: "),
        (changed(traits=["work"]), "traits: others than this version's"),
        (changed(run="rm -r /"), "run: unknown key"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "partners.json"
    path.write_text(text)
    with pytest.raises(InputError, match=fault) as raised:
        make_solver("rl", partners=str(path))
    assert str(path) in str(raised.value)


def test_rl_takes_other_weights(tmp_path: Path) -> None:
    path = tmp_path / "partners.json"
    path.write_text(changed(weights=[0.0] * 9))
    instance = generate(60, 4, mu=10, rho=0.4, beta=0.4, seed=2)
    mine = make_solver("rl", partners=path).solve(instance, seed=1).schedule
    shipped = make_solver("rl").solve(instance, seed=1).schedule
    assert not np.array_equal(mine.machine, shipped.machine)
