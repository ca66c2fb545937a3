"""Kernels of the environments: compiled or loaded when the first of a kind is made."""

from __future__ import annotations

from typing import Any

import numpy as np

from dsct_gym.envs.source import Pool, Source
from dsct_gym.points.toy import toy_with_points

_known: set[tuple[object, bool, bool, bool]] = set()


def practise(kind: Any, source: Source, *, guidance: bool, several: bool) -> None:
    """Begins and steps an episode on a toy, once in a process.

    Args:
        kind: The subclass of `dsct_gym.envs.episodes.Episodes`.
        source: Where the instances come from; drawing them may need a kernel of its own.
        guidance: Whether observations carry the relaxation's columns.
        several: Whether machines may have several clocks, for which kernels are others.
    """
    drawn = source.compiled
    known = (kind, drawn, guidance, several)
    if known in _known:
        return
    _known.add(known)  # now, because the episodes made here ask as well
    try:
        played = toy_with_points() if several else kind.toys()[0]
        source = kind.toy_source() if drawn else Pool([played])
        episodes = kind(1, source, guidance=guidance)
        episodes.begin_instance(0, played)
        episodes.begin(np.array([0]), [np.random.default_rng(0)])
        episodes.step(episodes.check(np.stack([episodes.action_space.sample()])))
    except BaseException:
        _known.discard(known)
        raise
