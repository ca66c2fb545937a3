"""Compiling ahead of use: what solvers, bounds and environments would compile when first asked.

They are warmed up in processes side by side, each in one of them. What several of them call is
compiled by whoever needs it first, while the others wait (`dsct_gym.kernel_cache.sharing`).
"""

from __future__ import annotations

import os
import pkgutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dsct_gym.errors import InputError, instead_of
from dsct_gym.processes import prepare_worker, usable_cores
from dsct_gym.registration import ENVIRONMENTS, SERVICE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SERVING: Final = "serve"
"""What all agents of `dsct_gym.serving` are called here: as the command that plays them."""

_SERVING: Final = "dsct_gym.serving.warming"

_LOOK: Final = 0.2
"""Seconds between two reports of what is being compiled."""


@dataclass(frozen=True)
class Warmed:
    """What became of one name.

    Attributes:
        name: The solver, bound or environment, or serving.
        kernels: The kernels that were compiled for it, none where all were there; what another
            name compiled at the same time is counted there.
        seconds: Wall time, s.
        fault: One line that says what went wrong, None where nothing did.
    """

    name: str
    kernels: tuple[str, ...]
    seconds: float
    fault: str | None = None


@dataclass(frozen=True)
class WarmUp:
    """What `warm_up` did.

    Attributes:
        warmed: One for each name, in the order of `warmable`.
        seconds: Wall time of all, s.
        folder: Where the kernels are kept: the folder above those of the packages.
    """

    warmed: tuple[Warmed, ...]
    seconds: float
    folder: Path

    @property
    def kernels(self) -> tuple[str, ...]:
        """All kernels that were compiled."""
        return tuple(kernel for each in self.warmed for kernel in each.kernels)

    @property
    def failed(self) -> tuple[Warmed, ...]:
        """Those that could not be warmed up, or not to the end."""
        return tuple(each for each in self.warmed if each.fault is not None)


@dataclass(frozen=True)
class Standing:
    """Where a warm-up stands.

    Attributes:
        done: Names that are warm.
        names: Names in all.
        kernels: Kernels compiled so far, or being compiled.
    """

    done: int
    names: int
    kernels: int


def warmable() -> list[str]:
    """All that can be warmed up: environments, serving, bounds and solvers that are installed."""
    return list(_kinds())


def warm_up(
    *names: str,
    processes: int | None = None,
    progress: Callable[[Standing], None] | None = None,
) -> WarmUp:
    """Compiles all kernels ahead of use and keeps them, once for an installation.

    Otherwise they are compiled when a solver, bound or environment is first asked, which then
    takes up to half a minute longer. What is there already is not compiled again.

    Args:
        *names: Solvers, bounds, ids of environments and ``serve``, or solvers as
            ``module:Class``; all that are installed when left out.
        processes: How many to compile in; by default one for each core, at most one for each name.
        progress: Called several times a second with where it stands.

    Returns:
        What was compiled, and in which time. One that fails does not stop the others.

    Raises:
        InputError: If there is no such name, or kernels cannot be kept anywhere.
        KeyboardInterrupt: On Ctrl-C; what is finished is kept.
    """
    from dsct_gym.kernel_cache import keeping_folder

    kinds = _asked(names)
    folder = keeping_folder(__file__)
    workers = processes or min(usable_cores(), len(kinds))
    if workers < 1:
        raise InputError(f"processes: must be at least 1, got {processes}")
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="dsct-gym-") as claims:

        def tell(done: int) -> None:
            if progress is not None:
                progress(Standing(done, len(kinds), sum(1 for _ in Path(claims).iterdir())))

        found = _warm_all(kinds, workers, claims, tell)
    warmed = tuple(found[name] for name in kinds)
    return WarmUp(warmed, time.perf_counter() - started, folder)


def _kinds() -> dict[str, str]:
    """What each name is: those that compile most first, so that none of them comes last alone."""
    from dsct_gym.bounds import bound_names
    from dsct_gym.solver import solver_entry_points

    kinds = dict.fromkeys(ENVIRONMENTS, "environment")
    kinds.update({SERVING: "serving", SERVICE: "service"})
    kinds.update(dict.fromkeys(bound_names(), "bound"))
    kinds.update(dict.fromkeys(sorted(solver_entry_points(), reverse=True), "solver"))
    return kinds


