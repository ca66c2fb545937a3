"""Machines whose works are chosen: the room they have, and what a decision uses up.

In EDF order nothing has to be planned on a machine: its next task starts when the one ahead ends.
So the state of a machine is the time and the energy that it has used.
"""

from __future__ import annotations

from dsct_gym.envs.bank import Bank
from dsct_gym.envs.state import Feedback, Play
from dsct_gym.jit import helper
from dsct_gym.levels import accuracy_for
from dsct_gym.tolerances import ROUNDING


@helper
def find_room(bank: Bank, play: Play, first: int, last: int) -> None:
    """Finds the largest work on the task at hand that ends by its deadline; none at the end."""
    for env in range(first, last):
        row, j = play.row[env], play.position[env]
        if j == bank.tasks[row]:
            for r in range(bank.machines[row]):
                play.room[env, r] = 0.0
            continue
        deadline = bank.deadline[row, j] * (1.0 + ROUNDING)
        for r in range(bank.machines[row]):
            play.room[env, r] = _room(bank, play, bank.several, env, r, deadline)


@helper
def _room(bank: Bank, play: Play, several: bool | None, env: int, r: int, deadline: float) -> float:
    """Work that machine r can do by a deadline; with several clocks, all at the fastest."""
    speed: float = bank.speed[play.row[env], r]
    room: float = (deadline - play.time[env, r]) * speed
    if several is not None:
        room = deadline * speed - play.done[env, r]
    return max(0.0, room)


@helper
def limit_to_energy(bank: Bank, play: Play, first: int, last: int) -> None:
    """Cuts the room of each machine to what the energy left allows."""
    for env in range(first, last):
        row = play.row[env]
        left = max(0.0, bank.budget[row, 0] * (1.0 + ROUNDING) - play.spent[env])
        for r in range(bank.machines[row]):
            play.room[env, r] = min(play.room[env, r], left * bank.efficiency[row, r])


@helper
def spend(bank: Bank, play: Play, feedback: Feedback, first: int, last: int) -> None:
    """Does the work chosen; the reward is the accuracy gained."""
    for env in range(first, last):
        feedback.reward[env] = 0.0
        r = play.choice[env]
        if r < 0:
            continue
        row, j, work = play.row[env], play.position[env], play.amount[env]
        energy = work / bank.efficiency[row, r]
        play.time[env, r] += work / bank.speed[row, r]
        play.energy[env, r] += energy
        play.spent[env] += energy
        play.machine[env, j] = r
        play.work[env, j] = work
        gain = accuracy_for(bank.reach[row, j], bank.value[row, j], work) - bank.value[row, j, 0]
        play.gained[env] += gain
        feedback.reward[env] = gain
