"""Independent truths to compare with: linear programmes for SciPy's HiGHS."""

from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array

from dsct_gym.instance import Instance


class LinearProgramme(NamedTuple):
    """minimise cost x subject to matrix x <= rhs and 0 <= x <= upper."""

    cost: np.ndarray
    matrix: csr_array
    rhs: np.ndarray
    upper: np.ndarray
    constant: float

    def optimum(self) -> float:
        """The largest total accuracy."""
        bounds = np.stack([np.zeros_like(self.upper), self.upper], axis=1)
        solved = linprog(
            self.cost,
            A_ub=self.matrix,
            b_ub=self.rhs,
            bounds=bounds,
            method="highs",
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )
        assert solved.status == 0, solved.message
        return self.constant - float(solved.fun)


def fractional_lp(instance: Instance) -> float:
    """Optimum of the fractional relaxation."""
    return linear_programme(instance).optimum()


def assignment_lp(instance: Instance, machine_of: np.ndarray) -> float:
    """Optimum for a fixed assignment."""
    placed = machine_of[:, None] == np.arange(instance.num_machines)
    return linear_programme(instance, placed).optimum()


def linear_programme(instance: Instance, allowed: np.ndarray | None = None) -> LinearProgramme:
    """Work of each segment, of each task on each machine, and of each machine up to each deadline.

    The last are chained, ``c[r, k] >= c[r, k-1] + x[r, k]`` with ``c[r, k] <= s_r d_k``, so that
    the matrix stays sparse. Work is measured in mean curve lengths and energy in budgets, so that
    the solver's absolute tolerances mean little.
    """
    n, m, segments = instance.num_tasks, instance.num_machines, instance.work.shape[1] - 1
    order = np.argsort(instance.deadlines, kind="stable")
    unit = instance.work[:, -1].mean()
    budget = instance.energy_budget or 1.0
    width = np.diff(instance.work[order], axis=1) / unit
    rise = np.diff(instance.accuracy[order], axis=1)
    slope = np.divide(rise, width, out=np.zeros_like(rise), where=width > 0)
    open_to = np.ones((n, m), bool) if allowed is None else allowed[order]
    f = np.arange(n * segments).reshape(n, segments)
    x = f.size + np.arange(n * m).reshape(n, m)
    c = f.size + x.size + np.arange(n * m).reshape(n, m)
    tasks, pairs = np.arange(n), n + np.arange(n * m).reshape(n, m)
    entries = [
        (np.repeat(tasks, segments), f.ravel(), np.ones(f.size)),
        (np.repeat(tasks, m), x.ravel(), -np.ones(x.size)),
        (pairs.ravel(), x.ravel(), np.ones(x.size)),
        (pairs.ravel(), c.ravel(), -np.ones(c.size)),
        (pairs[1:].ravel(), c[:-1].ravel(), np.ones(c[:-1].size)),
        (np.full(x.size, n + n * m), x.ravel(), np.tile(unit / budget / instance.efficiencies, n)),
    ]
    rows, columns, values = (np.concatenate(part) for part in zip(*entries, strict=True))
    shape = (n + n * m + 1, f.size + x.size + c.size)
    caps = instance.deadlines[order][:, None] * instance.speeds[None, :] / unit
    return LinearProgramme(
        cost=np.concatenate([-slope.ravel(), np.zeros(x.size + c.size)]),
        matrix=csr_array(coo_array((values, (rows, columns)), shape=shape)),
        rhs=np.append(np.zeros(n + n * m), float(instance.energy_budget > 0.0)),
        upper=np.concatenate([width.ravel(), np.where(open_to, np.inf, 0).ravel(), caps.ravel()]),
        constant=float(instance.accuracy[:, 0].sum()),
    )


def brute_force(instance: Instance) -> float:
    """Optimum over all assignments, one linear programme each: for tiny instances only."""
    machines = range(instance.num_machines)
    return max(
        assignment_lp(instance, np.array(choice))
        for choice in product(machines, repeat=instance.num_tasks)
    )
