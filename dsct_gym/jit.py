"""How the compiled kernels are compiled: the one place that sets Numba's options."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba

from dsct_gym.kernel_cache import KernelCache

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compiles ``function`` to machine code on its first call and keeps it on disk.

    Kernels release the GIL, so that a thread pool can run them side by side; they never start
    threads of their own, so they survive ``fork``. Fast-math is off: results are the same bits in
    every process.
    """
    compiled: Any = numba.njit(nogil=True, error_model="numpy")(function)
    if compiled is not function:  # as where Numba is switched off
        compiled._cache = KernelCache(compiled.py_func, compiled.targetoptions)
    return cast("Callable[P, R]", compiled)


def helper(function: Callable[P, R]) -> Callable[P, R]:
    """Compiles a function that kernels call, so that it melts into them.

    It is not cached on its own (a kernel's cache holds it) and does not count references: both keep
    LLVM from inlining, and passing a struct of arrays then costs more than most helpers do; the
    incremental allocation is twice as fast for it. In return a helper cannot allocate, which
    includes assigning one array to a slice of another. From Python, call a kernel: a helper would
    be compiled anew in every process.
    """
    # ``_nrt`` is no documented option of Numba; without it kernels are slower, not wrong.
    compiled = numba.njit(nogil=True, error_model="numpy", _nrt=False)(function)
    return cast("Callable[P, R]", compiled)
