"""Every numerical tolerance of the package, all relative.

A relative tolerance ``t`` on a limit ``L`` accepts ``x <= L * (1 + t)``; a limit of zero is exact.
The kernels themselves stay within a few units in the last place (1e-15 relative); what is
tolerated here is the rounding of files and of outside solvers.
"""

from typing import Final

FEASIBILITY: Final = 1e-7
"""Deadlines, overlaps, work limits and the energy budget of a schedule."""

CLAIM: Final = 1e-7
"""A claimed accuracy, energy, duration or total against its recomputation."""

CONCAVITY: Final = 1e-9
"""How far a breakpoint may lie below the chord of its neighbours, relative to the curve's rise.

Curves are written with 12 significant digits, so collinear breakpoints miss the chord by rounding.
"""

RELAXATION: Final = 1e-12
"""The gap between the dual and its cutting-plane model at which the relaxation is solved."""

ROUNDING: Final = 1e-12
"""By how much a task may miss its deadline or the energy left and still fit, for rules that place
whole tasks: the rounding of a sum of times or energies."""
