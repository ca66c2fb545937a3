"""What the policy sees, worked out anew from the definitions: allocations from scratch, no kernels.

Everything is told by two numbers that `dsct_gym.allocate` gives for any assignment: what it gains,
and what it would gain if the instance were a little different. The price of energy is what a little
more of the budget would bring; the price of work on a machine before a deadline is what the machine
alone, with energy for nothing, would lose to a little urgent work due then.
"""

from typing import NamedTuple

import numpy as np

from cases import changed
from dsct_gym import Instance, allocate
from dsct_gym.arrays import Floats, Ints
from dsct_gym.plan import Context, Machine
from dsct_gym.relaxation import Relaxation, relax

LIMIT = 5.0
EXACT = 24
PARTNERS = 32
REFUSED = -0.005
"""What stands for a change that is no gain, in units of what a task gains on average."""
UNSURE = 1e-13
"""A change as small as this may count as a gain or not: rounding decides."""
_LITTLE = 1e-5


class Changes(NamedTuple):
    """What the decisions on a task would change; NaN where rounding decides.

    Attributes:
        move: By moving the task to each machine (m,).
        swap: By the best swap with a following task there (m,).
        partner: That task (m,), −1 for none.
        exact: Whether ``move`` and ``swap`` are exact (2, m).
    """

    move: Floats
    swap: Floats
    partner: Ints
    exact: Floats


class TruePlan:
    """A complete plan for an instance, as it changes with the decisions.

    Args:
        instance: The problem, in any order.
        start: Machine of each task to begin with (n,), tasks in EDF order.

    Attributes:
        machine: Machine of each task (n,), tasks in EDF order.
        decided: Machine that each decided task was given (n,), −1 for none.
    """

    def __init__(self, instance: Instance, start: Ints) -> None:
        order = np.argsort(instance.deadlines, kind="stable")
        self.instance = Instance(
            speeds=instance.speeds,
            efficiencies=instance.efficiencies,
            deadlines=instance.deadlines[order],
            work=instance.work[order],
            accuracy=instance.accuracy[order],
            energy_budget=instance.energy_budget,
        )
        relaxed = relax(instance)
        self.relaxation = Relaxation(
            bound=relaxed.bound,
            energy_price=relaxed.energy_price,
            marginal_prices=relaxed.marginal_prices[order],
            work=np.maximum(relaxed.work[order], 0.0),
            busy_time=relaxed.busy_time,
            energy=relaxed.energy,
            passes=relaxed.passes,
        )
        self.machine = np.array(start)
        self.decided = np.full(start.size, -1)
        width = np.diff(self.instance.work, axis=1)
        self._little = _LITTLE * float(width[width > 0.0].min())
        self._steepest = float(self.instance.slopes.max())
        mean = gained(self.instance, self.machine) / start.size
        self.unit = mean if mean > 0.0 else 1.0

    def energy_price(self) -> float:
        """λ: accuracy for a little more energy than the budget, per J."""
        budget, best = self.instance.energy_budget, float(self.instance.efficiencies.max())
        extra = 1e-7 * budget if budget > 0.0 else self._little / best
        richer = changed(self.instance, energy_budget=budget + extra)
        price = (gained(richer, self.machine) - gained(self.instance, self.machine)) / extra
        return _unless_rounding(price, self._steepest * best)

    def work_price(self, r: int, deadline: float) -> float:
        """Price of work on machine r due at ``deadline``, per GFLOP: that of its time or energy."""
        free = self.time_price(r, deadline)
        return max(free, self.energy_price() / float(self.instance.efficiencies[r]))

    def time_price(self, r: int, deadline: float) -> float:
        """What a little urgent work would cost machine r, alone and with energy for nothing."""
        there = np.flatnonzero(self.machine == r)
        if there.size == 0:
            return 0.0
        alone = _alone(self.instance, r, there)
        urgent = _with_urgent(alone, deadline, self._little)
        lost = gained(alone, np.zeros(there.size, int)) + 1.0
        lost -= gained(urgent, np.zeros(there.size + 1, int))
        return _unless_rounding(lost / self._little, self._steepest)

    def surplus(self, task: int, price: float) -> float:
        """The most that a task gains beyond the price of its work."""
        work, accuracy = self.instance.work[task], self.instance.accuracy[task]
        return float((accuracy - accuracy[0] - price * work).max())

    def change(self, task: int, machine: int, partner: int = -1) -> float:
        """Exact change of the accuracy by a move or a swap."""
        other = self.changed(task, machine, partner)
        return gained(self.instance, other) - gained(self.instance, self.machine)

    def changed(self, task: int, machine: int, partner: int = -1) -> Ints:
        """The assignment after a move or a swap."""
        other = self.machine.copy()
        other[task] = machine
        if partner >= 0:
            other[partner] = self.machine[task]
        return other

    def changes(self, task: int) -> Changes:
        """Bounds from the prices; exact values for the best bounds that promise a gain."""
        move, waiting = self._bounds(task)
        source, machines = int(self.machine[task]), self.instance.num_machines
        swap, partner = np.full(machines, -np.inf), np.full(machines, -1)
        for other, bound in waiting.items():
            r = self.machine[other]
            if bound > swap[r]:
                swap[r], partner[r] = bound, other
        exact = np.zeros((2, machines))
        exact[:, source] = 1.0
        refused, top = REFUSED * self.unit, 0.0
        open_moves = {r: move[r] for r in range(machines) if r != source}
        for _ in range(EXACT):
            promised = max([0.0, *open_moves.values()])
            other = max(waiting, key=lambda o: waiting[o], default=-1)
            if other >= 0 and waiting[other] > max(promised, top):
                r = int(self.machine[other])
                del waiting[other]
                true = self.change(task, r, other)
                if true > top:
                    swap[r], partner[r], exact[1, r] = true, other, 1.0
                if abs(true - top) < UNSURE:
                    swap[r] = exact[1, r] = np.nan
            elif promised > 0.0:
                r = max(open_moves, key=lambda r: open_moves[r])
                del open_moves[r]
                true = self.change(task, r)
                move[r], exact[0, r] = (true, 1.0) if true > 0.0 else (refused, 0.0)
                if abs(true) < UNSURE and true != 0.0:
                    move[r] = exact[0, r] = np.nan
            else:
                break
            top = max(top, true)
        return Changes(
            move=np.where(exact[0] == 0.0, np.minimum(move, refused), move),
            swap=np.where(exact[1] == 0.0, np.minimum(swap, refused), swap),
            partner=partner,
            exact=exact,
        )

    def _bounds(self, task: int) -> tuple[Floats, dict[int, float]]:
        """Bounds on the moves to each machine and on the swaps with each following task."""
        n, deadlines, source = self.machine.size, self.instance.deadlines, int(self.machine[task])

        def leaving(other: int, r: int) -> float:
            return -self.surplus(other, self.work_price(r, float(deadlines[other])))

        def coming(other: int, r: int) -> float:
            return self.surplus(other, self.work_price(r, float(deadlines[other])))

        move = np.zeros(self.instance.num_machines)
        for r in range(move.size):
            if r != source:
                move[r] = leaving(task, source) + coming(task, r)
        swaps = {}
        for other in range(task + 1, min(n, task + 1 + PARTNERS)):
            r = int(self.machine[other])
            if r not in (-1, source):
                swaps[other] = move[r] + leaving(other, r) + coming(other, source)
        return move, swaps

    def decide(self, task: int, machine: int, now: Ints) -> None:
        """Notes a decision and the assignment that it led to."""
        self.decided[task] = machine
        self.machine = np.array(now)


