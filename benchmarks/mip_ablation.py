"""What strengthens the mixed-integer model: each variant beside the plain model of `mip`.

    python benchmarks/mip_ablation.py [--seconds 20] [--equal-machines | --starts]

Ten instances, the same warm start for all variants, one thread; with ``--starts`` the plain model
from different warm starts, whose seconds count. The tables are in docs/mip.md.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyomo.environ as pyo

from dsct_gym import Instance, generate, make_solver, upper_bound
from dsct_gym.allocation import allocate
from dsct_gym.arrays import Ints
from dsct_gym.baselines.milp import highs
from dsct_gym.baselines.milp.backend import Limits
from dsct_gym.baselines.milp.model import Model, build_model
from dsct_gym.baselines.mip import Mip

GAP = 1e-4


def instances() -> list[Instance]:
    sizes = [(30, 3, 4), (50, 5, 3), (30, 10, 3)]
    return [
        generate(n, m, mu=5, rho=0.35, beta=0.5, segments=5, seed=seed)
        for n, m, count in sizes
        for seed in range(count)
    ]


def instances_with_equal_machines() -> list[Instance]:
    """Machines of two or three kinds, two or three of each."""
    found = []
    for seed in range(10):
        kinds, of_each = [(2, 2), (3, 2), (2, 3)][seed % 3]
        like = generate(8 * kinds * of_each // 2, kinds, seed=seed)
        found.append(
            Instance(
                np.repeat(like.speeds, of_each),
                np.repeat(like.efficiencies, of_each),
                like.deadlines / of_each,
                like.work,
                like.accuracy,
                like.energy_budget,
            )
        )
    return found


def plain(model: Model) -> None:
    """The model as it stands."""


def written_out_prefixes(model: Model) -> None:
    """Every deadline prefix as one long row, instead of chained busy times."""
    at, instance = model.pyomo, model.instance
    at.deadline.deactivate()

    def prefix(at: pyo.ConcreteModel, r: int, k: int) -> object:
        time = model.most[:, r] / (instance.speeds[r] * model.longest[r, k])
        terms = [
            float(time[j]) * at.share[j, q]
            for j, q in at.share
            if q == r and model.due_rank[j] <= k
        ]
        return at.busy[r, k] == pyo.quicksum(terms)

    at.prefix = pyo.Constraint(list(at.busy), rule=prefix)


def energy_names_every_share(model: Model) -> None:
    """The energy of every task in one long row, instead of each machine's busy time."""
    at, instance = model.pyomo, model.instance
    at.energy.deactivate()
    energy = {(j, r): model.most[j, r] / instance.efficiencies[r] for j, r in at.place}
    at.energies = pyo.Constraint(
        expr=pyo.quicksum(
            float(energy[pair] / instance.energy_budget) * at.share[pair] for pair in at.place
        )
        <= 1
    )


def lines(model: Model) -> dict[tuple[int, int], tuple[float, float]]:
    """Intercept and slope of every segment's line over the accuracy without work, in units."""
    instance, found = model.instance, {}
    for j, k in model.pyomo.done:
        slope = float(instance.slopes[j, k]) / model.unit
        rise = float(instance.accuracy[j, k] - instance.accuracy[j, 0]) / model.unit
        found[j, k] = (rise - slope * float(instance.work[j, k]), slope)
    return found


def without_segments(model: Model) -> pyo.ConcreteModel:
    """Replaces the shares of segments by one gain a task, with its value in the warm start."""
    at = model.pyomo
    at.curve.deactivate()
    at.gain.deactivate()
    tasks = sorted({j for j, _ in at.done})
    at.earned = pyo.Var(tasks, bounds=(0.0, 1.0))
    for j in tasks:
        rises = model.instance.slopes[j] * model.width[j] / model.unit
        earned = sum(float(rises[k]) * at.done[j, k].value for i, k in at.done if i == j)
        at.earned[j].set_value(min(1.0, earned))
    at.total = pyo.Objective(expr=pyo.quicksum(at.earned.values()), sense=pyo.maximize)
    return at


def lines_above_the_curve(model: Model) -> None:
    """The gain of a task below the line of each segment."""
    at, of_segment = without_segments(model), lines(model)
    machines = range(model.instance.num_machines)

    def below(at: pyo.ConcreteModel, j: int, k: int) -> object:
        intercept, slope = of_segment[j, k]
        return at.earned[j] <= intercept + pyo.quicksum(
            slope * float(model.most[j, r]) * at.share[j, r] for r in machines
        )

    at.below = pyo.Constraint(list(of_segment), rule=below)


def gain_by_machine(model: Model) -> None:
    """A gain of its own on every machine, below the curve times the placement (perspective)."""
    at, of_segment = without_segments(model), lines(model)
    machines = range(model.instance.num_machines)
    at.part = pyo.Var(list(at.place), bounds=(0.0, 1.0))
    at.parts = pyo.Constraint(
        list(at.earned),
        rule=lambda at, j: at.earned[j] <= pyo.quicksum(at.part[j, r] for r in machines),
    )

    def below(at: pyo.ConcreteModel, j: int, k: int, r: int) -> object:
        intercept, slope = of_segment[j, k]
        steep = slope * float(model.most[j, r])
        return at.part[j, r] <= intercept * at.place[j, r] + steep * at.share[j, r]

    at.perspective = pyo.Constraint([(*key, r) for key in of_segment for r in machines], rule=below)
    for (j, r), part in at.part.items():
        part.set_value(at.earned[j].value if at.place[j, r].value else 0.0)


