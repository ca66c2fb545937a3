"""Every column that the policy sees, against its definition worked out anew, by name."""

import functools
import itertools
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import CASES
from dsct_gym import Instance
from dsct_gym.arrays import Floats, Floats32, Ints
from dsct_gym.plan import Column, Context, Machine, Plan, begin, decide, look
from strategies import instances
from view_truth import (
    UNSURE,
    Changes,
    TruePlan,
    context_columns,
    gained,
    machine_columns,
)


class Sample(NamedTuple):
    """What is seen at one moment, and the truth; columns in their order, C of a task and M of each.

    Attributes:
        context: Seen of the task (C,).
        machine: Seen of the machines (m, M).
        true_context: The truth (C,).
        true_machine: The truth (m, M), NaN where rounding decides.
    """

    context: Floats
    machine: Floats
    true_context: Floats
    true_machine: Floats


def room(instance: Instance) -> tuple[Floats32, Floats32]:
    """Arrays for the columns of a task and of the machines."""
    machines = (instance.num_machines, len(Machine))
    return np.zeros(len(Context), dtype=np.float32), np.zeros(machines, dtype=np.float32)


@functools.cache
def play(case: str) -> list[Sample]:
    """An episode of good and of random decisions, with what is seen before each of them."""
    instance = CASES[case]
    rng = np.random.default_rng(instance.num_tasks)
    plan = Plan.of(instance)
    begin(plan)
    truth, samples = TruePlan(instance, plan.curves.machine), []
    context, machine = room(instance)
    for task in range(instance.num_tasks):
        look(plan, task, context, machine)
        changes = truth.changes(task)
        of_task, of_machines = context_columns(truth, task), machine_columns(truth, task, changes)
        samples.append(
            Sample(
                context=context.astype(float),
                machine=machine.astype(float),
                true_context=np.array([of_task[place] for place in Context]),
                true_machine=np.column_stack([of_machines[place] for place in Machine]),
            )
        )
        best = int(machine[:, Machine.CHANGE].argmax())
        choice = int(rng.choice([best, best, *range(-1, instance.num_machines)]))
        decide(plan, task, choice)
        check_decision(truth, task, choice, changes, plan.curves.machine)
        truth.decide(task, choice, plan.curves.machine)
    return samples


def check_decision(truth: TruePlan, task: int, choice: int, changes: Changes, now: Ints) -> None:
    """The plan has changed by the better of move and swap; equal tasks may stand for each other."""
    if choice < 0:
        assert np.array_equal(now, truth.changed(task, -1))
        return
    move, swap = changes.move[choice], changes.swap[choice]
    if np.isnan(move + swap) or abs(move - swap) < UNSURE:
        return
    expected = truth.changed(task, choice, int(changes.partner[choice]) if swap > move else -1)
    assert now[task] == choice
    assert np.array_equal(np.sort(now), np.sort(expected))
    assert gained(truth.instance, now) == pytest.approx(gained(truth.instance, expected), abs=1e-12)


def agrees(seen: Floats, true: Floats) -> bool:
    return bool((np.isnan(true) | np.isclose(seen, true, rtol=1e-5, atol=1e-5)).all())


def wrong(columns: type[Column], seen: Floats, true: Floats) -> list[Column]:
    return [place for place in columns if not agrees(seen[..., place], true[..., place])]


@pytest.mark.parametrize("case", CASES)
def test_every_column_is_what_its_name_says(case: str) -> None:
    for task, sample in enumerate(play(case)):
        assert wrong(Context, sample.context, sample.true_context) == [], task
        assert wrong(Machine, sample.machine, sample.true_machine) == [], task


def test_rounding_decides_hardly_anywhere() -> None:
    tables = [sample.true_machine for case in CASES for sample in play(case)]
    unsure = sum(np.isnan(table).sum() for table in tables)
    assert unsure < 0.01 * sum(table.size for table in tables)


@pytest.mark.parametrize(("field", "columns"), [("context", Context), ("machine", Machine)])
def test_no_two_columns_could_be_exchanged(field: str, columns: type[Column]) -> None:
    samples = [sample for case in CASES for sample in play(case)]
    seen = np.concatenate([np.atleast_2d(getattr(sample, field)) for sample in samples])
    true = np.concatenate([np.atleast_2d(getattr(sample, f"true_{field}")) for sample in samples])
    assert agrees(seen, true)
    for one, other in itertools.combinations(columns, 2):
        exchanged = seen.copy()
        exchanged[:, [one, other]] = seen[:, [other, one]]
        assert wrong(columns, exchanged, true) == [one, other]


@settings(max_examples=60, deadline=None)
@given(instance=instances(), seed=st.integers(0, 2**32))
def test_every_column_is_within_its_bounds(instance: Instance, seed: int) -> None:
    rng = np.random.default_rng(seed)
    plan, (context, machine) = Plan.of(instance), room(instance)
    begin(plan)
    for task in range(instance.num_tasks):
        look(plan, task, context, machine)
        for columns, seen in ((Context, context), (Machine, machine)):
            for column in columns:
                assert (seen[..., column] >= column.low).all(), column
                assert (seen[..., column] <= column.high).all(), column
        decide(plan, task, int(rng.integers(-1, instance.num_machines)))


def test_places_are_counted_from_0_and_told_apart_by_name() -> None:
    for columns in (Context, Machine):
        assert [int(column) for column in columns] == list(range(len(columns)))
        assert len({column.meaning for column in columns}) == len(columns)
        assert columns.labels() == tuple(column.name.lower() for column in columns)
    assert (len(Context), len(Machine)) == (15, 16)
