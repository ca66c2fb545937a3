"""Training jobs on real GPUs as problems with soft deadlines, after Kang and Youn (ICTC 2019).

A job trains AlexNet, Inception-V3, ResNet-50 or ResNet-152 on its own data; the service that waits
for it is worse for as long as it is late. Rates are measured, powers measured or estimated
(`dsct_gym.catalog.training`); sizes of data sets, deadlines, weights and prices are this project's
own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from dsct_gym.accuracy import concave_hull
from dsct_gym.arguments import as_integer
from dsct_gym.catalog.training import NETWORKS, image_work, learning_curve, trainer
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.rounding import round_number, round_significant
from dsct_gym.soft.instance import SoftInstance
from dsct_gym.soft.penalties import SHAPES, Penalty, Step

IMAGES: Final = (20_000.0, 300_000.0)
"""Range of the images of a job's data set, log-uniform."""
WEIGHTS: Final = (0.5, 1.0, 2.0)
"""Weights of penalties, equally likely."""
PATIENCE: Final = 0.25
"""Scale of a penalty as a share of the latest deadline."""
CAPS: Final = {"step": 1.0, "linear": 2.0, "exponential": 3.0}


def training_jobs(
    n: int,
    devices: Sequence[str],
    *,
    penalty: str = "linear",
    rho: float = 1.0,
    price: float = 0.1,
    whole: float = 1.0,
    beta: float | None = None,
    seed: int = 0,
    name: str | None = None,
) -> SoftInstance:
    """Draws training jobs.

    Args:
        n: Number of jobs.
        devices: GPUs with measured training rates, one machine each.
        penalty: ``"step"``, ``"linear"`` or ``"exponential"``.
        rho: Deadline tolerance ``d_max Σ s_r / Σ f_j^max``, positive: 1 is as long as all jobs take
            all machines.
        price: What the energy of all jobs in full costs on the mean machine, as a share of the
            accuracy that they reach; at least 0.
        whole: Share of jobs that are not compressible, in [0, 1].
        beta: Energy budget as a share of that energy; None for none.
        seed: Seed, at least 0.
        name: Name of the problem.

    Raises:
        InputError: If an argument is out of range or a device was not measured.
    """
    if penalty not in SHAPES:
        raise InputError(f"penalty: must be {', '.join(SHAPES)}, got {penalty!r}")
    if not (0.0 < rho < np.inf and 0.0 <= price < np.inf and 0.0 <= whole <= 1.0):
        raise InputError(f"rho, price or whole out of range: {rho:g}, {price:g}, {whole:g}")
    rng = np.random.default_rng((as_integer(seed, "seed", 0), 2))
    gpus = [trainer(each) for each in devices]
    networks = [NETWORKS[index] for index in rng.integers(len(NETWORKS), size=as_tasks(n))]
    smallest, largest = np.log(IMAGES)
    images = np.exp(rng.uniform(float(smallest), float(largest), size=n))
    curves = []
    for network, size in zip(networks, images, strict=True):
        epochs, reached = learning_curve(network)
        work = round_significant(epochs * size * image_work()[network])
        curves.append(concave_hull(work, round_significant(reached)))
    speeds = round_significant(np.array([gpu.speed for gpu in gpus]))
    efficiencies = round_significant(np.array([gpu.efficiency for gpu in gpus]))
    total = sum(float(work[-1]) for work, _ in curves)
    latest = rho * total / float(speeds.sum())
    deadlines = latest * (1.0 - rng.random(n))
    deadlines *= latest / deadlines.max()
    core = Instance(
        speeds=speeds,
        efficiencies=efficiencies,
        deadlines=round_significant(deadlines),
        work=[work for work, _ in curves],  # type: ignore[arg-type]
        accuracy=[reached for _, reached in curves],  # type: ignore[arg-type]
        energy_budget=0.0,
        name=name,
        machine_names=_numbered(devices),
        task_names=tuple(f"{network}-{job}" for job, network in enumerate(networks)),
    )
    energy = total / float(speeds.sum()) * float(core.powers.sum())
    return SoftInstance(
        core=core,
        penalty=_penalty(penalty, round_number(PATIENCE * latest)),
        weights=rng.choice(WEIGHTS, size=n),
        whole=rng.random(n) < whole,
        energy_price=round_number(price * float(core.top_accuracy.sum()) / energy),
        budget=None if beta is None else round_number(beta * energy),
    )


def as_tasks(n: int) -> int:
    """A number of jobs."""
    return as_integer(n, "n", 1, 10**6)


def _penalty(shape: str, scale: float) -> Penalty:
    if shape == "step":
        return Step(CAPS[shape])
    made: Penalty = SHAPES[shape](scale, CAPS[shape])  # type: ignore[call-arg]
    return made


def _numbered(devices: Sequence[str]) -> tuple[str, ...]:
    """Names of machines; devices of which there are several are numbered."""
    listed = list(devices)
    return tuple(
        name if listed.count(name) == 1 else f"{name}-{listed[: place + 1].count(name)}"
        for place, name in enumerate(listed)
    )
