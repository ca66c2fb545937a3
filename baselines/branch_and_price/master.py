"""The restricted master problem: which known columns to use, as a linear programme."""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.baselines.branch_and_price.columns import Columns

_DUAL, _PRIMAL = 1, 4
_FOREVER = 1e6


@dataclass(frozen=True)
class Duals:
    """Duals of what the machines share.

    Attributes:
        fee: μ_j of each task (n,), at least 0.
        energy: Price of the whole energy budget, λB, at least 0.
    """

    fee: Floats
    energy: float

    def towards(self, other: Duals, share: float) -> Duals:
        """The point that lies ``share`` of the way to other prices."""
        return Duals(
            self.fee + share * (other.fee - self.fee),
            self.energy + share * (other.energy - self.energy),
        )


@dataclass(frozen=True)
class Groups:
    """Machines that a node of the tree does not tell apart.

    Attributes:
        kind: Kind of each group's machines (g,).
        allowed: Tasks that they may take (g, n).
        count: Number of machines (g,).
    """

    kind: Ints
    allowed: Bools
    count: Ints

    @property
    def shared(self) -> Bools:
        """Tasks that more than one machine may take (n,): only those can be taken twice."""
        return np.asarray(self.count @ self.allowed > 1)


class Master:
    """Maximise the gain of the columns used: each task once, each machine once, the energy.

    Rows: one a task, one a group of equal machines, the budget. Columns are added as they come.

    Args:
        columns: The table of columns, which may grow.
        groups: The machines.
    """

    def __init__(self, columns: Columns, groups: Groups) -> None:
        self.columns = columns
        self.groups = groups
        self.used: list[int] = []
        self.group_of: list[int] = []
        self._present: set[tuple[int, int]] = set()
        self._tasks = groups.allowed.shape[1]
        self._model = _silent_model()
        upper = np.concatenate(
            [
                np.where(groups.shared, 1.0, highspy.kHighsInf),
                groups.count.astype(np.float64),
                [1.0],
            ]
        )
        none = np.empty(0, dtype=np.int32)
        self._model.addRows(
            upper.size, np.full(upper.size, -highspy.kHighsInf), upper, 0, none, none, np.empty(0)
        )
        self._model.changeObjectiveSense(highspy.ObjSense.kMaximize)

    def add(self, indices: Ints, groups: Ints) -> int:
        """Adds columns of the table for given groups, skipping those present.

        Returns:
            How many were new.
        """
        pairs = [
            pair
            for pair in dict.fromkeys(zip(indices.tolist(), groups.tolist(), strict=True))
            if pair not in self._present
        ]
        if not pairs:
            return 0
        self._present.update(pairs)
        index = np.array([pair[0] for pair in pairs])
        group = np.array([pair[1] for pair in pairs])
        rows = self._tasks + self.groups.kind.size + 1
        entries = np.zeros((index.size, rows))
        entries[:, : self._tasks] = self.columns.member[index]
        entries[np.arange(index.size), self._tasks + group] = 1.0
        entries[:, -1] = self.columns.energy[index]
        column, row = np.nonzero(entries)
        starts = np.searchsorted(column, np.arange(index.size)).astype(np.int32)
        self._model.addCols(
            index.size,
            self.columns.gain[index],
            np.zeros(index.size),
            np.full(index.size, highspy.kHighsInf),
            row.size,
            starts,
            row.astype(np.int32),
            entries[column, row],
        )
        self.used.extend(index.tolist())
        self.group_of.extend(group.tolist())
        return len(pairs)

    def solve(self, seconds: float) -> tuple[float, Duals]:
        """Solves the linear programme; after ``seconds``, what it has by then.

        Returns:
            Its value and prices.
        """
        if seconds < _FOREVER:
            self._model.setOptionValue("time_limit", self._model.getRunTime() + seconds)
        self._model.run()
        solution = self._model.getSolution()
        # Whatever HiGHS leaves behind when it fails, prices are finite and at least 0: then their
        # bound is valid.
        dual = np.nan_to_num(np.abs(np.array(solution.row_dual)), nan=0.0, posinf=0.0)
        prices = Duals(dual[: self._tasks], float(dual[-1]))
        return self._model.getInfo().objective_function_value, prices

    def shares(self) -> Floats:
        """How much of each task each group does in the last solution (g, n)."""
        level = np.array(self._model.getSolution().col_value)
        basic = np.flatnonzero(level > 1e-9)
        shares = np.zeros(self.groups.allowed.shape)
        for position in basic:
            member = self.columns.member[self.used[position]]
            shares[self.group_of[position], member] += level[position]
        return shares

    def value_without(self, task: int, groups: Bools) -> float:
        """Value of the master if the groups marked (g,) did not do the task; prices change."""
        at = np.flatnonzero(groups[self.group_of] & self.columns.member[self.used, task])
        at = at.astype(np.int32)
        none = np.zeros(at.size)
        self._model.setOptionValue("simplex_strategy", _DUAL)
        self._model.changeColsBounds(at.size, at, none, none)
        self._model.run()
        value = self._model.getInfo().objective_function_value
        self._model.changeColsBounds(at.size, at, none, np.full(at.size, highspy.kHighsInf))
        self._model.setOptionValue("simplex_strategy", _PRIMAL)
        return float(value)


def _silent_model() -> highspy.Highs:
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", 1)
    model.setOptionValue("presolve", "off")
    model.setOptionValue("solver", "simplex")
    model.setOptionValue("simplex_strategy", _PRIMAL)
    return model
