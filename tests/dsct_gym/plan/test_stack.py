"""Plans of different sizes side by side in padded arrays, as batched environments keep them."""

import numpy as np

from dsct_gym import generate
from dsct_gym.allocation import Packed
from dsct_gym.arrays import Floats32, Ints
from dsct_gym.envs.curves import curves_of
from dsct_gym.envs.curves import stacked as repeated
from dsct_gym.envs.plan_stack import options_of, outlook_of, prices_of
from dsct_gym.incremental import Curves
from dsct_gym.jit import helper, kernel
from dsct_gym.plan import (
    Context,
    Loads,
    Machine,
    Options,
    Plan,
    Prices,
    begin,
    decide,
    look,
)

INSTANCES = [generate(9, 3, seed=1), generate(14, 2, seed=2), generate(5, 5, seed=3)]
TASKS, MACHINES, SEGMENTS = 14, 5, 14 * 5


def stacked(plans: list[Plan]) -> Plan:
    """One plan whose arrays have a row for each of the plans and padding behind it."""
    room = {
        "curves": Curves.empty(TASKS, MACHINES, SEGMENTS),
        "prices": Prices.empty(TASKS, MACHINES, SEGMENTS),
        "loads": Loads.empty(MACHINES),
        "options": Options.empty(MACHINES),
    }
    parts = {field: repeated(len(plans), part) for field, part in room.items()}
    for field in ("packed", "outlook"):
        fixed = [getattr(plan, field) for plan in plans]
        parts[field] = fixed[0]._replace(
            **{
                name: padded([getattr(part, name) for part in fixed])
                for name in fixed[0]._fields
                if getattr(fixed[0], name) is not None
            }
        )
    return Plan(**parts)


def padded(arrays: list[np.ndarray]) -> np.ndarray:
    """Arrays of one kind as rows of one."""
    shape = np.max([array.shape for array in arrays], axis=0)
    rows = np.zeros((len(arrays), *shape), dtype=arrays[0].dtype)
    for row, array in zip(rows, arrays, strict=True):
        row[tuple(slice(length) for length in array.shape)] = array
    return rows


@helper
def _plan_of(stack: Plan, env: int, n: int, m: int, segments: int) -> Plan:
    """The plan of one environment, cut to its size where kernels read sizes."""
    packed = stack.packed
    return Plan(
        packed=Packed(
            deadline=packed.deadline[env, :n],
            speed=packed.speed[env, :m],
            efficiency=packed.efficiency[env, :m],
            budget=packed.budget[env],
            task=packed.task[env, :segments],
            slope=packed.slope[env, :segments],
            width=packed.width[env, :segments],
            first=packed.first[env],
            own=packed.own[env, :segments],
            several=packed.several,
            levels=packed.levels,
        ),
        outlook=outlook_of(stack.outlook, env, n),
        curves=curves_of(stack.curves, env, n, m),
        prices=prices_of(stack.prices, env),
        loads=Loads(decided=stack.loads.decided[env], planned=stack.loads.planned[env]),
        options=options_of(stack.options, env, m),
    )


# What cuts a plan out of the stack returns arrays, so only helpers may call it.


@helper
def _begin_one(stack: Plan, env: int, size: Ints) -> None:
    begin(_plan_of(stack, env, size[0], size[1], size[2]))


@helper
def _look_one(
    stack: Plan, env: int, size: Ints, task: int, context: Floats32, machine: Floats32
) -> None:
    plan = _plan_of(stack, env, size[0], size[1], size[2])
    look(plan, task, context[env], machine[env, : size[1]])


@helper
def _decide_one(stack: Plan, env: int, size: Ints, task: int) -> None:
    decide(_plan_of(stack, env, size[0], size[1], size[2]), task, (3 * task) % size[1])


@kernel
def _begin(stack: Plan, sizes: Ints) -> None:
    for env in range(sizes.shape[0]):
        _begin_one(stack, env, sizes[env])


@kernel
def _step(stack: Plan, sizes: Ints, task: int, context: Floats32, machine: Floats32) -> None:
    for env in range(sizes.shape[0]):
        if task < sizes[env, 0]:
            _look_one(stack, env, sizes[env], task, context, machine)
            _decide_one(stack, env, sizes[env], task)


def test_a_row_of_a_stack_is_the_plan_alone() -> None:
    alone = [Plan.of(instance) for instance in INSTANCES]
    sizes = np.array(
        [
            [*plan.curves.machine.shape, *plan.curves.slot.shape, plan.packed.task.size]
            for plan in alone
        ]
    )
    stack = stacked(alone)
    contexts = np.zeros((len(alone), len(Context)), dtype=np.float32)
    machines = np.zeros((len(alone), MACHINES, len(Machine)), dtype=np.float32)
    for _ in range(2):  # the second time over what the first has left there
        _begin(stack, sizes)
        for plan in alone:
            begin(plan)
        for task in range(TASKS):
            _step(stack, sizes, task, contexts, machines)
            for env, plan in enumerate(alone):
                n, m, _ = sizes[env]
                if task >= n:
                    continue
                context, machine = np.zeros_like(contexts[0]), np.zeros_like(machines[0, :m])
                look(plan, task, context, machine)
                assert np.array_equal(contexts[env], context)
                assert np.array_equal(machines[env, :m], machine)
                decide(plan, task, (3 * task) % m)
                assert stack.curves.total[env, 0] == plan.gain
                assert np.array_equal(stack.curves.machine[env, :n], plan.curves.machine)
