"""How the compiled kernels are compiled: the one place that sets Numba's options."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compiles ``function`` to machine code on its first call and caches it on disk.

    Kernels release the GIL, so that a thread pool can run them side by side; they never start
    threads of their own, so they survive ``fork``. Fast-math is off: results are the same bits in
    every process. Numba's cache follows the file of the kernel, not of the kernels it calls: after
    editing a kernel that another file calls, run ``make clean-cache``.
    """
    compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return cast("Callable[P, R]", compiled)
