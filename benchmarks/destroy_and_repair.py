"""Destroy and repair at equal time: is there anything to gain by learning which tasks to free?

A round takes a few tasks off their machines and puts them back one by one, each where the exact
optimum gains most; what is worse by more than the temperature allows is undone (Schrimpf et al.,
"Record breaking optimization results using the ruin and recreate principle", 2000). The tasks are
any, or one and those most like it in work and deadline. A learned chooser could be no better than a
perfect one: of several sets of tasks it plays each, and is charged the time of one.

The rival is the walk of `annealing` from the same start, for the same CPU seconds.

    python -m benchmarks.destroy_and_repair
"""

from __future__ import annotations

import time
from typing import Final, NamedTuple

import numpy as np

from benchmarks.frontier.by_hand import list_by_hand
from benchmarks.frontier.measuring import BY_HAND, Start, walk
from dsct_gym import Instance
from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.annealing import Annealing
from dsct_gym.baselines.local_search import Search, descended
from dsct_gym.generator import Scenario
from dsct_gym.incremental import CURRENT
from dsct_gym.jit import helper, kernel
from dsct_gym.list_schedule import assign
from dsct_gym.plan import Plan, begin_at, change, gain_above
from dsct_gym.random import States, draw_states, draw_xorshift, spawn
from dsct_gym.relaxation import Relaxation, relax

STREAM: Final = 0xD357
SIZES: Final = ((50, 5, 16, 0.02), (200, 5, 16, 0.07), (1_000, 20, 4, 0.4))
"""Tasks, machines, instances and CPU seconds: those of ten passes of the policy."""
FREED: Final = (2, 3, 5)
CHOICES: Final = 8
"""Sets of tasks among which the perfect chooser chooses."""
TEMPERATURES: Final = (0.05, 0.005)
"""First and last, in units of a typical loss."""
PARTS: Final = 25


class Way(NamedTuple):
    """How the tasks of a round are chosen.

    Attributes:
        label: In the table.
        alike: Whether they are alike, or any.
        choices: Sets of which the best is taken, at the price of one.
    """

    label: str
    alike: bool
    choices: int


WAYS: Final = (
    Way("any tasks", False, 1),
    Way("tasks alike", True, 1),
    Way(f"perfect choice of {CHOICES} sets", True, CHOICES),
)


class Room(NamedTuple):
    """What a round works in.

    Attributes:
        freed: Tasks taken off, by EDF rank (k,).
        before: Their machines (k,).
        after: Where the best set of this round went (k,).
        chosen: The best set of this round (k,).
        random: State of the random numbers (2,).
        best: Accuracy gained by the best assignment so far (1,).
    """

    freed: Ints
    before: Ints
    after: Ints
    chosen: Ints
    random: States
    best: Floats

    @classmethod
    def empty(cls, freed: int, gain: float) -> Room:
        """Room for rounds that free so many tasks, from an assignment that gains so much."""
        return cls(
            freed=np.full(freed, -1),
            before=np.full(freed, -1),
            after=np.full(freed, -1),
            chosen=np.full(freed, -1),
            random=draw_states(0, 2),
            best=np.array([gain]),
        )


@kernel
def play_rounds(
    plan: Plan, room: Room, alike: Ints, choices: int, temperature: float, rounds: int
) -> None:
    """Plays rounds; ``alike`` are tasks like each (n, k), with k = 0 any."""
    for _ in range(rounds):
        held = plan.curves.total[CURRENT]
        most = -np.inf
        for _ in range(choices):
            _free(plan, room, alike)
            _put_back(plan, room)
            total = plan.curves.total[CURRENT]
            if total > most:
                most = total
                for index in range(room.freed.size):
                    room.chosen[index] = room.freed[index]
                    room.after[index] = plan.curves.machine[room.freed[index]]
            if choices > 1 or total < held + temperature * np.log(draw_xorshift(room.random)):
                _put_at(plan, room.freed, room.before)
        if choices > 1 and most >= held + temperature * np.log(draw_xorshift(room.random)):
            _put_at(plan, room.chosen, room.after)
        room.best[0] = max(room.best[0], plan.curves.total[CURRENT])


