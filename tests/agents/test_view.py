"""Every column that the policy sees, against its definition worked out anew, by name."""

import functools
import itertools
from typing import NamedTuple

import numpy as np
import pytest

from dsct_gym import Instance, generate
from dsct_gym.agents.outlook import CONTEXT, MACHINE, look
from dsct_gym.agents.rollout import Table, settle, start
from dsct_gym.arrays import Floats, Ints
from view_truth import (
    UNSURE,
    Changes,
    Plan,
    changed,
    context_columns,
    gained,
    machine_columns,
)

ORDINARY = {
    "12 x 3": generate(12, 3, seed=1),
    "scarce energy": generate(10, 2, mu=10.0, rho=0.4, beta=0.15, seed=2),
    "late deadlines": generate(16, 4, mu=3.0, rho=0.9, beta=0.6, seed=3),
    "more partners than are looked at": generate(45, 3, mu=15.0, seed=4),
    "many machines": generate(14, 9, mu=8.0, seed=5),
}
EXTREME = {
    "no energy": changed(generate(6, 3, seed=6), energy_budget=0.0),
    "energy for nothing": generate(8, 3, beta=20.0, seed=7),
    "one machine": generate(7, 1, seed=8),
    "one task": generate(1, 4, seed=9),
    "one of each": generate(1, 1, seed=10),
    "more time than work": generate(7, 3, rho=30.0, beta=0.1, seed=11),
    "more machines than tasks": generate(3, 6, seed=12),
}


def _tied() -> Instance:
    """Equal machines, equal deadlines, pairs of equal tasks."""
    drawn = generate(10, 4, mu=6.0, seed=13)
    twins = np.arange(10) // 2
    return changed(
        drawn,
        speeds=np.full(4, drawn.speeds[0]),
        efficiencies=np.full(4, drawn.efficiencies[0]),
        deadlines=np.sort(drawn.deadlines)[twins + 4],
        work=drawn.work[twins],
        accuracy=drawn.accuracy[twins],
    )


def _flat(tasks: list[int]) -> Instance:
    """Some tasks gain nothing, others nothing beyond half of their work."""
    drawn = generate(8, 3, beta=0.3, seed=14)
    accuracy = drawn.accuracy.copy()
    accuracy[tasks] = accuracy[tasks, :1]
    accuracy[1::2, 3:] = accuracy[1::2, 2:3]
    return changed(drawn, accuracy=accuracy)


def _huge_ratios() -> Instance:
    """Machines, deadlines and works of very different size: most ratios are clipped."""
    drawn = generate(9, 3, rho=0.5, beta=0.3, seed=15)
    size = np.array([0.05, 1.0, 20.0])
    return changed(
        drawn,
        speeds=drawn.speeds * size,
        efficiencies=drawn.efficiencies * size[::-1],
        deadlines=drawn.deadlines * np.tile(size, 3),
        work=drawn.work * np.repeat(size, 3)[:, None],
    )


EXTREME |= {
    "ties": _tied(),
    "some flat curves": _flat([0, 3, 6]),
    "flat curves": _flat(list(range(8))),
    "huge ratios": _huge_ratios(),
}
CASES = ORDINARY | EXTREME


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


@functools.cache
def play(case: str) -> list[Sample]:
    """An episode of good and of random decisions, with what is seen before each of them."""
    instance = CASES[case]
    rng = np.random.default_rng(instance.num_tasks)
    table = Table.of(instance)
    start(table)
    plan, samples = Plan(instance, table.curves.machine), []
    context = np.zeros(len(CONTEXT), dtype=np.float32)
    machine = np.zeros((instance.num_machines, len(MACHINE)), dtype=np.float32)
    for task in range(instance.num_tasks):
        look(*table, task, context, machine)
        changes = plan.changes(task)
        of_task, of_machines = context_columns(plan, task), machine_columns(plan, task, changes)
        samples.append(
            Sample(
                context=context.astype(float),
                machine=machine.astype(float),
                true_context=np.array([of_task[name] for name in CONTEXT]),
                true_machine=np.column_stack([of_machines[name] for name in MACHINE]),
            )
        )
        best = int(machine[:, MACHINE.index("change")].argmax())
        choice = int(rng.choice([best, best, *range(-1, instance.num_machines)]))
        settle(table, task, choice)
        check_decision(plan, task, choice, changes, table.curves.machine)
        plan.decide(task, choice, table.curves.machine)
    return samples


def check_decision(plan: Plan, task: int, choice: int, changes: Changes, now: Ints) -> None:
    """The plan has changed by the better of move and swap; equal tasks may stand for each other."""
    if choice < 0:
        assert np.array_equal(now, plan.changed(task, -1))
        return
    move, swap = changes.move[choice], changes.swap[choice]
    if np.isnan(move + swap) or abs(move - swap) < UNSURE:
        return
    expected = plan.changed(task, choice, int(changes.partner[choice]) if swap > move else -1)
    assert now[task] == choice
    assert np.array_equal(np.sort(now), np.sort(expected))
    assert gained(plan.instance, now) == pytest.approx(gained(plan.instance, expected), abs=1e-12)


def agrees(seen: Floats, true: Floats) -> bool:
    return bool((np.isnan(true) | np.isclose(seen, true, rtol=1e-5, atol=1e-5)).all())


def names_of_wrong(seen: Floats, true: Floats, names: tuple[str, ...]) -> list[str]:
    return [name for i, name in enumerate(names) if not agrees(seen[..., i], true[..., i])]


@pytest.mark.parametrize("case", CASES)
def test_every_column_is_what_its_name_says(case: str) -> None:
    for task, sample in enumerate(play(case)):
        assert names_of_wrong(sample.context, sample.true_context, CONTEXT) == [], task
        assert names_of_wrong(sample.machine, sample.true_machine, MACHINE) == [], task


def test_rounding_decides_hardly_anywhere() -> None:
    tables = [sample.true_machine for case in CASES for sample in play(case)]
    unsure = sum(np.isnan(table).sum() for table in tables)
    assert unsure < 0.01 * sum(table.size for table in tables)


@pytest.mark.parametrize("kind", ["context", "machine"])
def test_no_two_columns_could_be_exchanged(kind: str) -> None:
    samples = [sample for case in CASES for sample in play(case)]
    names = {"context": CONTEXT, "machine": MACHINE}[kind]
    seen = np.concatenate([np.atleast_2d(getattr(sample, kind)) for sample in samples])
    true = np.concatenate([np.atleast_2d(getattr(sample, f"true_{kind}")) for sample in samples])
    assert agrees(seen, true)
    for one, other in itertools.combinations(range(len(names)), 2):
        exchanged = seen.copy()
        exchanged[:, [one, other]] = seen[:, [other, one]]
        assert names_of_wrong(exchanged, true, names) == [names[one], names[other]]
