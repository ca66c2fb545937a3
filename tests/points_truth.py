"""The truth for machines with operating points: a time for each task, machine and point."""

import numpy as np
from scipy.optimize import linprog

from dsct_gym import Instance, generate
from dsct_gym.points import DvfsInstance, OperatingPoints


def points_lp(problem: DvfsInstance, machine_of: np.ndarray | None = None) -> float:
    """Largest total accuracy; tasks may be split over machines unless an assignment is given.

    Variables: what is done of each segment, as a share, and the time of each task on each machine
    at each of its points, as a share of its deadline.
    """
    core = problem.core
    n, segments = core.num_tasks, core.work.shape[1] - 1
    pairs = [
        (j, r, speed, power)
        for j in range(n)
        for r, points in enumerate(problem.points)
        for speed, power in zip(points.speeds, points.powers, strict=True)
        if machine_of is None or machine_of[j] == r
    ]
    rise, width = np.diff(core.accuracy, axis=1), np.diff(core.work, axis=1)
    rows, limits = [], []
    for j in range(n):
        row = np.zeros(n * segments + len(pairs))
        row[j * segments : (j + 1) * segments] = width[j]
        for index, (task, _, speed, _) in enumerate(pairs):
            if task == j:
                row[n * segments + index] = -speed * core.deadlines[j]
        rows.append(row / np.abs(row).max())
        limits.append(0.0)
    for r in range(core.num_machines):
        for due in np.unique(core.deadlines):
            row = np.zeros(n * segments + len(pairs))
            for index, (task, machine, _, _) in enumerate(pairs):
                if machine == r and core.deadlines[task] <= due:
                    row[n * segments + index] = core.deadlines[task] / due
            rows.append(row)
            limits.append(1.0)
    energy = np.zeros(n * segments + len(pairs))
    for index, (task, _, _, power) in enumerate(pairs):
        energy[n * segments + index] = power * core.deadlines[task]
    scale = energy.max(initial=0.0) or 1.0
    rows.append(energy / scale)
    limits.append(core.energy_budget / scale)
    tight = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    solved = linprog(
        np.concatenate([-rise.ravel(), np.zeros(len(pairs))]),
        A_ub=np.array(rows),
        b_ub=np.array(limits),
        bounds=[(0, 1)] * (n * segments) + [(0, None)] * len(pairs),
        method="highs",
        options=tight,
    )
    assert solved.status == 0, solved.message
    return float(core.accuracy[:, 0].sum() - solved.fun)


def draw_points(rng: np.random.Generator, count: int, speed: float, power: float):
    """Random points, on the hull and beyond it, in no order."""
    share = rng.permutation(np.append(rng.uniform(0.2, 0.95, count - 1), 1.0))
    return OperatingPoints(speed * share, power * share ** rng.uniform(0.6, 3.0, count))


def draw_problem(seed: int, n: int = 6, m: int = 3, most: int = 5, **options) -> DvfsInstance:
    """A random problem; every machine has 1 to ``most`` points."""
    rng = np.random.default_rng(seed)
    defaults = {"beta": rng.uniform(0.05, 0.8), "rho": rng.uniform(0.15, 0.8), "segments": 3}
    tasks = generate(n, m, mu=8.0, seed=seed, **{**defaults, **options})
    points = [
        draw_points(rng, int(rng.integers(1, most + 1)), speed, power)
        for speed, power in zip(tasks.speeds, tasks.powers, strict=True)
    ]
    return DvfsInstance.of(tasks, points)


def at_one_clock(instance: Instance) -> DvfsInstance:
    """An instance as a problem with a single point a machine; its core may differ by rounding."""
    return DvfsInstance.of(
        instance,
        [
            OperatingPoints(np.array([speed]), np.array([power]))
            for speed, power in zip(instance.speeds, instance.powers, strict=True)
        ],
    )


SPECIAL = {
    "one point a machine": draw_problem(1, most=1),
    "no energy": draw_problem(2, beta=0.0),
    "energy for nothing": draw_problem(3, beta=30.0),
    "one machine": draw_problem(4, m=1),
    "one task": draw_problem(5, n=1),
    "late deadlines": draw_problem(6, rho=20.0),
    "more machines than tasks": draw_problem(7, n=2, m=5),
}


def _tied() -> DvfsInstance:
    """Equal machines, equal deadlines, equal tasks, and points in line with each other."""
    drawn = generate(6, 2, seed=8, segments=3)
    twins = np.arange(6) // 2
    tasks = Instance(
        speeds=np.ones(2),
        efficiencies=np.ones(2),
        deadlines=np.sort(drawn.deadlines)[twins + 3],
        work=drawn.work[twins],
        accuracy=drawn.accuracy[twins],
        energy_budget=drawn.energy_budget,
    )
    line = OperatingPoints(np.array([1e3, 2e3, 3e3, 4e3]), np.array([50.0, 100.0, 150.0, 300.0]))
    return DvfsInstance.of(tasks, [line, line])


def _useless_points() -> DvfsInstance:
    """Points that are slower at more power, and one that lies just above the hull."""
    drawn = generate(5, 2, seed=9, segments=4)
    points = OperatingPoints(
        np.array([5e3, 2e3, 4e3, 1e3, 3e3]), np.array([250.0, 90.0, 300.0, 200.0, 145.1])
    )
    return DvfsInstance.of(drawn, [points, points])


def _ragged() -> DvfsInstance:
    """Curves of different lengths, one flat, two tasks due at once."""
    tasks = Instance(
        speeds=[1.0, 1.0],
        efficiencies=[1.0, 1.0],
        deadlines=[1.0, 1.0, 2.0, 3.0],
        work=[[0.0, 1.0, 3.0], [0.0, 2.0], [0.0, 0.5], [0.0, 1.0, 2.0, 4.0]],
        accuracy=[[0.1, 0.5, 0.8], [0.0, 0.9], [0.3, 0.3], [0.0, 0.3, 0.5, 0.6]],
        energy_budget=3.0,
    )
    points = [
        OperatingPoints(np.array([0.5, 1.0, 1.5]), np.array([0.2, 0.6, 1.4])),
        OperatingPoints(np.array([1.0]), np.array([0.7])),
    ]
    return DvfsInstance.of(tasks, points)


SPECIAL |= {"ties": _tied(), "useless points": _useless_points(), "ragged curves": _ragged()}
