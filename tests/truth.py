"""Independent truths that tests compare with: linear programmes solved by SciPy's HiGHS."""

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from dsct_gym.instance import Instance


def segment_table(instance: Instance) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Task, slope and width of every curve segment, straight from the breakpoints."""
    task, slope, width = [], [], []
    for j in range(instance.num_tasks):
        for k in range(instance.work.shape[1] - 1):
            length = instance.work[j, k + 1] - instance.work[j, k]
            if length > 0:
                task.append(j)
                slope.append((instance.accuracy[j, k + 1] - instance.accuracy[j, k]) / length)
                width.append(length)
    return np.array(task), np.array(slope), np.array(width)


def fractional_lp(instance: Instance) -> float:
    """Optimum of the fractional relaxation: variables are segment widths x machines."""
    return _lp(instance, [list(range(instance.num_machines))] * instance.num_tasks)


def assignment_lp(instance: Instance, machine_of: np.ndarray) -> float:
    """Optimum for a fixed assignment."""
    return _lp(instance, [[int(r)] if r >= 0 else [] for r in machine_of])


def fractional_model(
    instance: Instance, allowed: list[list[int]] | None = None
) -> tuple[np.ndarray, csr_array, np.ndarray, np.ndarray]:
    """Cost, constraint matrix, right-hand side and upper bounds of the LP, prefix sums chained.

    A chained variable c[r, k] carries machine r's work up to deadline k, so that the matrix stays
    sparse: c[r, k] = c[r, k-1] + work of task k on r, and c[r, k] <= s_r d_k.
    """
    if allowed is None:
        allowed = [list(range(instance.num_machines))] * instance.num_tasks
    task, slope, width = segment_table(instance)
    n, m = instance.num_tasks, instance.num_machines
    order = np.argsort(instance.deadlines, kind="stable")
    rank = np.empty(n, dtype=int)
    rank[order] = np.arange(n)
    pairs = [(s, r) for s in range(task.size) for r in allowed[task[s]]]
    count = len(pairs)
    rows, cols, data, rhs = [], [], [], []
    row = 0
    # One piece of a segment on each machine: together at most its width.
    for s in range(task.size):
        rhs.append(width[s])
    for p, (s, _) in enumerate(pairs):
        rows.append(s)
        cols.append(p)
        data.append(1.0)
    row = task.size
    energy_row = row
    rhs.append(instance.energy_budget)
    for p, (_, r) in enumerate(pairs):
        rows.append(energy_row)
        cols.append(p)
        data.append(1.0 / instance.efficiencies[r])
    row += 1
    chain = row + np.arange(m)[:, None] * n + np.arange(n)[None, :]
    for p, (s, r) in enumerate(pairs):
        rows.append(chain[r, rank[task[s]]])
        cols.append(p)
        data.append(1.0)
    for r in range(m):
        for k in range(n):
            rows.append(chain[r, k])
            cols.append(count + r * n + k)
            data.append(-1.0)
            if k:
                rows.append(chain[r, k])
                cols.append(count + r * n + k - 1)
                data.append(1.0)
            rhs.append(0.0)
    matrix = csr_array((data, (rows, cols)), shape=(row + m * n, count + m * n))
    cost = np.concatenate([[-slope[s] for s, _ in pairs], np.zeros(m * n)])
    caps = (instance.speeds[:, None] * instance.deadlines[order][None, :]).ravel()
    upper = np.concatenate([np.full(count, np.inf), caps])
    return cost, matrix, np.array(rhs), upper


def _lp(instance: Instance, allowed: list[list[int]]) -> float:
    cost, matrix, rhs, upper = fractional_model(instance, allowed)
    solved = linprog(
        cost,
        A_ub=matrix,
        b_ub=rhs,
        bounds=np.stack([np.zeros_like(upper), upper], axis=1),
        method="highs",
    )
    assert solved.status == 0, solved.message
    return float(instance.accuracy[:, 0].sum() - solved.fun)
