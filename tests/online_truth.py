"""The truth for tasks that arrive: linear programmes, and what there is to draw them from."""

from itertools import combinations, zip_longest

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import lil_matrix

from cases import changed
from dsct_gym import Instance, generate
from dsct_gym.online import OnlineInstance


def interval_lp(problem: OnlineInstance) -> float:
    """Largest total accuracy where tasks are preempted and split over machines.

    Variables: what is done of each segment, as a share, and of each task on each machine in each
    part of time between arrivals and deadlines that lies in its window, as a share of what the
    machine can do there.
    """
    core = problem.core
    n, segments = core.num_tasks, core.work.shape[1] - 1
    moments = np.unique(np.concatenate([problem.arrivals, core.deadlines]))
    cells = [
        (j, r, i)
        for j in range(n)
        for i in range(moments.size - 1)
        if problem.arrivals[j] <= moments[i] and moments[i + 1] <= core.deadlines[j]
        for r in range(core.num_machines)
    ]
    length = np.diff(moments)
    rise, width = np.diff(core.accuracy, axis=1), np.diff(core.work, axis=1)
    shares = n * segments
    busy = {(r, i): row for row, (r, i) in enumerate(sorted({(r, i) for _, r, i in cells}))}
    matrix = lil_matrix((n + len(busy) + 1, shares + len(cells)))
    scale = core.max_work.max()
    for j in range(n):
        matrix[j, j * segments : (j + 1) * segments] = width[j] / scale
    energy = np.array([core.speeds[r] * length[i] / core.efficiencies[r] for _, r, i in cells])
    for index, (j, r, i) in enumerate(cells):
        matrix[j, shares + index] = -core.speeds[r] * length[i] / scale
        matrix[n + busy[r, i], shares + index] = 1.0
    unit = energy.max()
    matrix[-1, shares:] = energy / unit
    limits = np.concatenate([np.zeros(n), np.ones(len(busy)), [core.energy_budget / unit]])
    solved = linprog(
        np.concatenate([-rise.ravel(), np.zeros(len(cells))]),
        A_ub=matrix.tocsr(),
        b_ub=limits,
        bounds=(0, 1),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert solved.status == 0, solved.message
    return float(core.accuracy[:, 0].sum() - solved.fun)


def order_lp(problem: OnlineInstance, machine_of: np.ndarray, key: np.ndarray) -> float | None:
    """Largest total accuracy where machines run their tasks by key; None where none can be run so.

    Variables: what is done of each segment, as a share, and when each task starts.
    """
    core = problem.core
    n, segments = core.num_tasks, core.work.shape[1] - 1
    rise, width = np.diff(core.accuracy, axis=1), np.diff(core.work, axis=1)
    rows, limits = [], []
    bounds = [(0, 1 if machine_of[j] >= 0 else 0) for j in range(n) for _ in range(segments)]
    bounds += [(arrival, None) for arrival in problem.arrivals]
    for r in range(core.num_machines):
        queue = sorted(np.flatnonzero(machine_of == r), key=lambda j: (key[j], core.edf_rank[j]))
        for j, following in zip_longest(queue, queue[1:]):
            for after in (None, following):
                row = np.zeros(n * segments + n)
                row[j * segments : (j + 1) * segments] = width[j] / core.speeds[r]
                row[n * segments + j] = 1.0
                if after is not None:
                    row[n * segments + after] = -1.0
                rows.append(row)
                limits.append(core.deadlines[j] if after is None else 0.0)
    energy = np.zeros(n * segments + n)
    used = np.where(machine_of >= 0, 1.0 / core.efficiencies[machine_of], 0.0)
    energy[: n * segments] = (width * used[:, None]).ravel()
    unit = energy.max() or 1.0
    solved = linprog(
        np.concatenate([-rise.ravel(), np.zeros(n)]),
        A_ub=np.array([*rows, energy / unit]),
        b_ub=np.array([*limits, core.energy_budget / unit]),
        bounds=bounds,
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if solved.status == 2:
        return None
    assert solved.status == 0, solved.message
    return float(core.accuracy[:, 0].sum() - solved.fun)


def release_mip(problem: OnlineInstance) -> float:
    """The optimum: one machine a task, no preemption.

    Variables: what is done of each segment on each machine, as a share; whether a task is on a
    machine; whether of two tasks the first is done ahead of the second; when each task starts.
    """
    core = problem.core
    n, m, segments = core.num_tasks, core.num_machines, core.work.shape[1] - 1
    rise, width = np.diff(core.accuracy, axis=1), np.diff(core.work, axis=1)
    pairs = list(combinations(range(n), 2))
    done = np.arange(n * m * segments).reshape(n, m, segments)
    placed = done.size + np.arange(n * m).reshape(n, m)
    ahead = done.size + n * m + np.arange(len(pairs))
    start = done.size + n * m + len(pairs) + np.arange(n)
    size, last = done.size + n * m + len(pairs) + n, core.deadlines.max()
    rows, limits = [], []

    def limit(terms: dict, most: float) -> None:
        row = np.zeros(size)
        for places, factor in terms.items():
            row[list(places)] = factor
        rows.append(row)
        limits.append(most)

    for j in range(n):
        limit({tuple(placed[j]): 1.0}, 1.0)
        row = np.zeros(size)
        row[start[j]] = 1.0
        for r in range(m):
            row[done[j, r]] = width[j] / core.speeds[r]
            for k in range(segments):
                limit({(done[j, r, k],): 1.0, (placed[j, r],): -1.0}, 0.0)
        rows.append(row)
        limits.append(core.deadlines[j])
    for index, (i, j) in enumerate(pairs):
        for one, other, sign, rest in ((i, j, 1.0, 1.0), (j, i, -1.0, 0.0)):
            for r in range(m):
                row = np.zeros(size)
                row[start[one]], row[start[other]] = 1.0, -1.0
                row[done[one, r]] = width[one] / core.speeds[r]
                row[ahead[index]] = sign * last
                row[placed[one, r]] = row[placed[other, r]] = last
                rows.append(row)
                limits.append((2.0 + rest) * last)
    row = np.zeros(size)
    for r in range(m):
        row[done[:, r].ravel()] = (width / core.efficiencies[r]).ravel()
    unit = row.max()
    rows.append(row / unit)
    limits.append(core.energy_budget / unit)
    gain = np.zeros(size)
    gain[: done.size] = -np.repeat(rise[:, None], m, axis=1).ravel()
    integrality = np.zeros(size)
    integrality[done.size : done.size + n * m + len(pairs)] = 1
    least, most = np.zeros(size), np.ones(size)
    least[start], most[start] = problem.arrivals, last
    solved = milp(
        gain,
        constraints=LinearConstraint(np.array(rows), -np.inf, np.array(limits)),
        bounds=Bounds(least, most),
        integrality=integrality,
        options={"mip_rel_gap": 1e-9},
    )
    assert solved.status == 0, solved.message
    return float(core.accuracy[:, 0].sum() - solved.fun)


def draw_arrivals(core: Instance, seed: int, latest: float = 0.95) -> OnlineInstance:
    """Arrivals at a random share of each deadline."""
    rng = np.random.default_rng(seed)
    arrivals = core.deadlines * rng.uniform(0.0, latest, core.num_tasks)
    return OnlineInstance(core, arrivals, float(core.deadlines.max()))


def draw_online(seed: int, n: int = 8, m: int = 3, **options) -> OnlineInstance:
    """A random problem: tasks spread over a horizon, with windows of random length."""
    rng = np.random.default_rng(seed)
    defaults = {"beta": rng.uniform(0.05, 0.8), "rho": rng.uniform(0.15, 0.8), "segments": 3}
    core = generate(n, m, mu=8.0, seed=seed, **{**defaults, **options})
    horizon = float(core.deadlines.max())
    arrivals = np.sort(rng.uniform(0.0, horizon, n))
    deadlines = arrivals + horizon * rng.uniform(0.02, 0.4, n)
    return OnlineInstance(changed(core, deadlines=deadlines), arrivals, horizon)


def _tied() -> OnlineInstance:
    """Equal machines, pairs of equal tasks, arrivals and deadlines that coincide."""
    drawn = generate(8, 3, seed=8, segments=3)
    twins = np.arange(8) // 2
    core = changed(
        drawn,
        speeds=np.full(3, drawn.speeds[0]),
        efficiencies=np.full(3, drawn.efficiencies[0]),
        deadlines=np.array([1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0]) * drawn.deadlines.max() / 3,
        work=drawn.work[twins],
        accuracy=drawn.accuracy[twins],
    )
    arrivals = np.array([0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 2.0, 2.0]) * drawn.deadlines.max() / 3
    return OnlineInstance(core, arrivals, float(core.deadlines.max()))


def _ragged() -> OnlineInstance:
    """Curves of different lengths, one flat; two tasks due at once, one inside another's window."""
    core = Instance(
        speeds=[1.0, 0.5],
        efficiencies=[1.0, 3.0],
        deadlines=[1.0, 1.0, 2.0, 3.0],
        work=[[0.0, 1.0, 3.0], [0.0, 2.0], [0.0, 0.5], [0.0, 1.0, 2.0, 4.0]],
        accuracy=[[0.1, 0.5, 0.8], [0.0, 0.9], [0.3, 0.3], [0.0, 0.3, 0.5, 0.6]],
        energy_budget=2.0,
    )
    return OnlineInstance(core, np.array([0.5, 0.0, 1.5, 0.25]), 3.0)


def _nested() -> OnlineInstance:
    """Windows inside windows, some that only touch, and time in which nobody waits."""
    drawn = generate(7, 2, mu=4.0, rho=0.3, beta=0.4, seed=3)
    unit = drawn.deadlines.max() / 10
    arrivals = np.array([0.0, 1.0, 2.0, 4.0, 7.0, 7.5, 8.5]) * unit
    core = changed(drawn, deadlines=np.array([6.0, 5.0, 4.0, 5.0, 9.0, 8.0, 9.0]) * unit)
    return OnlineInstance(core, arrivals, 10 * unit)


def _all_at_once(arrival: float) -> OnlineInstance:
    core = generate(8, 3, mu=5.0, rho=0.5, seed=11)
    earliest = core.deadlines.min()
    return OnlineInstance(core, np.full(8, arrival * earliest), float(core.deadlines.max()))


SPECIAL = {
    "no energy": draw_online(2, beta=0.0),
    "energy for nothing": draw_online(3, beta=30.0),
    "one machine": draw_online(4, m=1),
    "one task": draw_online(5, n=1),
    "much time": draw_online(6, rho=20.0),
    "more machines than tasks": draw_online(7, n=2, m=5),
    "ties": _tied(),
    "ragged curves": _ragged(),
    "nested windows": _nested(),
    "equal arrivals": _all_at_once(0.5),
    "all at the start": _all_at_once(0.0),
    "one family": draw_online(9, family="ofa-resnet50"),
}
