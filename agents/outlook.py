"""What a policy sees of the task at hand and of each machine: the outlook on a tentative plan.

The policy decides task after task in order of deadline, as in the Assign environment. An optimum
for the tasks decided so far would say little: it leaves no time and no energy to the tasks still to
come. So the outlook keeps a complete plan: where the policy has put the tasks that are decided, and
where DSCT-APPROX puts the rest. Its exact optimum, kept up to date by the incremental kernels, has
prices of energy and of time on every machine. They tell, in O(log n), at most how much a move or a
swap can bring; for the few machines that look best the change is computed exactly. The fractional
relaxation adds what the machines should share out in the end.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from dsct_gym.allocation import Packed
from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.baselines.approx import assign
from dsct_gym.baselines.local_search.prices import (
    Prices,
    arrival_bound,
    block_price,
    departure_bound,
    entry_block,
    own_block,
    screen,
    update_prices,
)
from dsct_gym.incremental import (
    CURRENT,
    Curves,
    accept_trial,
    place_all,
    try_above,
    try_change,
)
from dsct_gym.instance import Instance
from dsct_gym.jit import helper, kernel
from dsct_gym.relaxation import Relaxation, relax

Floats32 = npt.NDArray[np.float32]

LIMIT: Final = 5.0
"""Every column is clipped to this on either side."""
FINE: Final = 100.0
"""Changes of accuracy are compressed in units of a hundredth of what a task gains on average."""
EXACT: Final = 24
"""Most changes that are computed exactly: those with the best bounds."""
REFUSED: Final = -0.5
"""At most this, in hundredths of what a task gains, stands for a change that is no gain."""
PARTNERS: Final = 32
"""Following tasks that are looked at as partners of a swap."""

CONTEXT: Final = (
    "deadline",  # d_j / d_max
    "tasks_left",  # share of the tasks not yet decided, this one among them
    "tasks",  # ln(n) / 3
    "machines",  # ln(m)
    "rho",  # ln(d_max Σ s_r / Σ f_j^max)
    "beta",  # ln(B / (d_max Σ P_r))
    "fraction",  # f_j / f_j^max
    "work",  # ln(f_j / mean f)
    "price",  # ln(π_j f_j^max / gain)
    "gain",  # a_j(f_j^max) − a_j(0)
    "gap",  # time to the next deadline, in units of d_max / n
    "next",  # f of the next task / mean f
    "soon",  # mean f of the next m tasks / mean f
    "rush",  # ln(work of the next m tasks / what all machines can do meanwhile)
    "energy_price",  # ln(λ of the plan / λ of the relaxation)
)
"""Columns of the task at hand j, the same for all machines; f and π from the relaxation."""

MACHINE: Final = (
    "here",  # 1 where the plan has j
    "change",  # the better of the two changes below
    "move",  # what moving j to r changes, compressed; a bound where that is no gain
    "swap",  # what the best swap with a following task on r changes, likewise
    "exact",  # 1 where the better one is exact
    "surplus",  # what j would earn beyond the price of its time and energy there / gain
    "speed",  # ln(s_r / mean s)
    "efficiency",  # ln(E_r / mean E)
    "price",  # ln(price of work on r at d_j / π_j)
    "scarcity",  # ln(price of work on r at d_j / its energy)
    "full_time",  # ln(f_j^max / s_r / d_j)
    "full_energy",  # ln(f_j^max / E_r / (B / n))
    "slack",  # min(d_j, b_r) less the work planned on r until d_j, j not counted, compressed
    "left",  # b_r less all the work planned on r, j not counted, compressed
    "size",  # f_j / s_r in the units of these two, mean f / s_r, compressed
    "busy",  # b_r / d_max
)
"""Columns of each machine r, as it looks for j; b_r is its busy time in the relaxation."""


class Outlook(NamedTuple):
    """An instance, its relaxation and a plan as the kernels read them, tasks in EDF order.

    Attributes:
        context: Columns of `CONTEXT` that decisions do not change (n, C).
        machine: Columns of `MACHINE` that do not change (m, M).
        start: Machine of each task by DSCT-APPROX (n,).
        work: f_j, work in the relaxation (n,), GFLOP.
        gain: a_j(f_j^max) − a_j(0) (n,).
        log_price: ln π_j (n,), −∞ where π_j is 0.
        log_full: ln f_j^max (n,).
        log_deadline: ln d_j (n,).
        busy: b_r, busy time in the relaxation (m,), s.
        log_speed: ln s_r (m,).
        log_efficiency: ln E_r (m,).
        scale: Mean f, positive, GFLOP; λ of the relaxation; ln(B / n) (3,).
        unit: Accuracy that a task gains on average in the plan (1,).
        decided: Work planned on each machine until the task at hand (m,), GFLOP.
        planned: All work planned on each machine (m,), GFLOP.
        move: What moving the task at hand to each machine changes, or a bound on it (m,).
        swap: What the best swap changes, or a bound on it; −∞ where there is none (m,).
        partner: The task to swap with (m,), −1 for none.
        known: Whether ``move`` and ``swap`` are exact (2, m).
        waiting: Bounds on swaps with the following tasks (W,); −∞ where there is none.
    """

    context: Floats32
    machine: Floats32
    start: Ints
    work: Floats
    gain: Floats
    log_price: Floats
    log_full: Floats
    log_deadline: Floats
    busy: Floats
    log_speed: Floats
    log_efficiency: Floats
    scale: Floats
    unit: Floats
    decided: Floats
    planned: Floats
    move: Floats
    swap: Floats
    partner: Ints
    known: Bools
    waiting: Floats

    @classmethod
    def of(cls, instance: Instance, relaxation: Relaxation | None = None) -> Outlook:
        """Prepares an instance.

        Args:
            instance: The problem.
            relaxation: Its relaxation, if it is there already.
        """
        relaxation = relax(instance) if relaxation is None else relaxation
        order, m = instance.edf_order, instance.num_machines
        work = np.maximum(relaxation.work[order], 0.0)
        mean = float(work.mean())
        mean = mean if mean > 0.0 else float(instance.max_work.mean())
        with np.errstate(divide="ignore"):
            log_price = np.log(relaxation.marginal_prices[order])
            log_ration = float(np.log(instance.energy_budget) - np.log(instance.num_tasks))
        return cls(
            context=_context(instance, relaxation, work, mean),
            machine=_machine(instance, relaxation),
            start=assign(instance, relaxation)[order],
            work=work,
            gain=(instance.top_accuracy - instance.base_accuracy)[order],
            log_price=log_price,
            log_full=np.log(instance.max_work[order]),
            log_deadline=np.log(instance.deadlines[order]),
            busy=np.array(relaxation.busy_time),
            log_speed=np.log(instance.speeds),
            log_efficiency=np.log(instance.efficiencies),
            scale=np.array([mean, relaxation.energy_price, log_ration]),
            unit=np.ones(1),
            decided=np.zeros(m),
            planned=np.zeros(m),
            move=np.zeros(m),
            swap=np.zeros(m),
            partner=np.full(m, -1, dtype=np.int64),
            known=np.zeros((2, m), dtype=np.bool_),
            waiting=np.zeros(PARTNERS),
        )


def _context(instance: Instance, relaxation: Relaxation, work: Floats, mean: float) -> Floats32:
    """The columns of `CONTEXT` (n, C); the last is left 0."""
    n, m, order = instance.num_tasks, instance.num_machines, instance.edf_order
    deadline, horizon = instance.deadlines[order], instance.horizon
    full = instance.max_work[order]
    gain = (instance.top_accuracy - instance.base_accuracy)[order]
    speed, power = instance.speeds.sum(), instance.powers.sum()
    following = np.minimum(np.arange(n) + m, n - 1)
    cumulated = np.cumsum(work)
    coming = cumulated[following] - cumulated
    ahead = np.maximum(following - np.arange(n), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = {
            "deadline": deadline / horizon,
            "tasks_left": 1.0 - np.arange(n) / n,
            "tasks": np.log(n) / 3.0,
            "machines": np.log(m),
            "rho": np.log(horizon * speed / full.sum()),
            "beta": np.log(instance.energy_budget / (horizon * power)),
            "fraction": work / full,
            "work": np.log(work / mean),
            "price": np.log(relaxation.marginal_prices[order] * full / gain),
            "gain": gain,
            "gap": np.diff(deadline, append=deadline[-1]) * n / horizon,
            "next": np.append(work[1:], 0.0) / mean,
            "soon": coming / ahead / mean,
            "rush": np.log(coming / (speed * (deadline[following] - deadline))),
            "energy_price": 0.0,
        }
    table = np.column_stack([np.broadcast_to(columns[name], n) for name in CONTEXT])
    return _clipped(table)


def _machine(instance: Instance, relaxation: Relaxation) -> Floats32:
    """The columns of `MACHINE` (m, M) that do not change; the others are 0."""
    columns = {
        "speed": np.log(instance.speeds / instance.speeds.mean()),
        "efficiency": np.log(instance.efficiencies / instance.efficiencies.mean()),
        "busy": relaxation.busy_time / instance.horizon,
    }
    nothing = np.zeros(instance.num_machines)
    return _clipped(np.column_stack([columns.get(name, nothing) for name in MACHINE]))


def _clipped(table: Floats) -> Floats32:
    """Within the limits; what is undefined, a ratio of nothing to nothing, is 0."""
    return np.clip(np.nan_to_num(table, nan=0.0), -LIMIT, LIMIT).astype(np.float32)


@kernel
def begin(packed: Packed, outlook: Outlook, curves: Curves, prices: Prices) -> None:
    """Puts the plan back to what DSCT-APPROX gives."""
    total = place_all(packed, curves, outlook.start)
    outlook.unit[0] = total / outlook.start.size if total > 0.0 else 1.0
    for r in range(packed.speed.size):
        update_prices(packed, curves, prices, r)
        outlook.decided[r] = outlook.planned[r] = 0.0
    for task in range(outlook.start.size):
        outlook.planned[outlook.start[task]] += outlook.work[task]


@kernel
def decide(
    packed: Packed, outlook: Outlook, curves: Curves, prices: Prices, task: int, machine: int
) -> None:
    """Puts a task where the policy wants it, −1 for none, by the better of move and swap.

    Call `look` for the task before.
    """
    source = curves.machine[task]
    if machine >= 0:
        outlook.decided[machine] += outlook.work[task]
    if source == machine:
        return
    other = -1
    if machine >= 0 and outlook.swap[machine] > outlook.move[machine]:
        other = outlook.partner[machine]
    try_change(packed, curves, task, machine, other)
    accept_trial(curves, task, machine, other)
    change = outlook.work[task] - (outlook.work[other] if other >= 0 else 0.0)
    if source >= 0:
        outlook.planned[source] -= change
        update_prices(packed, curves, prices, source)
    if machine >= 0:
        outlook.planned[machine] += change
        update_prices(packed, curves, prices, machine)


@kernel
def look(
    packed: Packed,
    outlook: Outlook,
    curves: Curves,
    prices: Prices,
    task: int,
    context: Floats32,
    machine: Floats32,
) -> None:
    """Writes the columns for a task.

    Args:
        packed: The prepared instance.
        outlook: The same for the policy.
        curves: The plan.
        prices: Its prices.
        task: EDF rank of the task at hand.
        context: Where to write the columns of `CONTEXT` (C,).
        machine: Where to write the columns of `MACHINE` (m, M).
    """
    for column in range(context.size - 1):
        context[column] = outlook.context[task, column]
    context[context.size - 1] = _ratio(curves.price[CURRENT], outlook.scale[1])
    _bound(packed, outlook, curves, prices, task)
    _evaluate(packed, outlook, curves, prices, task)
    _write(packed, outlook, curves, prices, task, machine)


@helper
def _bound(packed: Packed, outlook: Outlook, curves: Curves, prices: Prices, task: int) -> None:
    """Bounds what moving the task to each machine changes, and every swap with a following task."""
    source = curves.machine[task]
    leaves = departure_bound(packed, curves, prices, source, task) if source >= 0 else 0.0
    for r in range(packed.speed.size):
        outlook.known[0, r] = outlook.known[1, r] = r == source
        outlook.partner[r] = -1
        outlook.swap[r] = -np.inf
        outlook.move[r] = 0.0
        if r != source:
            outlook.move[r] = leaves + arrival_bound(packed, curves, prices, r, task)
    for index in range(PARTNERS):
        outlook.waiting[index] = -np.inf
        other = task + 1 + index
        r = curves.machine[other] if other < curves.machine.size else -1
        if source >= 0 and r >= 0 and r != source:
            change = outlook.move[r] + departure_bound(packed, curves, prices, r, other)
            change += arrival_bound(packed, curves, prices, source, other)
            outlook.waiting[index] = change
            if change > outlook.swap[r]:
                outlook.swap[r] = change
                outlook.partner[r] = other


@helper
def _evaluate(packed: Packed, outlook: Outlook, curves: Curves, prices: Prices, task: int) -> None:
    """Computes changes exactly, the best bounds first, until no bound is above the best change.

    Every move that gains is found, and every swap that gains more than any change before it.
    """
    refused = REFUSED / FINE * outlook.unit[0]
    top = 0.0
    for _ in range(EXACT):
        machine, other = _most_promising(outlook, curves, task, top)
        if machine < 0:
            break
        if other >= 0:
            outlook.waiting[other - task - 1] = -np.inf
        least = top if other >= 0 else 0.0
        change = _change(packed, curves, prices, task, machine, other, least)
        gains = change > least
        if other < 0:
            outlook.known[0, machine] = gains
            outlook.move[machine] = change if gains else refused
        elif gains:
            outlook.known[1, machine] = True
            outlook.swap[machine] = change
            outlook.partner[machine] = other
        top = max(top, change)
    for r in range(packed.speed.size):
        if not outlook.known[0, r]:
            outlook.move[r] = min(outlook.move[r], refused)
        if not outlook.known[1, r]:
            outlook.swap[r] = min(outlook.swap[r], refused)


@helper
def _most_promising(outlook: Outlook, curves: Curves, task: int, top: float) -> tuple[int, int]:
    """Machine and partner, −1 for none, of the change to compute next; machine −1 if none is left.

    The best bound of a swap that may bring more than ``top`` and all moves, else of a move.
    """
    machine, other, most = -1, -1, 0.0
    for r in range(outlook.move.size):
        if not outlook.known[0, r] and outlook.move[r] > most:
            machine, most = r, outlook.move[r]
    most = max(most, top)
    for index in range(PARTNERS):
        if outlook.waiting[index] > most:
            other, most = task + 1 + index, outlook.waiting[index]
    return (curves.machine[other], other) if other >= 0 else (machine, other)


@helper
def _change(
    packed: Packed,
    curves: Curves,
    prices: Prices,
    task: int,
    machine: int,
    other: int,
    least: float,
) -> float:
    """What a move or a swap changes, −∞ where that is certain to be below ``least``."""
    total: float = curves.total[CURRENT]
    bound = screen(packed, curves, prices, task, machine, other, total + least)
    if bound == -np.inf:
        return bound
    return try_above(packed, curves, task, machine, other, total + least, bound) - total


@helper
def _write(
    packed: Packed,
    outlook: Outlook,
    curves: Curves,
    prices: Prices,
    task: int,
    machine: Floats32,
) -> None:
    """Writes the columns of the machines; ``change`` holds the bounds."""
    source = curves.machine[task]
    fine = FINE / outlook.unit[0]
    mean, work = outlook.scale[0], outlook.work[task]
    deadline = packed.deadline[task]
    leaves = departure_bound(packed, curves, prices, source, task) if source >= 0 else 0.0
    for r in range(packed.speed.size):
        speed, busy = packed.speed[r], outlook.busy[r]
        here = r == source
        surplus = -leaves if here else arrival_bound(packed, curves, prices, r, task)
        block = own_block(curves, prices, r, task) if here else entry_block(curves, prices, r, task)
        price = block_price(packed, curves, prices, r, block)
        log_price = math.log(price)
        own = work if here else 0.0
        move = _compressed(fine * outlook.move[r])
        swap = _compressed(fine * outlook.swap[r])
        exact = outlook.known[1, r] if swap > move else outlook.known[0, r]
        machine[r, 0] = 1.0 if here else 0.0
        machine[r, 1] = max(move, swap) if not here else 0.0
        machine[r, 2] = move
        machine[r, 3] = swap
        machine[r, 4] = 1.0 if exact else 0.0
        machine[r, 5] = _within(surplus / max(outlook.gain[task], 1e-9))
        machine[r, 6] = outlook.machine[r, 6]
        machine[r, 7] = outlook.machine[r, 7]
        machine[r, 8] = _difference(log_price, outlook.log_price[task])
        machine[r, 9] = _ratio(price * packed.efficiency[r], curves.price[CURRENT])
        machine[r, 10] = _within(
            outlook.log_full[task] - outlook.log_speed[r] - outlook.log_deadline[task]
        )
        machine[r, 11] = _within(
            outlook.log_full[task] - outlook.log_efficiency[r] - outlook.scale[2]
        )
        machine[r, 12] = _compressed((min(deadline, busy) * speed - outlook.decided[r]) / mean)
        machine[r, 13] = _compressed((busy * speed - outlook.planned[r] + own) / mean)
        machine[r, 14] = _compressed(work / mean)
        machine[r, 15] = outlook.machine[r, 15]


@helper
def _within(value: float) -> float:
    """Clips a column."""
    return min(max(value, -LIMIT), LIMIT)


@helper
def _compressed(value: float) -> float:
    """sign(x) ln(1 + |x|), clipped."""
    size = min(math.log(1.0 + abs(value)), LIMIT)
    return size if value >= 0.0 else -size


@helper
def _ratio(one: float, other: float) -> float:
    """Logarithm of the ratio of two prices, 0 where both are 0."""
    if one <= 0.0:
        return 0.0 if other <= 0.0 else -LIMIT
    return LIMIT if other <= 0.0 else _within(math.log(one / other))


@helper
def _difference(one: float, other: float) -> float:
    """Difference of the logarithms of two prices, 0 where both are 0."""
    if one == -math.inf:
        return 0.0 if other == -math.inf else -LIMIT
    return _within(one - other)
