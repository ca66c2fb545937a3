"""Instances of the shapes at the edge of what is valid, for every solver."""

import numpy as np

from dsct_gym.instance import Instance

CURVE = ([0.0, 1.0, 3.0], [0.1, 0.5, 0.8])


def _instance(n: int = 3, m: int = 2, **fields: object) -> Instance:
    values: dict[str, object] = {
        "speeds": np.linspace(1.0, 2.0, m),
        "efficiencies": np.linspace(2.0, 1.0, m),
        "deadlines": np.linspace(1.0, 2.0, n),
        "work": np.tile(CURVE[0], (n, 1)),
        "accuracy": np.tile(CURVE[1], (n, 1)),
        "energy_budget": 2.0,
    }
    return Instance(**{**values, **fields})  # type: ignore[arg-type]


EDGE_CASES = {
    "plain": _instance(),
    "one task": _instance(n=1),
    "one machine": _instance(m=1),
    "one of each": _instance(n=1, m=1),
    "more machines than tasks": _instance(n=2, m=7),
    "zero budget": _instance(energy_budget=0.0),
    "huge budget": _instance(energy_budget=1e30),
    "tiny budget": _instance(energy_budget=1e-12),
    "equal machines": _instance(n=5, m=4, speeds=np.ones(4), efficiencies=np.ones(4)),
    "duplicate deadlines": _instance(n=4, deadlines=np.array([1.0, 2.0, 1.0, 2.0])),
    "flat curves": _instance(accuracy=np.full((3, 3), 0.4)),
    "some flat curves": _instance(accuracy=np.array([CURVE[1], [0.3, 0.3, 0.3], [1.0, 1.0, 1.0]])),
    "flat tails": _instance(accuracy=np.tile([0.1, 0.8, 0.8], (3, 1))),
    "ragged curves": _instance(
        work=np.array([[0.0, 1.0, 3.0], [0.0, 2.0, 2.0], [0.0, 0.5, 0.5]]),
        accuracy=np.array([CURVE[1], [0.0, 0.9, 0.9], [0.2, 0.3, 0.3]]),
    ),
    "tiny numbers": _instance(
        speeds=np.array([1e-12, 2e-12]),
        efficiencies=np.array([2e-12, 1e-12]),
        deadlines=np.array([1e-12, 2e-12, 3e-12]),
        work=np.tile(np.array(CURVE[0]) * 1e-24, (3, 1)),
        energy_budget=1e-12,
    ),
    "tiny accuracies": _instance(accuracy=np.tile(np.array(CURVE[1]) * 1e-12, (3, 1))),
    "deadlines of every size": _instance(n=5, deadlines=np.array([1e-12, 1e-6, 1.0, 1e6, 1e12])),
    "work of every size": _instance(work=np.outer([1e-9, 1.0, 1e9], CURVE[0])),
    "machines of every size": _instance(
        m=3, speeds=np.array([1e-9, 1.0, 1e9]), efficiencies=np.array([1e9, 1.0, 1e-9])
    ),
}
