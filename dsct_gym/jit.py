"""How the compiled kernels are compiled: the one place that sets Numba's options."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, ParamSpec, TypeVar, cast

import numba

from dsct_gym.inlining import InliningCompiler
from dsct_gym.kernel_cache import KernelCache

P = ParamSpec("P")
R = TypeVar("R")


_CALLED: Final[dict[str, Any]] = {
    "nogil": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "pipeline_class": InliningCompiler,
}
"""How a function is compiled that compiled functions call.

That it needs no wrapper for Python is no documented option of Numba; with one it takes longer.
"""


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compiles ``function`` to machine code on its first call and keeps it on disk.

    Kernels release the GIL, so that a thread pool can run them side by side; they never start
    threads of their own, so they survive ``fork``. Fast-math is off: results are the same bits in
    every process. Where one kernel calls another, this melts into it as a helper does, and is
    compiled on its own only when Python calls it.
    """
    compiled: Any = numba.njit(nogil=True, error_model="numpy", no_cfunc_wrapper=True)(function)
    if compiled is not function:  # as where Numba is switched off
        compiled._cache = KernelCache(compiled.py_func, compiled.targetoptions)
        called = _called(function)
        compiled.get_call_template = called.get_call_template
        compiled.get_overload = called.get_overload
    return cast("Callable[P, R]", compiled)


def helper(function: Callable[P, R]) -> Callable[P, R]:
    """Compiles a function that kernels call, so that it melts into them.

    It is not cached on its own (a kernel's cache holds it) and does not count references: both keep
    LLVM from inlining, and passing a struct of arrays then costs more than most helpers do; the
    incremental allocation is twice as fast for it. In return a helper cannot allocate, which
    includes assigning one array to a slice of another, nor return arrays to a kernel, which would
    count one reference less than there are: only to another helper. Python cannot call it: from
    there, call a kernel.
    """
    # ``_nrt`` is no documented option of Numba; without it kernels are slower, not wrong.
    return cast("Callable[P, R]", _called(function, _nrt=False))


def _called(function: Callable[P, R], **options: Any) -> Any:
    """What compiled functions call; compiled once for a number, be it a constant or not."""
    compiled: Any = numba.njit(**_CALLED, **options)(function)
    if compiled is not function:
        template = compiled.get_call_template

        def get_call_template(args: Sequence[Any], kws: Mapping[str, Any]) -> Any:
            plain = {name: numba.types.unliteral(each) for name, each in kws.items()}
            return template([*map(numba.types.unliteral, args)], plain)

        compiled.get_call_template = get_call_template
    return compiled
