"""Solvers that behave in ways the command line and the benchmark must cope with."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from dsct_gym import kernel_cache
from dsct_gym.instance import Instance
from dsct_gym.schedule import Schedule
from dsct_gym.solver import Answer, Progress, Solution, Solver
from dsct_gym.toy import toy

STARTED = "STUB_SOLVER_STARTED"
"""Environment variable: the file that a waiting solver makes once it waits."""


def first_task_alone(instance: Instance) -> Schedule:
    """Runs one breakpoint's worth of the last task, as far as deadline and budget allow."""
    work = np.zeros(instance.num_tasks)
    j = int(np.argmax(instance.deadlines))
    within_deadline = instance.speeds[0] * instance.deadlines[j]
    within_budget = instance.efficiencies[0] * instance.energy_budget
    work[j] = min(instance.work[j, 1], within_deadline, within_budget)
    machine = np.where(work > 0.0, 0, -1)
    return Schedule.from_work(instance, machine, work)


class Patient(Solver):
    """Finds a schedule at once and searches on until Ctrl-C."""

    name = "patient"

    def _solve(self, instance: Instance, *, time_limit: float | None, seed: int | None) -> Answer:
        schedule = first_task_alone(instance)
        if self.progress is not None:
            self.progress(Progress(0.0, best=schedule.total_accuracy))
        try:
            _wait(instance)
        except KeyboardInterrupt:
            return Answer(schedule, interrupted=True)
        return Answer(schedule)


class Stubborn(Solver):
    """Knows nothing of Ctrl-C."""

    name = "stubborn"

    def _solve(self, instance: Instance, *, time_limit: float | None, seed: int | None) -> Answer:
        _wait(instance)
        return Answer(first_task_alone(instance))


class Drowsy(Solver):
    """Never comes back, not even from the toy that it is to warm up with."""

    name = "drowsy"

    def _solve(self, instance: Instance, *, time_limit: float | None, seed: int | None) -> Answer:
        time.sleep(60.0)
        return Answer(first_task_alone(instance))


class Tailor(Solver):
    """Takes its time to warm up, but says so."""

    name = "tailor"

    def warm_up(self) -> None:
        _sew()

    def _solve(self, instance: Instance, *, time_limit: float | None, seed: int | None) -> Answer:
        return Answer(first_task_alone(instance))


@cache
def _sew() -> None:
    for kernel in range(4):
        time.sleep(0.5)
        kernel_cache.tell_of_compilation("sleeve", done=kernel % 2 == 1)


class Weaver(Solver):
    """Compiles one kernel for long."""

    name = "weaver"

    def warm_up(self) -> None:
        _weave()

    def _solve(self, instance: Instance, *, time_limit: float | None, seed: int | None) -> Answer:
        return Answer(first_task_alone(instance))


class Dozing(Weaver):
    """Compiles one kernel and never comes back afterwards."""

    name = "dozing"

    def warm_up(self) -> None:
        _weave()
        time.sleep(60.0)


@cache
def _weave() -> None:
    kernel_cache.tell_of_compilation("cloth", done=False)
    time.sleep(3.0)
    kernel_cache.tell_of_compilation("cloth", done=True)


class Clumsy(Tailor):
    """Fails to warm up."""

    def warm_up(self) -> None:
        raise RuntimeError("pricked\nits finger")


class Fatal(Tailor):
    """Takes its process down."""

    def warm_up(self) -> None:
        os._exit(1)


class Sleeper(Tailor):
    """Is never warm."""

    def warm_up(self) -> None:
        time.sleep(60.0)


class Broken(Solver):
    """Fails."""

    name = "broken"

    def _solve(self, instance: Instance, *, time_limit: float | None, seed: int | None) -> Answer:
        raise RuntimeError("no idea")


class Hanging(Solver):
    """Heeds neither time limit nor Ctrl-C, and leaves a process behind."""

    name = "hanging"

    def _solve(self, instance: Instance, *, time_limit: float | None, seed: int | None) -> Answer:
        if instance == toy():
            return Answer(first_task_alone(instance))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        child = subprocess.Popen(["sleep", "600"])
        if STARTED in os.environ:
            Path(os.environ[STARTED]).write_text(str(child.pid))
        time.sleep(600.0)
        return Answer(first_task_alone(instance))


class Crashing(Solver):
    """Takes its process down, after some last words."""

    name = "crashing"

    def _solve(self, instance: Instance, *, time_limit: float | None, seed: int | None) -> Answer:
        if instance != toy():
            sys.stderr.write("out of luck\n")
            sys.stderr.flush()
            os.kill(os.getpid(), signal.SIGSEGV)
        return Answer(first_task_alone(instance))


class Cheating:
    """Not derived from the base class that verifies: overspends, claims less, tells no time."""

    def solve(
        self, instance: Instance, *, time_limit: float | None = None, seed: int | None = None
    ) -> Solution:
        work = instance.max_work
        schedule = Schedule.from_work(instance, np.zeros(instance.num_tasks, np.int64), work)
        return Solution(replace(schedule, energy=0.0), None, -1.0)


class Doubling:
    """Not derived from the base class that verifies: a sound schedule, twice the total."""

    def solve(
        self, instance: Instance, *, time_limit: float | None = None, seed: int | None = None
    ) -> Solution:
        schedule = first_task_alone(instance)
        return Solution(replace(schedule, total_accuracy=2 * schedule.total_accuracy), None, 0.1)


class Talker(Solver):
    """Prints, from Python and from C, as it is made and as it solves."""

    name = "talker"

    def __init__(self) -> None:
        sys.stdout.write("made\n")

    def _solve(self, instance: Instance, *, time_limit: float | None, seed: int | None) -> Answer:
        sys.stdout.write("from Python\n")
        os.write(1, b"from below\n")
        ctypes.CDLL(None).puts(b"from C")
        return Answer(first_task_alone(instance))


class Coin(Solver):
    """Flips a coin, slowly."""

    name = "coin"
    stochastic = True

    def _solve(self, instance: Instance, *, time_limit: float | None, seed: int | None) -> Answer:
        if instance != toy():
            time.sleep(0.15)
        if seed is not None and seed % 2:
            return Answer(first_task_alone(instance))
        return Answer(
            Schedule.from_work(
                instance, np.zeros(instance.num_tasks, np.int64) - 1, np.zeros(instance.num_tasks)
            )
        )


class Picky(Solver):
    """Wants a number."""

    name = "picky"

    def __init__(self, moves: int = 1) -> None:
        self.moves = moves + 0

    def _solve(self, instance: Instance, *, time_limit: float | None, seed: int | None) -> Answer:
        return Answer(first_task_alone(instance), upper_bound=float(self.moves))


def _wait(instance: Instance) -> None:
    """Waits for a minute, except on the toy that solvers warm up with."""
    marker = os.environ.get(STARTED)
    if marker is None or instance == toy():
        return
    Path(marker).touch()
    time.sleep(60.0)
