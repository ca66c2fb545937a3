"""Small instances of every shape, for solvers and environments."""

from __future__ import annotations

from functools import cache

import dsct_gym


@cache
def problems() -> dict[str, dsct_gym.Instance]:
    """What the solvers are asked, by name; those of ``PROVABLE`` also by proof."""
    generate = dsct_gym.generate
    return {
        "6x2": generate(6, 2, seed=1),
        "8x3": generate(8, 3, mu=20.0, rho=0.6, beta=0.3, seed=2),
        "3x7": generate(3, 7, rho=0.2, seed=3),
        "1x1": generate(1, 1, seed=4),
        "ragged": ragged(),
        "tied": tied(),
        "real": generate(9, devices="T4,V100", family="ofa-resnet50,efficientnet", seed=5),
        "no energy": generate(12, 3, beta=0.0, seed=6),
        "one machine": generate(15, 1, mu=10.0, seed=7),
        "20x3": generate(20, 3, mu=10.0, rho=0.5, beta=0.4, seed=8),
        "50x5": generate(50, 5, seed=9),
        "50x5 loose": generate(50, 5, mu=20.0, rho=1.0, beta=0.2, segments=64, seed=10),
        "30x10": generate(30, 10, mu=5.0, rho=0.35, beta=0.5, seed=11),
    }


TINY = ("6x2", "8x3", "3x7", "1x1", "ragged", "tied", "no energy")
PROVABLE = (*TINY, "real", "one machine", "20x3")


def ragged() -> dsct_gym.Instance:
    """Curves of different lengths, flat ones, flat ends, deadlines of very different size."""
    return dsct_gym.Instance(
        speeds=[1.0, 2.0],
        efficiencies=[2.0, 1.0],
        deadlines=[1.0, 2.0, 1e-6, 3.0, 1e6],
        work=[[0, 1, 3], [0, 2, 2], [0, 0.5, 0.5], [0, 1, 4], [0, 3, 9]],
        accuracy=[
            [0.1, 0.5, 0.8],
            [0, 0.9, 0.9],
            [0.2, 0.3, 0.3],
            [0.4, 0.4, 0.4],
            [0.1, 0.7, 0.7],
        ],
        energy_budget=3.0,
        name="ragged",
        task_names=["a", None, "c", None, None],
    )


def tied() -> dsct_gym.Instance:
    """Equal tasks on equal machines: whatever breaks ties shows."""
    return dsct_gym.Instance(
        speeds=[1.0] * 3,
        efficiencies=[1.0] * 3,
        deadlines=[1.0, 2.0, 1.0, 2.0, 2.0, 1.0, 2.0],
        work=[[0.0, 1.0, 3.0]] * 7,
        accuracy=[[0.1, 0.5, 0.8]] * 7,
        energy_budget=4.0,
    )
