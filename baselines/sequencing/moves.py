"""Changes of sequences: what each would gain, and how it is made.

Everything is worth what it was but the tasks that a change names and those behind them on the same
machines, whose ends all shift by the same time: a change costs one penalty for each of these.
"""

from __future__ import annotations

from dsct_gym.baselines.sequencing.state import Data, Sequences, pays, settle, shifted, worth_of
from dsct_gym.jit import helper


@helper
def try_shift(
    data: Data, lines: Sequences, task: int, r: int, place: int, work: float
) -> tuple[float, float]:
    """The gain and the energy of a task going to a place of a machine, with some work.

    Args:
        data: The problem.
        lines: The state.
        task: The task, wherever it is.
        r: Machine to go to, −1 for none: the task is refused.
        place: Place there among the others.
        work: Its work then; what counts where it is refused is nothing.
    """
    source, at = lines.machine[task], lines.place[task]
    gain = lines.paid[task] - lines.worth[task]
    energy = 0.0
    if source >= 0:
        energy -= lines.work[task] / data.efficiency[source]
    if source >= 0 and source != r:
        gain -= shifted(data, lines, source, at + 1, lines.length[source], -lines.duration[task])
    if r < 0:
        return gain + data.refused[task], energy
    duration = work / data.speed[r]
    energy += work / data.efficiency[r]
    gain += worth_of(data, task, r, work)
    if r != source:
        begin = lines.end[lines.order[r, place - 1]] if place > 0 else 0.0
        gain -= pays(data, task, begin + duration)
        gain -= shifted(data, lines, r, place, lines.length[r], duration)
        return gain, energy
    more = duration - lines.duration[task]
    if place > at:
        gain -= shifted(data, lines, r, at + 1, place + 1, -lines.duration[task])
        gain -= pays(data, task, lines.end[lines.order[r, place]] + more)
        behind = place + 1
    else:
        begin = lines.end[lines.order[r, place - 1]] if place > 0 else 0.0
        gain -= pays(data, task, begin + duration)
        gain -= shifted(data, lines, r, place, at, duration)
        behind = at + 1
    if more != 0.0:
        gain -= shifted(data, lines, r, behind, lines.length[r], more)
    return gain, energy


@helper
def make_shift(
    data: Data, lines: Sequences, task: int, r: int, place: int, work: float, gain: float
) -> None:
    """Makes the change that `try_shift` weighs."""
    source, at = lines.machine[task], lines.place[task]
    if source >= 0:
        lines.energy[0] -= lines.work[task] / data.efficiency[source]
        _close(lines, source, at)
    lines.machine[task] = r
    if r >= 0:
        lines.work[task] = work
        lines.duration[task] = work / data.speed[r]
        lines.worth[task] = worth_of(data, task, r, work)
        lines.energy[0] += work / data.efficiency[r]
        _open(lines, r, place, task)
        settle(data, lines, r, min(place, at) if r == source else place)
    else:
        lines.duration[task] = 0.0
        lines.end[task] = 0.0
        lines.paid[task] = 0.0
        lines.worth[task] = data.refused[task]
    if source >= 0 and source != r:
        settle(data, lines, source, at)
    lines.total[0] += gain


@helper
def try_swap(data: Data, lines: Sequences, one: int, other: int) -> tuple[float, float]:
    """The gain and the energy of two tasks that both have machines changing places."""
    r, s = lines.machine[one], lines.machine[other]
    if r == s:
        return _try_swap_here(data, lines, one, other), 0.0
    gain = lines.paid[one] + lines.paid[other] - lines.worth[one] - lines.worth[other]
    gain += worth_of(data, one, s, lines.work[one]) + worth_of(data, other, r, lines.work[other])
    energy = (lines.work[other] - lines.work[one]) / data.efficiency[r]
    energy += (lines.work[one] - lines.work[other]) / data.efficiency[s]
    more = lines.work[other] / data.speed[r] - lines.duration[one]
    gain -= pays(data, other, lines.end[one] + more)
    gain -= shifted(data, lines, r, lines.place[one] + 1, lines.length[r], more)
    more = lines.work[one] / data.speed[s] - lines.duration[other]
    gain -= pays(data, one, lines.end[other] + more)
    gain -= shifted(data, lines, s, lines.place[other] + 1, lines.length[s], more)
    return gain, energy


@helper
def _try_swap_here(data: Data, lines: Sequences, one: int, other: int) -> float:
    """The same on one machine."""
    r = lines.machine[one]
    if lines.place[one] > lines.place[other]:
        one, other = other, one
    more = lines.duration[other] - lines.duration[one]
    gain = lines.paid[one] + lines.paid[other]
    gain -= pays(data, other, lines.end[one] + more)
    gain -= pays(data, one, lines.end[other])
    gain -= shifted(data, lines, r, lines.place[one] + 1, lines.place[other], more)
    gained: float = gain
    return gained


@helper
def make_swap(data: Data, lines: Sequences, one: int, other: int, gain: float) -> None:
    """Makes the change that `try_swap` weighs."""
    r, s = lines.machine[one], lines.machine[other]
    at, there = lines.place[one], lines.place[other]
    lines.order[r, at], lines.order[s, there] = other, one
    if r != s:
        for task, machine in ((one, s), (other, r)):
            lines.energy[0] -= lines.work[task] / data.efficiency[lines.machine[task]]
            lines.energy[0] += lines.work[task] / data.efficiency[machine]
            lines.machine[task] = machine
            lines.duration[task] = lines.work[task] / data.speed[machine]
            lines.worth[task] = worth_of(data, task, machine, lines.work[task])
        settle(data, lines, r, at)
        settle(data, lines, s, there)
    else:
        settle(data, lines, r, min(at, there))
    lines.total[0] += gain


@helper
def _close(lines: Sequences, r: int, place: int) -> None:
    """Takes out what is at a place."""
    lines.length[r] -= 1
    for index in range(place, lines.length[r]):
        lines.order[r, index] = lines.order[r, index + 1]


@helper
def _open(lines: Sequences, r: int, place: int, task: int) -> None:
    """Puts a task in a place, and what was there and behind one further."""
    for index in range(lines.length[r], place, -1):
        lines.order[r, index] = lines.order[r, index - 1]
    lines.order[r, place] = task
    lines.length[r] += 1
