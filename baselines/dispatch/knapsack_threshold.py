"""`knapsack-threshold`: energy costs more the more of it is spent."""

from __future__ import annotations

import math
from enum import IntEnum

from dsct_gym.arrays import Floats
from dsct_gym.jit import helper
from dsct_gym.online.known import NOTHING, Choice, Known, room
from dsct_gym.online.policy import CompiledPolicy, at_arrival
from dsct_gym.solver import practises


class _Seen(IntEnum):
    """Places of the least and the most accuracy per joule that was seen; 0 before the first."""

    LEAST = 0
    MOST = 1


@helper
def _decide(known: Known, memory: Floats, parameters: Floats) -> Choice:
    """The machine and the level of most value beyond the threshold's price of their energy."""
    task = known.waiting[0]
    _look_at(known, task, memory)
    least, most = memory[_Seen.LEAST], memory[_Seen.MOST]
    if least <= 0.0 or known.budget <= 0.0:
        return NOTHING
    price = least / math.e * (most / least * math.e) ** (known.spent / known.budget)
    best, choice = 0.0, NOTHING
    for machine in range(known.speed.size):
        limit = room(known, task, machine)
        for level in range(known.level.shape[1]):
            work = known.level[task, level]
            value = known.gain[task, level] - price * work / known.efficiency[machine]
            if 0.0 < work <= limit and value > best:
                best, choice = value, Choice(task=task, machine=machine, work=work)
    return choice


@helper
def _look_at(known: Known, task: int, memory: Floats) -> None:
    """Widens the range of accuracy per joule by what the levels of a task gain."""
    for level in range(known.level.shape[1]):
        if known.level[task, level] <= 0.0:
            continue
        density = known.gain[task, level] / known.level[task, level]
        for efficiency in known.efficiency:
            joule = density * efficiency
            if memory[_Seen.LEAST] == 0.0 or joule < memory[_Seen.LEAST]:
                memory[_Seen.LEAST] = joule
            memory[_Seen.MOST] = max(memory[_Seen.MOST], joule)


@practises()
class KnapsackThreshold(CompiledPolicy):
    """Energy at a price that rises with the share z of it that is spent.

    The price is ``Ψ(z) = (L / e) (U e / L)^z``, in accuracy per joule, L and U being the least and
    the most that a level of a task seen so far gains per joule on any machine. A task that arrives
    is given the machine and the compression level of most gain beyond this price, if there is any
    above 0. It knows no queues: only what the machines can do by the deadline. Where L and U are
    known ahead and items are small, one-dimensional and always fit, no rule does better against
    the worst order of arrivals than its ``1 / (1 + ln(U / L))`` of the optimum.

    Source: Zhou, Chakrabarty and Lukose, "Budget constrained bidding in keyword auctions and online
    knapsack problems", WINE 2008; several choices an item as in the multiple-choice form there.
    """

    name = "knapsack-threshold"
    play = at_arrival(_decide)

    def memory(self, machines: int) -> int:
        """The range of accuracy per joule."""
        return len(_Seen)
