"""Exact allocation under local changes of the assignment: move a task, swap two tasks.

Energy prices decouple the machines: alone, machine r turns energy into accuracy along a concave
curve that does not depend on the others (`dsct_gym.allocation` explains why), and the optimum cuts
all curves at one price λ, accuracy per joule, at which the budget is spent. A local change rebuilds
the curves of the one or two machines it touches and walks the cut from where it was.

Every machine's curve lives in a slot; two spare slots take the curves of a trial, and accepting it
exchanges slot numbers (`dsct_gym.curves`). Kernels take a `Packed` and `Curves`; from Python,
`IncrementalAllocation` wraps them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from dsct_gym.allocation import Packed, allocate, find_free, pack
from dsct_gym.arrays import Ints
from dsct_gym.curves import CURRENT, SOURCE, TARGET, TRIAL, Curves
from dsct_gym.errors import InputError
from dsct_gym.jit import helper, kernel
from dsct_gym.layers import accept_on_levels, earned, list_pieces
from dsct_gym.schedule import Schedule, check_assignment

if TYPE_CHECKING:
    from dsct_gym.problem import Problem

__all__ = [
    "CURRENT",
    "Curves",
    "IncrementalAllocation",
    "accept_trial",
    "cut_curves",
    "merge_segments",
    "net_change",
    "pieces_worth",
    "place_all",
    "swap_slots",
    "try_above",
    "try_change",
]

CUTOFF: Final = 0.9
"""Share of the current price of energy down to which pieces of a trial are listed. A trial whose
price falls below lists them all."""


class IncrementalAllocation:
    """The exact optimum of an assignment, kept up to date under moves and swaps.

    A trial (`move`, `swap`) leaves the assignment as it is until `accept`.

    Args:
        problem: The problem: an `Instance`, or a variant that `dsct_gym.allocation.pack` takes.
        machine_of: Machine of each task (n,), −1 for none; no task placed when left out.

    Raises:
        InputError: If ``machine_of`` does not fit the problem, or its type is not taken.
    """

    def __init__(self, problem: Problem, machine_of: Ints | None = None) -> None:
        self.problem = problem
        self.instance = problem.core
        self.packed = pack(problem)
        self.curves = Curves.of(self.packed)
        self._base = float(self.instance.base_accuracy.sum())
        self._pending: tuple[int, int, int] | None = None
        if machine_of is not None:
            machine = check_assignment(self.instance, machine_of)
            _enter_place_all(self.packed, self.curves, machine[self.instance.edf_order])

    @property
    def total_accuracy(self) -> float:
        """Optimal total accuracy of the current assignment."""
        return self._base + float(self.curves.total[CURRENT])

    @property
    def energy_price(self) -> float:
        """Accuracy per joule at the budget, 0 when it does not bind."""
        return float(self.curves.price[CURRENT])

    @property
    def machine_of(self) -> Ints:
        """The current assignment (n,), a copy."""
        return self.curves.machine[self.instance.edf_rank]

    def schedule(self) -> Schedule:
        """The optimal schedule of the current assignment."""
        return allocate(self.problem, self.machine_of)

    def move(self, task: int, machine: int) -> float:
        """Tries a task on another machine (−1: on none).

        Returns:
            Optimal total accuracy if it were there.
        """
        self._check(task, machine)
        return self._try(int(self.instance.edf_rank[task]), machine, -1)

    def swap(self, one: int, other: int) -> float:
        """Tries two tasks on each other's machines.

        Returns:
            Optimal total accuracy if they were exchanged.
        """
        self._check(one, -1)
        self._check(other, -1)
        ranks = self.instance.edf_rank
        return self._try(int(ranks[one]), int(self.curves.machine[ranks[other]]), int(ranks[other]))

    def accept(self) -> None:
        """Makes the last trial the current assignment.

        Raises:
            RuntimeError: If there is no trial to accept.
        """
        if self._pending is None:
            raise RuntimeError("accept: no trial since the last one accepted")
        _enter_accept_trial(self.curves, *self._pending)
        self._pending = None

    def _try(self, task: int, machine: int, other: int) -> float:
        _enter_try_change(self.packed, self.curves, task, machine, other)
        self._pending = (task, machine, other)
        return self._base + float(self.curves.total[TRIAL])

    def _check(self, task: int, machine: int) -> None:
        if not 0 <= task < self.instance.num_tasks:
            raise InputError(f"task: {task} of {self.instance.num_tasks} tasks")
        if not -1 <= machine < self.instance.num_machines:
            raise InputError(f"machine: {machine} of {self.instance.num_machines} machines")


@kernel
def _enter_place_all(packed: Packed, curves: Curves, machine: Ints) -> float:
    """`place_all`, from Python."""
    return place_all(packed, curves, machine)


@kernel
def _enter_try_change(packed: Packed, curves: Curves, task: int, machine: int, other: int) -> float:
    """`try_change`, from Python."""
    return try_change(packed, curves, task, machine, other)


@kernel
def _enter_accept_trial(curves: Curves, task: int, machine: int, other: int) -> None:
    """`accept_trial`, from Python."""
    accept_trial(curves, task, machine, other)


@helper
def place_all(packed: Packed, curves: Curves, machine: Ints) -> float:
    """Sets the whole assignment (n,), tasks in EDF order; returns the accuracy gained."""
    for index in range(curves.machine.size):
        curves.machine[index] = machine[index]
    for slot in range(curves.load.size):
        curves.load[slot] = curves.length[slot] = 0
    for task in range(machine.size):
        if machine[task] >= 0:
            slot = curves.slot[machine[task]]
            curves.tasks[slot, curves.load[slot]] = task
            curves.load[slot] += 1
    for segment in range(packed.task.size):
        r = machine[packed.task[segment]]
        if r >= 0:
            slot = curves.slot[r]
            curves.order[slot, curves.length[slot]] = segment
            curves.length[slot] += 1
    for r in range(packed.speed.size):
        build_curve(packed, curves, r, curves.slot[r], 0.0)
        curves.taken[r] = curves.pieces[curves.slot[r]]
    for index in range(curves.trial_taken.size):
        curves.trial_taken[index] = curves.taken[index]
    total = cut_curves(packed, curves)
    for index in range(curves.taken.size):
        curves.taken[index] = curves.trial_taken[index]
    curves.total[CURRENT] = curves.total[TRIAL]
    curves.price[CURRENT] = curves.price[TRIAL]
    return total


@helper
def try_change(packed: Packed, curves: Curves, task: int, machine: int, other: int) -> float:
    """Builds the trial in which ``task`` goes to ``machine``, and ``other`` takes its place.

    Args:
        packed: The prepared instance.
        curves: The state; its trial part changes.
        task: EDF rank of the task that moves.
        machine: Where it goes, −1 for none.
        other: EDF rank of a task on ``machine`` that goes where ``task`` was; −1 for a plain move.

    Returns:
        Accuracy gained over no work at all, if the change were made.
    """
    source = curves.machine[task]
    for index in range(curves.trial_taken.size):
        curves.trial_taken[index] = curves.taken[index]
    if source != machine:
        if source >= 0:
            _change_machine(packed, curves, source, curves.spare[SOURCE], task, other)
        if machine >= 0:
            _change_machine(packed, curves, machine, curves.spare[TARGET], other, task)
    swap_slots(curves, source, machine)
    total = cut_curves(packed, curves)
    swap_slots(curves, source, machine)
    return total


@helper
def try_above(
    packed: Packed,
    curves: Curves,
    task: int,
    machine: int,
    other: int,
    least: float,
    source_change: float,
) -> float:
    """As `try_change`, but gives up once it is certain that the total stays below ``least``.

    At the current price of energy no change of the assignment can raise the total by more than it
    raises what the machines earn net of their energy, and each machine tells its part alone.

    Args:
        packed: The prepared instance.
        curves: The state; its trial part changes.
        task: EDF rank of the task that moves.
        machine: Where it goes: not none, and not where it is.
        other: EDF rank of a task on ``machine`` that goes where ``task`` was; −1 for a plain move.
        least: The total to reach. Leave some room for rounding.
        source_change: An upper bound on the change of what the machine that ``task`` leaves earns
            net of energy at the current price, infinite if there is none.

    Returns:
        Accuracy gained over no work at all, −∞ if it gave up; then there is nothing to accept.
    """
    if not _may_reach(
        packed,
        curves,
        packed.several,
        task,
        machine,
        other,
        least,
        source_change,
    ):
        return -np.inf
    source = curves.machine[task]
    swap_slots(curves, source, machine)
    total = cut_curves(packed, curves)
    swap_slots(curves, source, machine)
    return total


@helper
def _may_reach(
    packed: Packed,
    curves: Curves,
    several: bool | None,
    task: int,
    machine: int,
    other: int,
    least: float,
    source_change: float,
) -> bool:
    """Builds the trial of `try_above`; False where it gives up.

    An argument that is None has a type of its own, for which Numba leaves out the branch that needs
    more; so whether there are several increments is handed over beside what they are.
    """
    source = curves.machine[task]
    for index in range(curves.trial_taken.size):
        curves.trial_taken[index] = curves.taken[index]
    if several is None:
        _change_machine(packed, curves, machine, curves.spare[TARGET], other, task)
        change = net_change(curves, machine, curves.spare[TARGET])
        if source >= 0:
            if curves.total[CURRENT] + change + source_change < least:
                return False
            _change_machine(packed, curves, source, curves.spare[SOURCE], task, other)
            change += net_change(curves, source, curves.spare[SOURCE])
        return not curves.total[CURRENT] + change < least
    # Pieces are listed only once it is known that they are wanted. Loops, for what is called from
    # one place only melts into it.
    rest = source_change if source >= 0 else 0.0
    change = 0.0
    for side in (TARGET, SOURCE):
        r = machine if side == TARGET else source
        if r >= 0:
            leaving, coming = (other, task) if side == TARGET else (task, other)
            change += _accept_change(packed, curves, r, side, leaving, coming)
            if curves.total[CURRENT] + change + rest < least:
                return False
            rest = 0.0
    for side in (TARGET, SOURCE):
        r = machine if side == TARGET else source
        if r >= 0:
            _list_trial(packed, curves, r, side)
    return not curves.total[CURRENT] + change < least


@helper
def _accept_change(
    packed: Packed,
    curves: Curves,
    r: int,
    side: int,
    leaving: int,
    coming: int,
) -> float:
    """Change of what machine r earns net of energy, as one task leaves and one comes.

    What its segments get is left on ``side`` of the layers, for `_list_trial`.
    """
    source, slot = curves.slot[r], curves.spare[side]
    taken, price = curves.taken[r], curves.price[CURRENT]
    _merge_tasks(curves, source, slot, leaving, coming)
    merge_segments(packed, curves, source, slot, leaving, coming)
    accept_on_levels(packed, curves, r, slot, side, CUTOFF * price)
    before: float = curves.gain[source, taken] - price * curves.energy[source, taken]
    return earned(packed, curves, r, side, price) - before


@helper
def _list_trial(packed: Packed, curves: Curves, r: int, side: int) -> None:
    """Lists the pieces of machine r in a trial."""
    slot = curves.spare[side]
    list_pieces(packed, curves, r, slot, side)
    curves.trial_taken[r] = pieces_worth(curves, slot, curves.price[CURRENT])


@helper
def net_change(curves: Curves, r: int, slot: int) -> float:
    """Change of what machine r earns net of energy, at the current price, by its trial."""
    price, current = curves.price[CURRENT], curves.slot[r]
    before, after = curves.taken[r], curves.trial_taken[r]
    gained = curves.gain[slot, after] - curves.gain[current, before]
    spent = curves.energy[slot, after] - curves.energy[current, before]
    change: float = gained - price * spent
    return change


@helper
def accept_trial(curves: Curves, task: int, machine: int, other: int) -> None:
    """Makes the trial of `try_change` with the same arguments the current state."""
    source = curves.machine[task]
    swap_slots(curves, source, machine)
    for index in range(curves.taken.size):
        curves.taken[index] = curves.trial_taken[index]
    curves.total[CURRENT] = curves.total[TRIAL]
    curves.price[CURRENT] = curves.price[TRIAL]
    curves.machine[task] = machine
    if other >= 0 and source != machine:
        curves.machine[other] = source


@helper
def swap_slots(curves: Curves, source: int, machine: int) -> None:
    """Exchanges the slots of the changed machines with the spare ones that hold their trial."""
    if source == machine:
        return
    if source >= 0:
        curves.slot[source], curves.spare[SOURCE] = curves.spare[SOURCE], curves.slot[source]
    if machine >= 0:
        curves.slot[machine], curves.spare[TARGET] = curves.spare[TARGET], curves.slot[machine]


@helper
def _change_machine(
    packed: Packed, curves: Curves, r: int, target: int, leaving: int, coming: int
) -> None:
    """Builds in slot ``target`` the curve of machine r after one task leaves and one comes."""
    source = curves.slot[r]
    _merge_tasks(curves, source, target, leaving, coming)
    merge_segments(packed, curves, source, target, leaving, coming)
    build_curve(packed, curves, r, target, CUTOFF * curves.price[CURRENT])
    curves.trial_taken[r] = pieces_worth(curves, target, curves.price[CURRENT])


@helper
def _merge_tasks(curves: Curves, source: int, target: int, leaving: int, coming: int) -> None:
    """Copies the task list of a slot without ``leaving`` and with ``coming``, ascending."""
    load = 0
    waiting = coming >= 0
    for position in range(curves.load[source]):
        task = curves.tasks[source, position]
        if waiting and coming < task:
            curves.tasks[target, load] = coming
            load += 1
            waiting = False
        if task != leaving:
            curves.tasks[target, load] = task
            load += 1
    if waiting:
        curves.tasks[target, load] = coming
        load += 1
    curves.load[target] = load


@helper
def merge_segments(
    packed: Packed, curves: Curves, source: int, target: int, leaving: int, coming: int
) -> None:
    """Copies the segment list of a slot without those of one task and with those of another."""
    length = 0
    new = packed.first[coming] if coming >= 0 else 0
    end = packed.first[coming + 1] if coming >= 0 else 0
    for position in range(curves.length[source]):
        segment = curves.order[source, position]
        while new < end and packed.own[new] < segment:
            curves.order[target, length] = packed.own[new]
            length += 1
            new += 1
        if packed.task[segment] != leaving:
            curves.order[target, length] = segment
            length += 1
    while new < end:
        curves.order[target, length] = packed.own[new]
        length += 1
        new += 1
    curves.length[target] = length


@helper
def build_curve(packed: Packed, curves: Curves, r: int, slot: int, cutoff: float) -> None:
    """Builds the energy-accuracy curve of machine r from the tasks and segments in ``slot``.

    Args:
        packed: The prepared problem.
        curves: The state.
        r: The machine.
        slot: The slot.
        cutoff: Accuracy per joule down to which pieces are wanted; where machines have one clock,
            they are all listed.
    """
    _build(packed, curves, packed.several, r, slot, cutoff)


@helper
def _build(
    packed: Packed,
    curves: Curves,
    several: bool | None,
    r: int,
    slot: int,
    cutoff: float,
) -> None:
    if several is None:
        _build_on_machine(packed, curves, r, slot)
    else:
        accept_on_levels(packed, curves, r, slot, TARGET, cutoff)
        list_pieces(packed, curves, r, slot, TARGET)


@helper
def _build_on_machine(packed: Packed, curves: Curves, r: int, slot: int) -> None:
    """The same for a machine with one clock."""
    speed, efficiency = packed.speed[r], packed.efficiency[r]
    load = curves.load[slot]
    curves.parent[0] = 0
    since = 0.0
    for position in range(load):
        task = curves.tasks[slot, position]
        curves.place[task] = position + 1
        curves.free[position + 1] = speed * (packed.deadline[task] - since)
        some = curves.free[position + 1] > 0.0
        curves.parent[position + 1] = position + 1 if some else position
        curves.exhausted[slot, position] = 0.0 if some else np.inf
        since = packed.deadline[task]
    pieces, energy, gain = 0, 0.0, 0.0
    for position in range(curves.length[slot]):
        segment = curves.order[slot, position]
        wanted = packed.width[segment]
        worked = 0.0
        at = find_free(curves.parent, curves.place[packed.task[segment]])
        while at > 0:
            if curves.free[at] > wanted:
                curves.free[at] -= wanted
                worked = packed.width[segment]
                break
            worked += curves.free[at]
            wanted -= curves.free[at]
            curves.parent[at] = at - 1
            curves.exhausted[slot, at - 1] = packed.slope[segment]
            at = find_free(curves.parent, at - 1)
        if worked > 0.0:
            energy += worked / efficiency
            gain += worked * packed.slope[segment]
            curves.steep[slot, pieces] = packed.slope[segment] * efficiency
            pieces += 1
            curves.energy[slot, pieces] = energy
            curves.gain[slot, pieces] = gain
        elif find_free(curves.parent, load) == 0:
            break
    curves.energy[slot, 0] = 0.0
    curves.gain[slot, 0] = 0.0
    curves.pieces[slot] = pieces


@helper
def pieces_worth(curves: Curves, slot: int, price: float) -> int:
    """Number of pieces in a slot that earn at least ``price`` accuracy per joule."""
    low, high = 0, curves.pieces[slot]
    while low < high:
        middle = (low + high) // 2
        if curves.steep[slot, middle] >= price:
            low = middle + 1
        else:
            high = middle
    return low


@helper
def cut_curves(packed: Packed, curves: Curves) -> float:
    """Cuts all curves at the price that spends the budget, walking from ``trial_taken``.

    Pieces taken earn at least as much per joule as pieces left; the walk keeps it so.

    Returns:
        Accuracy gained, also left in ``total[TRIAL]`` with the price in ``price[TRIAL]``.
    """
    machines = curves.slot.size
    budget = packed.budget[0]
    spent = _spent(curves)
    while spent > budget:
        least, worst = np.inf, -1
        for r in range(machines):
            taken = curves.trial_taken[r]
            if taken > 0 and curves.steep[curves.slot[r], taken - 1] < least:
                least, worst = curves.steep[curves.slot[r], taken - 1], r
        if worst < 0:
            break
        slot, taken = curves.slot[worst], curves.trial_taken[worst]
        spent -= curves.energy[slot, taken] - curves.energy[slot, taken - 1]
        curves.trial_taken[worst] = taken - 1
    price = 0.0
    while True:
        most, best = 0.0, -1
        for r in range(machines):
            slot, taken = curves.slot[r], curves.trial_taken[r]
            if taken < curves.pieces[slot] and curves.steep[slot, taken] > most:
                most, best = curves.steep[slot, taken], r
        if _list_further(packed, curves, packed.several, most):
            continue
        if best < 0:
            break
        slot, taken = curves.slot[best], curves.trial_taken[best]
        wanted = curves.energy[slot, taken + 1] - curves.energy[slot, taken]
        if spent + wanted > budget:
            price = most
            break
        spent += wanted
        curves.trial_taken[best] = taken + 1
    total: float = max(0.0, budget - _spent(curves)) * price
    for r in range(machines):
        total += curves.gain[curves.slot[r], curves.trial_taken[r]]
    curves.total[TRIAL] = total
    curves.price[TRIAL] = price
    return total


@helper
def _list_further(packed: Packed, curves: Curves, several: bool | None, most: float) -> bool:
    """Lists all pieces of the machines that have run out of them and may have some above ``most``.

    Returns:
        Whether there was such a machine.
    """
    if several is None:
        return False
    some = False
    for r in range(curves.slot.size):
        slot = curves.slot[r]
        if curves.trial_taken[r] == curves.pieces[slot] and curves.layers.cutoff[slot] > most:
            _build(packed, curves, several, r, slot, 0.0)
            some = True
    return some


@helper
def _spent(curves: Curves) -> float:
    """Energy of the pieces taken, J."""
    spent = 0.0
    for r in range(curves.slot.size):
        spent += curves.energy[curves.slot[r], curves.trial_taken[r]]
    return spent
