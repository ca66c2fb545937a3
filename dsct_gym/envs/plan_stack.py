"""Complete plans, one an environment, which kernels keep up to date as tasks are decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Ints
from dsct_gym.envs.bank import Bank, copy_into
from dsct_gym.envs.curves import curves_of, problem_in, stacked
from dsct_gym.envs.observation import Layout
from dsct_gym.envs.shelf import Shelf
from dsct_gym.incremental import Curves
from dsct_gym.jit import helper
from dsct_gym.plan import Context, Loads, Machine, Options, Outlook, Plan, Prices
from dsct_gym.problem import Problem


class Stack(NamedTuple):
    """The parts of N plans on P instances: their arrays, each with one more dimension.

    Attributes:
        outlook: What is known of each instance (P, …), by its row in the bank.
        curves: The assignment of each environment and its optimum (N, …).
        prices: The prices of the optimum (N, …).
        loads: Work on each machine (N, …).
        options: What can be decided on the task at hand (N, …).
    """

    outlook: Outlook
    curves: Curves
    prices: Prices
    loads: Loads
    options: Options

    @classmethod
    def empty(cls, count: int, rows: int, layout: Layout, segments: int) -> Stack:
        """Room for N plans on P instances of up to so many segments."""
        n, m = layout.max_tasks, layout.max_machines
        return cls(
            outlook=stacked(rows, _empty_outlook(n, m)),
            curves=stacked(count, Curves.empty(n, m, segments)),
            prices=stacked(count, Prices.empty(n, m, segments)),
            loads=stacked(count, Loads.empty(m)),
            options=stacked(count, Options.empty(m)),
        )

    def widened(self, layout: Layout, segments: int) -> Stack:
        """The same with room for instances of so many segments."""
        if segments <= self.curves.order.shape[2]:
            return self
        count, rows = self.curves.machine.shape[0], self.outlook.start.shape[0]
        wide = Stack.empty(count, rows, layout, segments)
        for into, part in zip(wide, self, strict=True):
            copy_into(into, part)
        return wide


class Outlooks:
    """Keeps the outlook of each row of a library beside the instance that is there.

    Args:
        rows: Number of rows.
    """

    def __init__(self, rows: int) -> None:
        self._known: list[Callable[[], Problem] | None] = [None] * rows

    def update(self, library: Shelf, outlook: Outlook, rows: Ints) -> None:
        """Works out the outlooks of those of the rows whose instances are new."""
        for row in rows.tolist():
            if self._known[row] is not library.recipe(row):
                found = Outlook.of(library.instance(row))
                for name, array in found._asdict().items():
                    into = getattr(outlook, name)
                    into[row][tuple(slice(size) for size in array.shape)] = array
                self._known[row] = library.recipe(row)


def _empty_outlook(n: int, m: int) -> Outlook:
    """An outlook of the largest size; what belongs to tasks has n rows, to machines m."""
    return Outlook(
        context=np.zeros((n, len(Context)), dtype=np.float32),
        machine=np.zeros((m, len(Machine)), dtype=np.float32),
        start=np.zeros(n, dtype=np.int64),
        work=np.zeros(n),
        gain=np.zeros(n),
        log_price=np.zeros(n),
        log_full=np.zeros(n),
        log_deadline=np.zeros(n),
        busy=np.zeros(m),
        log_speed=np.zeros(m),
        log_efficiency=np.zeros(m),
        scale=np.zeros(3),
    )


@helper
def plan_of(bank: Bank, stack: Stack, env: int, row: int) -> Plan:
    """The plan of one environment, cut to the size of its instance.

    It returns arrays: only helpers may call it (`dsct_gym.jit`).
    """
    n, m = bank.tasks[row], bank.machines[row]
    return Plan(
        packed=problem_in(bank, row),
        outlook=outlook_of(stack.outlook, row, n),
        curves=curves_of(stack.curves, env, n, m),
        prices=prices_of(stack.prices, env),
        loads=Loads(decided=stack.loads.decided[env], planned=stack.loads.planned[env]),
        options=options_of(stack.options, env, m),
    )


@helper
def outlook_of(outlook: Outlook, row: int, n: int) -> Outlook:
    """The outlook in a row; kernels read the number of tasks off the start."""
    return Outlook(
        context=outlook.context[row],
        machine=outlook.machine[row],
        start=outlook.start[row, :n],
        work=outlook.work[row],
        gain=outlook.gain[row],
        log_price=outlook.log_price[row],
        log_full=outlook.log_full[row],
        log_deadline=outlook.log_deadline[row],
        busy=outlook.busy[row],
        log_speed=outlook.log_speed[row],
        log_efficiency=outlook.log_efficiency[row],
        scale=outlook.scale[row],
    )


@helper
def prices_of(prices: Prices, env: int) -> Prices:
    """The prices of one environment."""
    return Prices(
        earliest=prices.earliest[env],
        position=prices.position[env],
        block=prices.block[env],
        blocks=prices.blocks[env],
        price=prices.price[env],
        supply=prices.supply[env],
        first=prices.first[env],
        slope=prices.slope[env],
        demand=prices.demand[env],
        value=prices.value[env],
        several=prices.several,
        levels=prices.levels,
        cost=prices.cost,
    )


@helper
def options_of(options: Options, env: int, m: int) -> Options:
    """The options of one environment; kernels read the number of machines off the moves."""
    return Options(
        unit=options.unit[env],
        move=options.move[env, :m],
        swap=options.swap[env, :m],
        partner=options.partner[env, :m],
        known=options.known[env, :, :m],
        waiting=options.waiting[env],
    )