def _asked(names: Sequence[str]) -> dict[str, str]:
    """The kinds of the names that were asked for, in the order of all.

    Raises:
        InputError: Naming the first that there is not.
    """
    kinds = _kinds()
    for name in names:
        if ":" in name:
            kinds[name] = "solver"
        elif name not in kinds:
            raise InputError(f"{name}: nothing to warm up; {instead_of(name, kinds)}")
    return {name: kind for name, kind in kinds.items() if not names or name in names}


def _warm_all(
    kinds: Mapping[str, str], workers: int, claims: str, tell: Callable[[int], None]
) -> dict[str, Warmed]:
    """Warms up all names; those whose process died with another's are tried again, alone."""
    from loky.process_executor import BrokenProcessPool

    found: dict[str, Warmed] = {}
    tell(0)
    try:
        for warmed in _in_processes(kinds, workers, claims, lambda: tell(len(found))):
            found[warmed.name] = warmed
    except BrokenProcessPool:
        for name in [name for name in kinds if name not in found]:
            try:
                (found[name],) = _in_processes({name: kinds[name]}, 1, claims)
            except BrokenProcessPool:
                found[name] = Warmed(name, (), 0.0, "its process died")
            tell(len(found))
    return found


def _in_processes(
    kinds: Mapping[str, str], workers: int, claims: str, tell: Callable[[], None] = lambda: None
) -> Iterator[Warmed]:
    """Yields what became of each name, as it does.

    Raises:
        BrokenProcessPool: If a process dies.
    """
    from loky import ProcessPoolExecutor

    with ProcessPoolExecutor(
        workers, initializer=prepare_worker, initargs=(os.getpid(),)
    ) as executor:
        try:
            waiting: set[Future[Warmed]] = {
                executor.submit(_warm, name, kind, claims) for name, kind in kinds.items()
            }
            while waiting:
                tell()
                done, waiting = wait(waiting, timeout=_LOOK, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:
            executor.shutdown(kill_workers=True)
            raise


def _warm(name: str, kind: str, claims: str) -> Warmed:
    """Warms up one name in a process of its own."""
    from dsct_gym.kernel_cache import hearing, sharing
    from dsct_gym.streams import stdout_to_stderr

    kernels: list[str] = []

    def hear(kernel: str, done: bool) -> None:
        if not done:
            kernels.append(kernel)

    fault = None
    started = time.perf_counter()
    try:
        with stdout_to_stderr(), hearing(hear), sharing(Path(claims)):
            _WAYS[kind](name)
    except Exception as error:
        fault = " ".join(f"{type(error).__name__}: {error}".split())
    # One that is compiled for machines with one clock and again for several has one name.
    return Warmed(name, tuple(dict.fromkeys(kernels)), time.perf_counter() - started, fault)


def _warm_solver(name: str) -> None:
    """Warms up a solver; one of a class of its own has nothing that could be called."""
    from dsct_gym.solver import make_solver

    warm: Callable[[], None] | None = getattr(make_solver(name), "warm_up", None)
    if warm is not None:
        warm()


def _warm_bound(name: str) -> None:
    from dsct_gym.bounds import warm_up_bound

    warm_up_bound(name)


def _warm_environment(name: str) -> None:
    """Makes an environment in all the ways that have kernels of their own."""
    import gymnasium

    from dsct_gym.toy import toy

    toys = pkgutil.resolve_name(ENVIRONMENTS[name].episodes).toys()
    batch = partial(gymnasium.make_vec, num_envs=1, vectorization_mode="vector_entry_point")
    for make in (gymnasium.make, batch):
        for source in ({"n": toy().num_tasks, "m": toy().num_machines}, {"instance": toy()}):
            for guidance in (False, True):
                env = make(name, guidance=guidance, **source)
                for each in toys:
                    env.reset(options={"instance": each})
                env.close()


def _warm_service(name: str) -> None:
    """Plays a few steps of the environment of a service in all its ways."""
    import gymnasium
    import numpy as np

    for clocks in ("batch", "unit"):
        env = gymnasium.make(name, gpu="M40", network="alexnet", requests=4, clocks=clocks)
        env.reset(seed=0)
        for choice in (0, 1):
            env.step(np.array([choice, 0]))
        env.close()


def _warm_serving(name: str) -> None:
    pkgutil.resolve_name(f"{_SERVING}:warm_up_serving")()


_WAYS: Final[Mapping[str, Callable[[str], None]]] = {
    "solver": _warm_solver,
    "bound": _warm_bound,
    "environment": _warm_environment,
    "service": _warm_service,
    "serving": _warm_serving,
}
