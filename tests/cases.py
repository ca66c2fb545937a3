"""Ordinary and extreme instances on which what is seen of them is held against its definition."""

import numpy as np

from dsct_gym import Instance, generate


def changed(instance: Instance, **fields: object) -> Instance:
    """The instance with other values in some fields."""
    names = ("speeds", "efficiencies", "deadlines", "work", "accuracy", "energy_budget")
    return Instance(**{name: getattr(instance, name) for name in names} | fields)


ORDINARY = {
    "12 x 3": generate(12, 3, seed=1),
    "scarce energy": generate(10, 2, mu=10.0, rho=0.4, beta=0.15, seed=2),
    "late deadlines": generate(16, 4, mu=3.0, rho=0.9, beta=0.6, seed=3),
    "more partners than are looked at": generate(45, 3, mu=15.0, seed=4),
    "many machines": generate(14, 9, mu=8.0, seed=5),
}
EXTREME = {
    "no energy": changed(generate(6, 3, seed=6), energy_budget=0.0),
    "energy for nothing": generate(8, 3, beta=20.0, seed=7),
    "one machine": generate(7, 1, seed=8),
    "one task": generate(1, 4, seed=9),
    "one of each": generate(1, 1, seed=10),
    "more time than work": generate(7, 3, rho=30.0, beta=0.1, seed=11),
    "more machines than tasks": generate(3, 6, seed=12),
}


def _tied() -> Instance:
    """Equal machines, equal deadlines, pairs of equal tasks."""
    drawn = generate(10, 4, mu=6.0, seed=13)
    twins = np.arange(10) // 2
    return changed(
        drawn,
        speeds=np.full(4, drawn.speeds[0]),
        efficiencies=np.full(4, drawn.efficiencies[0]),
        deadlines=np.sort(drawn.deadlines)[twins + 4],
        work=drawn.work[twins],
        accuracy=drawn.accuracy[twins],
    )


def _flat(tasks: list[int]) -> Instance:
    """Some tasks gain nothing, others nothing beyond half of their work."""
    drawn = generate(8, 3, beta=0.3, seed=14)
    accuracy = drawn.accuracy.copy()
    accuracy[tasks] = accuracy[tasks, :1]
    accuracy[1::2, 3:] = accuracy[1::2, 2:3]
    return changed(drawn, accuracy=accuracy)


def _huge_ratios() -> Instance:
    """Machines, deadlines and works of very different size: most ratios are clipped."""
    drawn = generate(9, 3, rho=0.5, beta=0.3, seed=15)
    size = np.array([0.05, 1.0, 20.0])
    return changed(
        drawn,
        speeds=drawn.speeds * size,
        efficiencies=drawn.efficiencies * size[::-1],
        deadlines=drawn.deadlines * np.tile(size, 3),
        work=drawn.work * np.repeat(size, 3)[:, None],
    )


EXTREME |= {
    "ties": _tied(),
    "some flat curves": _flat([0, 3, 6]),
    "flat curves": _flat(list(range(8))),
    "huge ratios": _huge_ratios(),
}
CASES = ORDINARY | EXTREME
