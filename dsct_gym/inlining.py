"""How a function that only compiled functions call is compiled: as far as they need it.

Numba optimises every function and turns it into machine code, what it calls included, and does so
again in each that calls it. Where nobody but compiled functions calls it, the first is for nothing:
here it stays in the intermediate language of LLVM, is linked into its callers as it is, and becomes
machine code once in each kernel. That halves the time that kernels take to compile; to the numbers
it makes no difference, since LLVM reorders no floating-point arithmetic.

It relies on the inside of Numba: where a version has other names for it, functions are compiled as
Numba does it, which takes longer.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.typed_passes import AnnotateTypes

_ENVIRONMENT = "_ZN08NumbaEnv"


class _Unfinished(JITCodeLibrary):  # type: ignore[misc]
    """The code of a function that its callers finish."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._define_environments()
        self._finalized = True

    def _define_environments(self) -> None:
        """Gives the variables that hold a function's environment, which Numba sets, an address."""
        found = (variable.name for variable in self._final_module.global_variables)
        known = self._codegen._engine.is_symbol_defined
        names = [name for name in found if name.startswith(_ENVIRONMENT) and not known(name)]
        empty = str(self._codegen._create_empty_module(f"{self.name}.environments"))
        lines = [f'@"{name}" = common global i8* null' for name in names]
        if lines:
            self._codegen._add_module(llvm.parse_assembly("\n".join([empty, *lines])))


@register_pass(mutates_CFG=False, analysis_only=False)
class _LeaveUnfinished(LoweringPass):  # type: ignore[misc]
    """Says where the code goes that the next pass makes."""

    _name = "leave_unfinished"

    def __init__(self) -> None:
        LoweringPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        name = state.func_id.func_qualname
        state.library = _Unfinished(state.targetctx.codegen(), name)
        return True


class InliningCompiler(CompilerBase):  # type: ignore[misc]
    """The compiler of such functions, for ``pipeline_class``; they cannot be called from Python."""

    def define_pipelines(self) -> list[Any]:
        """Numba's own passes, and the one that says where the code goes."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_LeaveUnfinished, AnnotateTypes)
        passes.finalize()
        return [passes]
