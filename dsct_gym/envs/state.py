"""State of a batch of episodes, and what a step answers besides the observation.

Kernels step the environments ``first`` to ``last`` of a batch, so threads can share a batch;
environments never touch each other's rows. The parts of a kernel (decide, carry out, observe, mask)
each loop over a block of environments: passing all these arrays to a function costs more than what
it does for one environment, and a block stays in the cache.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.envs.bank import Bank
from dsct_gym.envs.observation import Layout
from dsct_gym.jit import helper

BLOCK: Final = 16
"""Environments that a kernel takes through its parts at once."""


class Play(NamedTuple):
    """State of N episodes.

    Attributes:
        row: Row of the instance in the bank (N,).
        position: Decisions so far (N,), of ``passes`` · n in all; EDF rank of the task at hand
            where tasks are decided once, in that order.
        fresh: Whether the next step only shows the reset state (N,).
        choice: Machine chosen for the task at hand (N,), −1 for none.
        amount: Work chosen for the task at hand (N,), GFLOP.
        time: Time used on each machine (N, m), s.
        energy: Energy spent on each machine (N, m), J.
        done: Work done on each machine (N, m), GFLOP; known where machines have several clocks.
        room: Largest work on the task at hand that fits each machine (N, m), GFLOP.
        spent: Energy spent (N,), J.
        gained: Accuracy gained, the sum of the rewards (N,).
        machine: Machine of each task by EDF rank (N, n), −1 for none.
        work: Work of each task by EDF rank (N, n), GFLOP; unused where works are allocated anew.
        passes: How often each task is decided.
    """

    row: Ints
    position: Ints
    fresh: Bools
    choice: Ints
    amount: Floats
    time: Floats
    energy: Floats
    done: Floats
    room: Floats
    spent: Floats
    gained: Floats
    machine: Ints
    work: Floats
    passes: int

    @classmethod
    def empty(cls, count: int, layout: Layout, passes: int) -> Play:
        """N episodes that have not begun, in which each task is decided so often."""
        n, m = layout.max_tasks, layout.max_machines
        return cls(
            row=np.zeros(count, dtype=np.int64),
            position=np.zeros(count, dtype=np.int64),
            fresh=np.zeros(count, dtype=np.bool_),
            choice=np.full(count, -1, dtype=np.int64),
            amount=np.zeros(count),
            time=np.zeros((count, m)),
            energy=np.zeros((count, m)),
            done=np.zeros((count, m)),
            room=np.zeros((count, m)),
            spent=np.zeros(count),
            gained=np.zeros(count),
            machine=np.full((count, n), -1, dtype=np.int64),
            work=np.zeros((count, n)),
            passes=passes,
        )


class Feedback(NamedTuple):
    """What a step answers besides the observation, one row an environment.

    Attributes:
        mask: Whether each action is allowed now (N, actions).
        reward: (N,).
        terminated: Whether the episode is over (N,).
        truncated: Whether it was cut short (N,).
        invalid: Whether the action was forbidden, and played as skip (N,).
    """

    mask: npt.NDArray[np.int8]
    reward: Floats
    terminated: Bools
    truncated: Bools
    invalid: Bools

    @classmethod
    def empty(cls, count: int, actions: int) -> Feedback:
        """Arrays for N environments with so many actions, of which only the last is allowed."""
        mask = np.zeros((count, actions), dtype=np.int8)
        mask[:, -1] = 1
        return cls(
            mask=mask,
            reward=np.zeros(count),
            terminated=np.zeros(count, dtype=np.bool_),
            truncated=np.zeros(count, dtype=np.bool_),
            invalid=np.zeros(count, dtype=np.bool_),
        )


@helper
def begin_play(play: Play, feedback: Feedback, envs: Ints, rows: Ints) -> None:
    """Puts environments at the start of the instances in ``rows``."""
    for index in range(envs.size):
        env = envs[index]
        play.row[env] = rows[index]
        play.position[env] = 0
        play.fresh[env] = False
        play.time[env] = 0.0
        play.energy[env] = 0.0
        play.done[env] = 0.0
        play.spent[env] = 0.0
        play.gained[env] = 0.0
        play.machine[env] = -1
        play.work[env] = 0.0
        feedback.reward[env] = 0.0
        feedback.terminated[env] = False
        feedback.invalid[env] = False


@helper
def advance(bank: Bank, play: Play, feedback: Feedback, first: int, last: int) -> None:
    """Goes on to the next task; a fresh environment stays where its reset has put it."""
    for env in range(first, last):
        if play.fresh[env]:
            play.fresh[env] = False
            feedback.invalid[env] = False
            feedback.terminated[env] = False
            continue
        play.position[env] += 1
        decisions = play.passes * bank.tasks[play.row[env]]
        feedback.terminated[env] = play.position[env] == decisions