def bounded_by_relaxation(model: Model) -> None:
    """The fractional bound as a row."""
    most = (upper_bound(model.instance) - model.base) / model.unit
    model.pyomo.relaxed = pyo.Constraint(expr=model.pyomo.gain.expr <= most)


def equal_machines(instance: Instance) -> list[tuple[int, int]]:
    """Pairs of consecutive machines (one, next) among those of the same speed and efficiency."""
    seen: dict[tuple[float, float], int] = {}
    pairs = []
    for r, kind in enumerate(zip(instance.speeds, instance.efficiencies, strict=True)):
        if kind in seen:
            pairs.append((seen[kind], r))
        seen[kind] = r
    return pairs


def relabelled(model: Model, order: list[int]) -> Ints:
    """The assignment of the warm start with equal machines in the order of their first tasks."""
    machine_of = model.machine_of()
    first = {int(r): position for position, r in reversed(list(enumerate(machine_of[order])))}
    kinds: dict[tuple[float, float], list[int]] = {}
    instance = model.instance
    for r in range(instance.num_machines):
        kinds.setdefault((instance.speeds[r], instance.efficiencies[r]), []).append(r)
    label = np.append(np.arange(instance.num_machines), -1)  # index -1 stands for none
    for alike in kinds.values():
        for new, old in zip(
            alike, sorted(alike, key=lambda r: first.get(r, len(order))), strict=True
        ):
            label[old] = new
    return label[machine_of]


def ordered_machines(model: Model) -> None:
    """Equal machines: a task may use the next only if a larger one uses the one before."""
    at = model.pyomo
    order = np.argsort(-model.instance.max_work, kind="stable").tolist()
    model.set_values(allocate(model.instance, relabelled(model, order)))
    at.ordered = pyo.ConstraintList()
    for one, following in equal_machines(model.instance):
        for position, j in enumerate(order):
            larger = pyo.quicksum(at.place[i, one] for i in order[:position])
            at.ordered.add(at.place[j, following] <= larger)


VARIANTS: dict[str, Callable[[Model], None]] = {
    "plain": plain,
    "prefixes written out": written_out_prefixes,
    "energy names every share": energy_names_every_share,
    "lines above the curve": lines_above_the_curve,
    "gain by machine": gain_by_machine,
    "bounded by the relaxation": bounded_by_relaxation,
}
SYMMETRY: dict[str, Callable[[Model], None]] = {
    "plain": plain,
    "ordered machines": ordered_machines,
}
STARTS = ("approx-refined", "annealing")


@dataclass(frozen=True)
class Run:
    """One run: wall time, relative gap, bound and accuracy a task."""

    seconds: float
    gap: float
    bound: float
    total: float


def run(instance: Instance, variant: Callable[[Model], None], limit: float) -> Run:
    start = make_solver("approx-refined").solve(instance).schedule
    model = build_model(instance)
    assert model is not None
    model.set_values(start)
    variant(model)
    gap = GAP * start.total_accuracy / model.unit
    began = time.perf_counter()
    outcome = highs.run_highs(model, Limits(limit, gap, threads=1, seed=0), None)
    seconds = time.perf_counter() - began
    best = max(allocate(instance, model.machine_of()).total_accuracy, start.total_accuracy)
    bound = model.base + model.unit * (outcome.bound or math.inf)
    n = instance.num_tasks
    return Run(seconds, (bound - best) / best, bound / n, best / n)


def run_from(instance: Instance, start: str, limit: float) -> Run:
    solver = Mip(relative_gap=GAP, threads=1, start=start)
    solution = solver.solve(instance, time_limit=limit, seed=0)
    bound, best = solution.upper_bound, solution.schedule.total_accuracy
    assert bound is not None
    n = instance.num_tasks
    return Run(solution.seconds, (bound - best) / best, bound / n, best / n)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=20.0)
    arguments.add_argument("--equal-machines", action="store_true")
    arguments.add_argument("--starts", action="store_true")
    arguments.add_argument("--only", nargs="*")
    chosen = arguments.parse_args()
    suite = instances_with_equal_machines() if chosen.equal_machines else instances()
    tried: dict[str, Callable[[Instance], Run]] = {
        name: partial(run, variant=variant, limit=chosen.seconds)
        for name, variant in (SYMMETRY if chosen.equal_machines else VARIANTS).items()
    }
    if chosen.starts:
        Mip().solve(suite[0], time_limit=0.5)  # compiles, or loads from the cache
        tried = {name: partial(run_from, start=name, limit=chosen.seconds) for name in STARTS}
    print("| variant | proven | mean gap | mean bound | mean accuracy | seconds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, once in tried.items():
        if chosen.only and name not in chosen.only:
            continue
        runs = [once(instance) for instance in suite]
        proven = sum(r.gap <= GAP * 1.01 for r in runs)
        gap, bound, total = (
            np.mean([getattr(r, f) for r in runs]) for f in ("gap", "bound", "total")
        )
        seconds = math.exp(np.mean([math.log(r.seconds) for r in runs]))
        print(
            f"| {name} | {proven} of {len(runs)} | {gap:.3%} | {bound:.5f} | {total:.5f} "
            f"| {seconds:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