def context_columns(plan: TruePlan, task: int) -> dict[Context, float]:
    """Columns of the task at hand."""
    instance, relaxed = plan.instance, plan.relaxation
    n, m, horizon = instance.num_tasks, instance.num_machines, instance.deadlines[-1]
    f, full, mean = relaxed.work, instance.max_work, _mean_work(plan)
    gain = instance.top_accuracy - instance.base_accuracy
    deadline = instance.deadlines[task]
    following = slice(task + 1, task + 1 + m)
    last = task + 1 == n
    after = deadline if last else instance.deadlines[task + 1]
    until = deadline if last else instance.deadlines[following][-1]
    capacity = instance.speeds.sum() * (until - deadline)
    columns = {
        Context.DEADLINE: deadline / horizon,
        Context.TASKS_LEFT: (n - task) / n,
        Context.TASKS: np.log(n) / 3,
        Context.MACHINES: np.log(m),
        Context.RHO: np.log(horizon * instance.speeds.sum() / full.sum()),
        Context.BETA: log_ratio(instance.energy_budget, horizon * instance.powers.sum()),
        Context.FRACTION: f[task] / full[task],
        Context.WORK: log_ratio(f[task], mean),
        Context.PRICE: log_ratio(relaxed.marginal_prices[task] * full[task], gain[task]),
        Context.GAIN: gain[task],
        Context.GAP: (after - deadline) / (horizon / n),
        Context.NEXT: 0.0 if last else f[task + 1] / mean,
        Context.SOON: 0.0 if last else f[following].mean() / mean,
        Context.RUSH: log_ratio(f[following].sum(), capacity),
        Context.ENERGY_PRICE: log_ratio(plan.energy_price(), relaxed.energy_price),
    }
    return {name: float(np.clip(value, -LIMIT, LIMIT)) for name, value in columns.items()}


