"""Instances whose tasks arrive over time, for tests."""

import numpy as np

from dsct_gym import generate
from dsct_gym.instance import Instance
from dsct_gym.online import OnlineInstance


def arriving(
    seed: int,
    n: int = 40,
    m: int = 3,
    *,
    rho: float = 0.35,
    beta: float = 0.5,
    patience: float = 0.2,
    crowds: int = 0,
) -> OnlineInstance:
    """A random problem.

    Args:
        seed: Of all that is random.
        n: Number of tasks.
        m: Number of machines.
        rho: Deadline tolerance of the instance whose last deadline becomes the horizon.
        beta: Energy budget ratio.
        patience: Longest time that a task may take, in horizons.
        crowds: In how many moments tasks arrive together; 0: each by itself.
    """
    core = generate(n, m, mu=10.0, rho=rho, beta=beta, seed=seed)
    rng = np.random.default_rng(seed)
    arrivals = rng.random(n) * core.horizon
    if crowds:
        arrivals = rng.choice(arrivals[:crowds], n)
    latency = (0.02 + (patience - 0.02) * rng.random(n)) * core.horizon
    return OnlineInstance(due(core, arrivals + latency), arrivals, core.horizon)


def due(core: Instance, deadlines: np.ndarray) -> Instance:
    """The instance with other deadlines."""
    return Instance(
        core.speeds,
        core.efficiencies,
        deadlines,
        core.work,
        core.accuracy,
        core.energy_budget,
        name=core.name,
    )


def by_hand(
    arrivals: list[float],
    deadlines: list[float],
    work: list[float],
    *,
    speeds: tuple[float, ...] = (1.0,),
    efficiencies: tuple[float, ...] | None = None,
    budget: float = 100.0,
    horizon: float | None = None,
) -> OnlineInstance:
    """A problem whose tasks gain 1 on a straight line up to their work."""
    curves = [[0.0, each] for each in work]
    core = Instance(
        list(speeds),
        list(efficiencies or [1.0] * len(speeds)),
        deadlines,
        curves,
        [[0.0, 1.0]] * len(work),
        budget,
    )
    return OnlineInstance(core, np.array(arrivals), max(arrivals) if horizon is None else horizon)


def otherwise_after(problem: OnlineInstance, moment: float, seed: int) -> OnlineInstance:
    """Another problem with the same tasks until a moment: later ones differ, in number too.

    Its later tasks are drawn anew, at other times, with other curves, more of them or fewer.
    """
    rng = np.random.default_rng(seed)
    core = problem.core
    early = problem.arrivals <= moment
    count = int(rng.integers(1, core.num_tasks))
    other = generate(count, 1, mu=30.0, rho=1.0, seed=seed)
    scale = core.work[:, -1].mean() / other.work[:, -1].mean() * rng.uniform(0.3, 3.0)
    arrivals = moment + (problem.horizon - moment) * (1.0 - rng.random(count))
    deadlines = arrivals + rng.random(count) * problem.horizon + 1e-6
    changed = Instance(
        core.speeds,
        core.efficiencies,
        np.concatenate([core.deadlines[early], deadlines]),
        np.concatenate([core.work[early], other.work * scale]),
        np.concatenate([core.accuracy[early], other.accuracy]),
        core.energy_budget,
    )
    times = np.concatenate([problem.arrivals[early], arrivals])
    return OnlineInstance(changed, times, problem.horizon)
