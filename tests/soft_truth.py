"""Soft deadlines worked out the slow way: values from the formulas, optima by enumeration."""

import itertools
import math

import numpy as np

from dsct_gym import generate
from dsct_gym.soft import Exponential, Linear, SoftInstance, Step

SHAPES = (Step, Linear, Exponential)


def draw_soft(seed, n, m, *, shape=None, cap=2.0, whole=True, budget=False, price=None):
    """A random problem whose penalties, prices and deadlines all matter."""
    rng = np.random.default_rng((seed, n, m))
    core = generate(n, m, rho=0.5, beta=0.4, seed=seed)
    kind = SHAPES[seed % 3] if shape is None else shape
    scale = core.horizon * rng.uniform(0.1, 0.5)
    return SoftInstance(
        core=core,
        penalty=Step(cap) if kind is Step else kind(scale, cap),
        weights=rng.integers(0, 5, n).astype(float),
        whole=np.full(n, whole) if isinstance(whole, bool) else rng.random(n) < whole,
        energy_price=rng.uniform(0.0, 0.5) * n / core.energy_budget if price is None else price,
        budget=core.energy_budget if budget else None,
    )


def penalty_of(problem, lateness):
    """The formulas of the three shapes, for a weight of 1."""
    if lateness <= 0.0:
        return 0.0
    kind, cap = problem.penalty, problem.penalty.cap
    share = lateness / kind.scale
    paid = {Step: 1.0, Linear: share, Exponential: math.exp(min(share, 200.0)) - 1.0}[type(kind)]
    return paid if cap is None else min(paid, cap)


def value_of_sequence(problem, machine, sequence):
    """What a machine earns that runs whole tasks in an order."""
    core, now, value = problem.core, 0.0, 0.0
    for task in sequence:
        now += core.max_work[task] / core.speeds[machine]
        late = now - core.deadlines[task]
        late = late if late > 1e-9 * core.deadlines[task] else 0.0
        value += core.top_accuracy[task] - problem.weights[task] * penalty_of(problem, late)
        value -= problem.energy_price * core.max_work[task] / core.efficiencies[machine]
    return value


def best_by_enumeration(problem):
    """The optimum over all assignments, refusals and orders of whole tasks without a budget."""
    core = problem.core
    n, m = core.num_tasks, core.num_machines
    known = {}

    def best_order(machine, tasks):
        if (machine, tasks) not in known:
            orders = itertools.permutations(tasks)
            known[machine, tasks] = max(
                value_of_sequence(problem, machine, each) for each in orders
            )
        return known[machine, tasks]

    best = -math.inf
    for machines in itertools.product(range(-1 if problem.penalty.cap else 0, m), repeat=n):
        value = 0.0
        for task, r in enumerate(machines):
            if r < 0:
                value += core.base_accuracy[task]
                value -= problem.weights[task] * penalty_of(problem, math.inf)
        for r in range(m):
            tasks = tuple(task for task in range(n) if machines[task] == r)
            value += best_order(r, tasks) if tasks else 0.0
        best = max(best, value)
    return best