def machine_columns(plan: TruePlan, task: int, changes: Changes) -> dict[Machine, Floats]:
    """Columns of the machines as they look for a task, each (m,)."""
    instance, relaxed, source = plan.instance, plan.relaxation, plan.machine[task]
    speed, efficiency, machines = (
        instance.speeds,
        instance.efficiencies,
        range(instance.num_machines),
    )
    f, mean, deadline = relaxed.work, _mean_work(plan), float(instance.deadlines[task])
    full, gain = instance.max_work[task], instance.top_accuracy[task] - instance.base_accuracy[task]
    price = np.array([plan.work_price(r, deadline) for r in machines])
    here = np.arange(speed.size) == source
    others = np.arange(f.size) != task
    until = np.array([f[plan.decided == r].sum() for r in machines])
    planned = np.array([f[others & (plan.machine == r)].sum() for r in machines])
    move, swap = (compress(change * 100.0 / plan.unit) for change in (changes.move, changes.swap))
    columns = {
        Machine.HERE: here,
        Machine.CHANGE: np.where(here, 0.0, np.maximum(move, swap)),
        Machine.MOVE: move,
        Machine.SWAP: swap,
        Machine.EXACT: np.where(
            np.isnan(move + swap), np.nan, changes.exact[(swap > move).astype(int), machines]
        ),
        Machine.SURPLUS: np.array([plan.surplus(task, p) for p in price]) / max(gain, 1e-9),
        Machine.SPEED: np.log(speed / speed.mean()),
        Machine.EFFICIENCY: np.log(efficiency / efficiency.mean()),
        Machine.PRICE: log_ratio(price, relaxed.marginal_prices[task]),
        Machine.SCARCITY: log_ratio(price, plan.energy_price() / efficiency),
        Machine.FULL_TIME: np.log(full / speed / deadline),
        Machine.FULL_ENERGY: log_ratio(full / efficiency, instance.energy_budget / f.size),
        Machine.SLACK: compress(
            (np.minimum(deadline, relaxed.busy_time) - until / speed) / (mean / speed)
        ),
        Machine.LEFT: compress((relaxed.busy_time - planned / speed) / (mean / speed)),
        Machine.SIZE: compress((f[task] / speed) / (mean / speed)),
        Machine.BUSY: relaxed.busy_time / instance.deadlines[-1],
    }
    return {name: np.clip(values, -LIMIT, LIMIT) for name, values in columns.items()}


def gained(instance: Instance, machine: Ints) -> float:
    """Accuracy that an assignment gains over no work at all."""
    return float((allocate(instance, machine).accuracy - instance.base_accuracy).sum())


def compress(value: Floats) -> Floats:
    """sign(x) ln(1 + |x|), clipped."""
    return np.clip(np.sign(value) * np.log1p(np.abs(value)), -LIMIT, LIMIT)


def log_ratio(one: Floats | float, other: Floats | float) -> Floats:
    """ln(one / other), 0 where both are 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(np.log(one) - np.log(other), nan=0.0)


def _mean_work(plan: TruePlan) -> float:
    """Mean work in the relaxation; where that does none, the mean of all that could be done."""
    mean = float(plan.relaxation.work.mean())
    return mean if mean > 0.0 else float(plan.instance.max_work.mean())


def _unless_rounding(price: float, largest: float) -> float:
    """A price found by a difference, 0 where only rounding makes one."""
    return price if price > 1e-8 * largest else 0.0


def _alone(instance: Instance, r: int, tasks: Ints) -> Instance:
    """Machine r with its tasks and energy for nothing."""
    return Instance(
        speeds=instance.speeds[[r]],
        efficiencies=[1.0],
        deadlines=instance.deadlines[tasks],
        work=instance.work[tasks],
        accuracy=instance.accuracy[tasks],
        energy_budget=2.0 * float(instance.max_work.sum()),
    )


def _with_urgent(instance: Instance, deadline: float, amount: float) -> Instance:
    """One more task, of ``amount`` GFLOP, that is steeper than all others and gains 1."""
    work, accuracy = (
        np.full((1, instance.work.shape[1]), amount),
        np.ones((1, instance.work.shape[1])),
    )
    work[0, 0] = accuracy[0, 0] = 0.0
    return changed(
        instance,
        deadlines=np.append(instance.deadlines, deadline),
        work=np.concatenate([instance.work, work]),
        accuracy=np.concatenate([instance.accuracy, accuracy]),
    )
