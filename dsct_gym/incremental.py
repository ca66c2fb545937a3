"""Exact allocation under local changes of the assignment: move a task, swap two tasks.

Energy prices decouple the machines: alone, machine r turns energy into accuracy along a concave
curve that does not depend on the others (`dsct_gym.allocation` explains why), and the optimum cuts
all curves at one price λ, accuracy per joule, at which the budget is spent. A local change rebuilds
the curves of the one or two machines it touches and walks the cut from where it was.

Every machine's curve lives in a slot; two spare slots take the curves of a trial, and accepting it
exchanges slot numbers. Kernels take a `Packed` and `Curves`; from Python, `IncrementalAllocation`
wraps them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from dsct_gym.allocation import Packed, allocate, find_free, pack
from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError
from dsct_gym.jit import helper, kernel
from dsct_gym.schedule import Schedule, check_assignment

if TYPE_CHECKING:
    from dsct_gym.problem import Problem

CURRENT, TRIAL = 0, 1
"""Places in `Curves.total` and `Curves.price`."""
SOURCE, TARGET = 0, 1
"""Places in `Curves.spare`: the trial of the machine that a task leaves, and of where it goes."""

CUTOFF: Final = 0.9
"""Share of the current price of energy down to which pieces of a trial are listed. A trial whose
price falls below lists them all."""


class Layers(NamedTuple):
    """State for machines with several increments, of which the first k make layer k.

    Attributes:
        cutoff: Accuracy per joule down to which a curve lists its pieces (m+2,), 0 where it lists
            them all; its prices ``exhausted`` are known as far.
        increment: Which of its machine's increments each piece of a curve is on (m+2, DS).
        accepted: Scratch (2, D, S): work that each segment gets with so many increments, GFLOP, by
            `SOURCE` and `TARGET`.
        reach: Scratch (2, D): number of segments that may have a piece on each increment.
        span: Scratch (n+1,): time before each deadline since the one ahead, s.
        until: Scratch (S,): place of the task of each segment of a slot, plus one.
        width: Scratch (S,): width of each of these segments, GFLOP.
        slope: Scratch (S,): slope of each of them.
        head: Scratch (D,): the piece on each increment that is next, by its segment's position.
        best: Scratch (D,): what it earns, accuracy per joule.
    """

    cutoff: Floats
    increment: npt.NDArray[np.int32]
    accepted: Floats
    reach: Ints
    span: Floats
    until: Ints
    width: Floats
    slope: Floats
    head: Ints
    best: Floats

    @classmethod
    def empty(cls, tasks: int, slots: int, segments: int, depth: int) -> Layers:
        """Layers of no curve."""
        return cls(
            cutoff=np.zeros(slots),
            increment=np.zeros((slots, depth * segments), dtype=np.int32),
            accepted=np.zeros((2, depth, segments)),
            reach=np.zeros((2, depth), dtype=np.int64),
            span=np.zeros(tasks + 1),
            until=np.zeros(segments, dtype=np.int64),
            width=np.zeros(segments),
            slope=np.zeros(segments),
            head=np.zeros(depth, dtype=np.int64),
            best=np.zeros(depth),
        )


class Curves(NamedTuple):
    """State of the incremental kernels; m machines, n tasks in EDF order, S segments.

    D is the most increments of a machine, 1 where machines have one clock.

    Attributes:
        machine: Machine of each task (n,), −1 for none.
        slot: Slot of each machine's curve (m,).
        spare: The two slots in which a trial is built, `SOURCE` and `TARGET` (2,).
        tasks: Tasks in each slot (m+2, n), ascending; the first ``load`` count.
        load: Number of tasks (m+2,).
        order: Segments of these tasks (m+2, S), ascending; the first ``length`` count.
        length: Number of segments (m+2,).
        steep: Accuracy per joule of the curve's pieces (m+2, DS), non-increasing.
        energy: Energy up to each piece (m+2, DS+1), J, from 0.
        gain: Accuracy gained up to each piece (m+2, DS+1), from 0.
        pieces: Number of pieces (m+2,).
        exhausted: Slope of the segment that used up the time before each task's deadline, since
            the deadline ahead of it (m+2, Dn); 0 where time is left, infinite where there is none.
            On a machine with several increments, n entries for each number of them, and no entry
            is above the one ahead of it.
        taken: Number of pieces bought on each machine (m,).
        trial_taken: The same in a trial (m,).
        total: Accuracy gained over no work at all, `CURRENT` and in a `TRIAL` (2,).
        price: λ, the accuracy per joule at the cut, 0 when the budget does not bind; likewise (2,).
        place: Scratch (n,): position of a task in its slot, plus one.
        free: Scratch (n+1,), GFLOP.
        parent: Scratch (n+1,), the union-find forest.
        layers: What it takes where machines have several increments, else None; see `Packed`.
    """

    machine: Ints
    slot: Ints
    spare: Ints
    tasks: npt.NDArray[np.int32]
    load: Ints
    order: npt.NDArray[np.int32]
    length: Ints
    steep: Floats
    energy: Floats
    gain: Floats
    pieces: Ints
    exhausted: Floats
    taken: Ints
    trial_taken: Ints
    total: Floats
    price: Floats
    place: Ints
    free: Floats
    parent: Ints
    layers: Layers = cast("Layers", None)

    @classmethod
    def of(cls, packed: Packed) -> Curves:
        """The state of a problem in which no task has a machine."""
        sizes = packed.deadline.size, packed.speed.size, packed.task.size
        return cls.empty(*sizes, depth=1 if packed.several is None else packed.levels.depth)

    @classmethod
    def empty(cls, tasks: int, machines: int, segments: int, *, depth: int = 1) -> Curves:
        """The state in which no task has a machine, for machines of so many increments."""
        slots = machines + 2
        pieces = depth * segments
        return cls(
            machine=np.full(tasks, -1, dtype=np.int64),
            slot=np.arange(machines),
            spare=np.array([machines, machines + 1]),
            tasks=np.zeros((slots, tasks), dtype=np.int32),
            load=np.zeros(slots, dtype=np.int64),
            order=np.zeros((slots, segments), dtype=np.int32),
            length=np.zeros(slots, dtype=np.int64),
            steep=np.zeros((slots, pieces)),
            energy=np.zeros((slots, pieces + 1)),
            gain=np.zeros((slots, pieces + 1)),
            pieces=np.zeros(slots, dtype=np.int64),
            exhausted=np.zeros((slots, depth * tasks)),
            taken=np.zeros(machines, dtype=np.int64),
            trial_taken=np.zeros(machines, dtype=np.int64),
            total=np.zeros(2),
            price=np.zeros(2),
            place=np.zeros(tasks, dtype=np.int64),
            free=np.zeros(tasks + 1),
            parent=np.zeros(tasks + 1, dtype=np.int64),
            layers=Layers.empty(tasks, slots, segments, depth)
            if depth > 1
            else cast("Layers", None),
        )


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
    _swap_slots(curves, source, machine)
    total = cut_curves(packed, curves)
    _swap_slots(curves, source, machine)
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
    _swap_slots(curves, source, machine)
    total = cut_curves(packed, curves)
    _swap_slots(curves, source, machine)
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
        change = _net_change(curves, machine, curves.spare[TARGET])
        if source >= 0:
            if curves.total[CURRENT] + change + source_change < least:
                return False
            _change_machine(packed, curves, source, curves.spare[SOURCE], task, other)
            change += _net_change(curves, source, curves.spare[SOURCE])
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
    _merge_segments(packed, curves, source, slot, leaving, coming)
    _accept_on_levels(packed, curves, r, slot, side, CUTOFF * price)
    before: float = curves.gain[source, taken] - price * curves.energy[source, taken]
    return _earned(packed, curves, r, side, price) - before


@helper
def _list_trial(packed: Packed, curves: Curves, r: int, side: int) -> None:
    """Lists the pieces of machine r in a trial."""
    slot = curves.spare[side]
    _list_pieces(packed, curves, r, slot, side)
    curves.trial_taken[r] = _pieces_worth(curves, slot, curves.price[CURRENT])


@helper
def _net_change(curves: Curves, r: int, slot: int) -> float:
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
    _swap_slots(curves, source, machine)
    for index in range(curves.taken.size):
        curves.taken[index] = curves.trial_taken[index]
    curves.total[CURRENT] = curves.total[TRIAL]
    curves.price[CURRENT] = curves.price[TRIAL]
    curves.machine[task] = machine
    if other >= 0 and source != machine:
        curves.machine[other] = source


@helper
def _swap_slots(curves: Curves, source: int, machine: int) -> None:
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
    _merge_segments(packed, curves, source, target, leaving, coming)
    build_curve(packed, curves, r, target, CUTOFF * curves.price[CURRENT])
    curves.trial_taken[r] = _pieces_worth(curves, target, curves.price[CURRENT])


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
def _merge_segments(
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
        _accept_on_levels(packed, curves, r, slot, TARGET, cutoff)
        _list_pieces(packed, curves, r, slot, TARGET)


@helper
def _accept_on_levels(
    packed: Packed,
    curves: Curves,
    r: int,
    slot: int,
    side: int,
    cutoff: float,
) -> None:
    """Runs the deadline greedy with the first k increments of machine r, for every k.

    Each run stops at the slope whose work is not worth the energy of increment k any more: what is
    found before is the same, to the last bit, whatever the cutoff.

    Args:
        packed: The prepared problem.
        curves: The state.
        r: The machine.
        slot: The slot that holds its tasks and segments.
        side: Where in ``accepted``, `SOURCE` or `TARGET`.
        cutoff: Accuracy per joule down to which pieces are wanted.
    """
    curves.layers.cutoff[slot] = cutoff
    since = 0.0
    for position in range(curves.load[slot]):
        task = curves.tasks[slot, position]
        curves.place[task] = position + 1
        curves.layers.span[position + 1] = packed.deadline[task] - since
        since = packed.deadline[task]
    reach, first, whole = curves.length[slot], packed.levels.first[r], False
    for position in range(reach):
        segment = curves.order[slot, position]
        curves.layers.until[position] = curves.place[packed.task[segment]]
        curves.layers.width[position] = packed.width[segment]
        curves.layers.slope[position] = packed.slope[segment]
    for k in range(packed.levels.first[r + 1] - first):
        least = cutoff / packed.levels.efficiency[first + k]
        while reach > 0 and curves.layers.slope[reach - 1] < least:
            reach -= 1
        curves.layers.reach[side, k] = 0 if whole else reach
        _begin_layer(curves, slot, packed.levels.speed[first + k], k)
        # Where all get all that they want, they get no more with more speed.
        whole = whole or _accept(curves, slot, side, k)


@helper
def _begin_layer(curves: Curves, slot: int, speed: float, k: int) -> None:
    """Frees the time before each deadline, at the speed of layer k."""
    offset = k * curves.machine.size - 1
    curves.parent[0] = 0
    for at in range(1, curves.load[slot] + 1):
        curves.free[at] = speed * curves.layers.span[at]
        some = curves.free[at] > 0.0
        curves.parent[at] = at if some else at - 1
        curves.exhausted[slot, offset + at] = 0.0 if some else np.inf


@helper
def _accept(curves: Curves, slot: int, side: int, k: int) -> bool:
    """Fills the time with the segments in reach, steepest first, as if energy were free.

    Returns:
        Whether each of them got all that it wants.
    """
    load, reach, whole = curves.load[slot], curves.layers.reach[side, k], True
    offset = k * curves.machine.size - 1
    position = 0
    while position < reach:
        wanted = curves.layers.width[position]
        worked = 0.0
        at = find_free(curves.parent, curves.layers.until[position])
        while at > 0:
            if curves.free[at] > wanted:
                curves.free[at] -= wanted
                worked = curves.layers.width[position]
                break
            worked += curves.free[at]
            wanted -= curves.free[at]
            curves.parent[at] = at - 1
            curves.exhausted[slot, offset + at] = curves.layers.slope[position]
            at = find_free(curves.parent, at - 1)
        whole = whole and worked == curves.layers.width[position]
        if worked == 0.0 and find_free(curves.parent, load) == 0:
            break
        curves.layers.accepted[side, k, position] = worked
        position += 1
    for rest in range(position, reach):
        curves.layers.accepted[side, k, rest] = 0.0
    return whole


@helper
def _earned(
    packed: Packed,
    curves: Curves,
    r: int,
    side: int,
    price: float,
) -> float:
    """What machine r earns net of energy at a price, at least the cutoff, by what it last accepted.

    What a segment gets with k increments but not with fewer earns its slope less λ/E_k; with one
    more they get the more, on which energy costs λ/E_{k+1}: so each amount counts once.
    """
    first, depth = packed.levels.first[r], packed.levels.first[r + 1] - packed.levels.first[r]
    total = 0.0
    for k in range(depth):
        cost = price / packed.levels.efficiency[first + k]
        further = np.inf
        if k + 1 < depth and curves.layers.reach[side, k + 1] > 0:
            further = price / packed.levels.efficiency[first + k + 1]
        for position in range(curves.layers.reach[side, k]):
            slope = curves.layers.slope[position]
            if slope <= cost:
                break
            total += curves.layers.accepted[side, k, position] * (min(slope, further) - cost)
    return total


@helper
def _list_pieces(
    packed: Packed,
    curves: Curves,
    r: int,
    slot: int,
    side: int,
) -> None:
    """Lists the pieces of all increments by accuracy per joule, of equal ones the cheaper first.

    What a segment gets with k increments less what it gets with k − 1 is its piece on increment k.
    """
    first, depth = packed.levels.first[r], packed.levels.first[r + 1] - packed.levels.first[r]
    for k in range(depth):
        curves.layers.head[k] = -1
        _next_piece(packed, curves, r, slot, side, k)
        lowest = np.inf
        offset = k * curves.machine.size
        for position in range(curves.load[slot]):
            lowest = min(lowest, curves.exhausted[slot, offset + position])
            curves.exhausted[slot, offset + position] = lowest
    pieces, energy, gain = 0, 0.0, 0.0
    while True:
        best, most = -1, 0.0
        for k in range(depth):
            if curves.layers.best[k] > most:
                best, most = k, curves.layers.best[k]
        if best < 0:
            break
        position = curves.layers.head[best]
        worked = _piece(curves, side, best, position)
        energy += worked / packed.levels.efficiency[first + best]
        gain += worked * packed.slope[curves.order[slot, position]]
        curves.steep[slot, pieces] = most
        curves.layers.increment[slot, pieces] = best
        pieces += 1
        curves.energy[slot, pieces] = energy
        curves.gain[slot, pieces] = gain
        _next_piece(packed, curves, r, slot, side, best)
    curves.energy[slot, 0] = 0.0
    curves.gain[slot, 0] = 0.0
    curves.pieces[slot] = pieces


@helper
def _next_piece(
    packed: Packed,
    curves: Curves,
    r: int,
    slot: int,
    side: int,
    k: int,
) -> None:
    """Goes to the next piece on an increment and notes what it earns, 0 when there is none."""
    position, reach = curves.layers.head[k] + 1, curves.layers.reach[side, k]
    while position < reach and _piece(curves, side, k, position) <= 0.0:
        position += 1
    curves.layers.head[k] = position
    curves.layers.best[k] = 0.0
    if position < reach:
        slope = packed.slope[curves.order[slot, position]]
        curves.layers.best[k] = slope * packed.levels.efficiency[packed.levels.first[r] + k]


@helper
def _piece(curves: Curves, side: int, k: int, position: int) -> float:
    """Work of a segment on increment k, GFLOP; rounding may take it below 0."""
    more: float = curves.layers.accepted[side, k, position]
    return more - curves.layers.accepted[side, k - 1, position] if k > 0 else more


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
def _pieces_worth(curves: Curves, slot: int, price: float) -> int:
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