@helper
def _free(plan: Plan, room: Room, alike: Ints) -> None:
    """Takes some tasks off their machines."""
    n = plan.curves.machine.size
    first = int(draw_xorshift(room.random) * n)
    count = 0
    while count < room.freed.size:
        task = first
        if count > 0 and alike.shape[1] > 0:
            task = alike[first, int(draw_xorshift(room.random) * alike.shape[1])]
        elif count > 0:
            task = int(draw_xorshift(room.random) * n)
        known = False
        for index in range(count):
            known = known or room.freed[index] == task
        if not known:
            room.freed[count] = task
            room.before[count] = plan.curves.machine[task]
            count += 1
    for index in range(count):
        _move(plan, room.freed[index], -1)


@helper
def _put_back(plan: Plan, room: Room) -> None:
    """Puts each where it gains most, in the random order in which they were drawn."""
    for index in range(room.freed.size):
        task, machine, most = room.freed[index], room.before[index], -np.inf
        for r in range(plan.curves.slot.size):
            gain = gain_above(plan.packed, plan.curves, plan.prices, task, r, -1, most)
            if gain > most:
                machine, most = r, gain
        _move(plan, task, machine)


@helper
def _put_at(plan: Plan, tasks: Ints, machines: Ints) -> None:
    """Puts tasks on given machines."""
    for index in range(tasks.size):
        _move(plan, tasks[index], machines[index])


@helper
def _move(plan: Plan, task: int, machine: int) -> None:
    if plan.curves.machine[task] != machine:
        change(plan, task, machine, -1)


def play(
    instance: Instance, relaxation: Relaxation, start: Start, way: Way, freed: int, seconds: float
) -> float:
    """Total accuracy after so many CPU seconds, those of the start included."""
    began = time.thread_time() - start.seconds
    nobody = np.empty((instance.num_tasks, 0), np.int64)
    lists = list_by_hand(instance, relaxation) if way.alike else None
    plan = Plan.of(instance, relaxation)
    begin_at(plan, start.machine_of[instance.edf_order])
    search = Search(instance, start.machine_of, 0)
    loss = search.typical_loss()
    room = Room.empty(freed, plan.gain)
    alike = nobody if lists is None else lists
    play_rounds(plan, room, alike, way.choices, loss, 1)
    here, rounds = time.thread_time(), 0
    charged = way.choices * max(1e-9, began + seconds - here)
    while (progress := (time.thread_time() - here) / charged) < 1.0 - 0.5 / PARTS:
        pace = rounds / max(1e-9, time.thread_time() - here)
        count = max(1, int(pace * charged / PARTS))
        hot, cold = TEMPERATURES
        temperature = hot * (cold / hot) ** progress * loss
        play_rounds(plan, room, alike, way.choices, temperature, count)
        rounds += count
    return float(instance.base_accuracy.sum() + room.best[0])


def closed(n: int, m: int, index: int, seconds: float) -> dict[str, float]:
    """Share of the gap that each way closes on one instance, %."""
    scenario = Scenario(n=n, m=m, mu=(1.0, 20.0), rho=(0.2, 1.0), beta=(0.1, 1.0))
    instance = scenario.sample(spawn(STREAM, n, m, index))
    began = time.thread_time()
    relaxation = relax(instance)
    machine_of = descended(instance, relaxation).machine_of
    start = Start(machine_of, time.thread_time() - began)
    first = Search(instance, assign(instance, relaxation), 0).best_total
    totals = {
        "the walk of annealing": walk(
            instance, relaxation, start, BY_HAND, np.empty(0), 0, seconds
        )[0]
    }
    for way in WAYS:
        for freed in FREED:
            label = f"{way.label}, {freed} freed"
            totals[label] = play(instance, relaxation, start, way, freed, seconds)
    long = Annealing(2_000 * n if n < 1_000 else 400 * n).solve(instance, seed=9)
    best = max(long.schedule.total_accuracy, *totals.values())
    return {way: 100.0 * (total - first) / (best - first) for way, total in totals.items()}


def main() -> None:
    """Prints a table."""
    columns = []
    for n, m, count, seconds in SIZES:
        closed(n, m, count, seconds)  # compiles
        rows = [closed(n, m, index, seconds) for index in range(count)]
        columns.append({way: float(np.mean([row[way] for row in rows])) for way in rows[0]})
        print(f"{n:,} × {m}: {count} instances, {seconds:g} CPU s each", flush=True)
    for way in columns[0]:
        print(f"| {way} | " + " | ".join(f"{column[way]:.1f}" for column in columns) + " |")


if __name__ == "__main__":
    main()
