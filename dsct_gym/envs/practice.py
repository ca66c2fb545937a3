"""Kernels of the environments: compiled or loaded when the first of a kind is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dsct_gym.envs.sampling import Sampled
from dsct_gym.envs.source import Pool, Source
from dsct_gym.generator import Scenario
from dsct_gym.points.toy import toy_with_points
from dsct_gym.toy import toy

_known: set[tuple[object, bool, bool, bool]] = set()


def practise(kind: Callable[..., Any], source: Source, *, guidance: bool, several: bool) -> None:
    """Begins and steps an episode on a toy, once in a process.

    Args:
        kind: The subclass of `dsct_gym.envs.episodes.Episodes`.
        source: Where the instances come from; drawing them may need a kernel of its own.
        guidance: Whether observations carry the relaxation's columns.
        several: Whether machines may have several clocks, for which kernels are others.
    """
    drawn = isinstance(source, Sampled)
    known = (kind, drawn, guidance, several)
    if known in _known:
        return
    _known.add(known)  # now, because the episodes made here ask as well
    try:
        scenario = Scenario(n=toy().num_tasks, m=toy().num_machines)
        played = toy_with_points() if several else toy()
        episodes = kind(1, Sampled(scenario) if drawn else Pool([played]), guidance=guidance)
        episodes.begin_instance(0, played)
        episodes.begin(np.array([0]), [np.random.default_rng(0)])
        episodes.step(episodes.check(np.stack([episodes.action_space.sample()])))
    except BaseException:
        _known.discard(known)
        raise
