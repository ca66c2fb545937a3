"""Draws the instances of the suites, once: a suite that is there is left as it is.

    python benchmarks/build_suites.py

mu, rho and beta are spread by a Latin hypercube over [1, 20], [0.2, 1] and [0.1, 1], the numbers of
tasks and machines over the ranges of the suite. The first references are those of `approx-refined`
with the fractional bound; `dsct-gym improve` replaces them by better ones. Machines of `dvfs` have
operating points, measured ones where they are devices and drawn ones elsewhere; its references are
the best of `annealing` and `exact`, its bounds those of `exact` within a quarter of a minute.
Tasks of `online-…` arrive; their references are those of `hindsight`, their bounds those of
`capped`. n is then the number expected, and what is drawn has `LEAST` tasks or more.
`timeliness` has training jobs with soft deadlines, three shapes of the penalty, tight to loose
deadlines and several prices of energy; its references are found in the same way.
"""

import gzip
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import qmc

from dsct_gym.atomic import write_bytes, write_text
from dsct_gym.catalog import families
from dsct_gym.catalog.clocks import measured
from dsct_gym.documents import schedule_document
from dsct_gym.files import instance_text
from dsct_gym.generator import generate
from dsct_gym.instance import Instance
from dsct_gym.online import OnlineInstance
from dsct_gym.online.arrivals.shipped import NEVER_TRAINED_ON, TESTING, TRACES
from dsct_gym.online.capped import capped_bound
from dsct_gym.online.generator import generate_online
from dsct_gym.points.generator import draw_points, measured_points
from dsct_gym.problem import Problem
from dsct_gym.relaxation import upper_bound
from dsct_gym.schedule import value
from dsct_gym.soft import SoftInstance
from dsct_gym.soft.generator import training_jobs
from dsct_gym.solver import Solution, make_solver
from dsct_gym.suites import suite
from dsct_gym.suites.improving import write_references

DESCRIPTIONS = {
    "tiny": "4 to 12 tasks on 2 to 4 machines",
    "small": "20 to 50 tasks on 3 to 5 machines",
    "medium": "100 to 200 tasks on 5 to 10 machines",
    "large": "1,000 to 10,000 tasks on 10 to 50 machines",
    "devices": "30 to 120 requests for real model families on 3 to 8 real GPUs",
    "dvfs": "6 to 200 tasks on 2 to 8 machines with several clocks, half of them measured",
    "online-poisson": "about 50 to 1,000 tasks that arrive at a steady rate, on 3 to 16 machines",
    "online-bursty": "about 50 to 1,000 tasks that arrive in bursts, on 3 to 16 machines",
    "online-trace": "about 50 to 1,000 tasks that arrive as in four traces, on 3 to 16 machines",
    "timeliness": "10 to 60 training jobs with soft deadlines on 2 to 6 real GPUs",
}
SIZES = {
    "tiny": (24, (4, 12), (2, 4)),
    "small": (24, (20, 50), (3, 5)),
    "medium": (20, (100, 200), (5, 10)),
    "large": (20, (1_000, 10_000), (10, 50)),
    "devices": (24, (30, 120), (3, 8)),
}
SEEDS = {"tiny": 101, "small": 102, "medium": 103, "large": 104, "devices": 105, "dvfs": 106}
SEEDS["timeliness"] = 107
TIMELINESS = (
    # jobs, GPUs, tolerance of deadlines, price of energy, share of whole jobs, budget
    (10, 2, 0.6, 0.1, 1.0, None),
    (12, 3, 1.0, 0.3, 1.0, None),
    (20, 3, 1.5, 0.0, 1.0, None),
    (30, 4, 0.8, 0.1, 1.0, None),
    (40, 4, 0.5, 0.3, 1.0, None),
    (40, 5, 0.8, 0.1, 0.5, None),
    (50, 5, 1.2, 0.0, 0.3, 0.4),
    (60, 6, 0.6, 0.1, 0.5, 0.6),
)
SHAPES = ("step", "linear", "exponential")
GPUS = ["P100", "GTX-1080-Ti", "RTX-2080-Ti", "V100", "RTX-3090", "A100"]
SEEDS |= {"online-poisson": 107, "online-bursty": 108, "online-trace": 109}
DVFS_SIZES = (((6, 15), (2, 3)), ((30, 50), (3, 5)), ((100, 200), (5, 8)))
DVFS_COUNT = 8  # of each size
POINTS = (4, 8)
ONLINE_SIZES = ((20, (50, 300), (3, 8)), (4, (400, 1_000), (8, 16)))
LATENCIES = ([0.15, 0.75], [0.15, 1.5], [0.15, 3.0])
BURSTS = {"factor": (4.0, 20.0), "share": (0.1, 0.3), "length": (0.02, 0.15)}
TEST_PARTS = [
    {"name": name} if name == NEVER_TRAINED_ON else {"name": name, **TESTING} for name in TRACES
]
LEAST = 20
BASELINE = "price"
SECONDS = 15.0
WALK, WALK_A_TASK = 4.0, 0.03  # s
DATA_CENTRE = ["T4", "V100", "A100", "A30", "A40", "L4", "L40S", "H100", "H200", "P100", "M40"]
EDGE = ["Jetson-Nano", "Jetson-TX2", "Jetson-Xavier-NX", "Jetson-AGX-Xavier", "Jetson-Orin-Nano"]
WORKSTATION = ["RTX-2080-Ti", "RTX-3090", "RTX-4090", "GTX-1080-Ti", "TITAN-V", "RTX-A2000"]


def scenarios(name: str) -> list[dict[str, Any]]:
    """One scenario for each instance of a suite."""
    if name == "dvfs":
        return dvfs_scenarios()
    if name == "timeliness":
        return timeliness_scenarios()
    if name.startswith("online-"):
        return online_scenarios(name)
    count, tasks, machines = SIZES[name]
    drawn = spread(count, tasks, machines, SEEDS[name])
    if name == "devices":
        rooms = (DATA_CENTRE, DATA_CENTRE, DATA_CENTRE + WORKSTATION, EDGE)
        furnish(drawn, rooms, SEEDS[name])
    return drawn


def dvfs_scenarios() -> list[dict[str, Any]]:
    """Eight scenarios of each size; every other has devices whose clocks were measured."""
    drawn: list[dict[str, Any]] = []
    for tasks, machines in DVFS_SIZES:
        drawn += spread(DVFS_COUNT, tasks, machines, SEEDS["dvfs"], first=len(drawn))
    rng = np.random.default_rng(SEEDS["dvfs"])
    for scenario in drawn:
        scenario["points"] = int(rng.integers(*POINTS, endpoint=True))
    furnish(drawn[1::2], (measured(),), SEEDS["dvfs"])
    return drawn


def timeliness_scenarios() -> list[dict[str, Any]]:
    """Eight scenarios for each shape of the penalty, two of them small enough to be proven."""
    rng = np.random.default_rng(SEEDS["timeliness"])
    drawn = []
    for shape in SHAPES:
        for n, m, rho, price, whole, beta in TIMELINESS:
            scenario = {"n": n, "penalty": shape, "rho": rho, "price": price, "whole": whole}
            scenario["beta"] = beta
            scenario["devices"] = sorted(rng.choice(GPUS, m, replace=False).tolist())
            scenario["seed"] = SEEDS["timeliness"] * 1_000 + len(drawn)
            drawn.append(scenario)
    return drawn


def online_scenarios(name: str) -> list[dict[str, Any]]:
    """Scenarios whose tasks arrive; in those of traces, every other has devices and families."""
    drawn: list[dict[str, Any]] = []
    for count, tasks, machines in ONLINE_SIZES:
        drawn += spread(count, tasks, machines, SEEDS[name], first=len(drawn))
    if name == "online-trace":
        furnish(drawn[: ONLINE_SIZES[0][0] : 2], (DATA_CENTRE,), SEEDS[name])
    rng = np.random.default_rng(SEEDS[name])
    for index, scenario in enumerate(drawn):
        scenario["tolerance"] = LATENCIES[index % len(LATENCIES)]
        if name == "online-poisson":
            scenario["arrivals"] = {"name": "poisson"}
        elif name == "online-bursty":
            bursts = {key: round(float(rng.uniform(*ends)), 3) for key, ends in BURSTS.items()}
            scenario["arrivals"] = {"name": "bursty", **bursts}
        else:
            scenario["arrivals"] = TEST_PARTS[index // 2 % len(TEST_PARTS)]
        while generate_online(**scenario).core.num_tasks < LEAST:
            scenario["seed"] += 1_000_000
    return drawn


def spread(
    count: int, tasks: tuple[int, int], machines: tuple[int, int], seed: int, *, first: int = 0
) -> list[dict[str, Any]]:
    """Scenarios by a Latin hypercube, the first of them the so-manieth of its suite."""
    points = qmc.LatinHypercube(d=5, seed=seed + first).random(count)
    sizes = np.log(tasks)
    return [
        {
            "n": round(float(np.exp(sizes[0] + n * (sizes[1] - sizes[0])))),
            "m": round(machines[0] + m * (machines[1] - machines[0])),
            "mu": round(1 + 19 * float(mu), 2),
            "rho": round(0.2 + 0.8 * float(rho), 3),
            "beta": round(0.1 + 0.9 * float(beta), 3),
            "seed": seed * 1_000 + first + index,
        }
        for index, (n, m, mu, rho, beta) in enumerate(points)
    ]


def furnish(drawn: list[dict[str, Any]], rooms: Sequence[Sequence[str]], seed: int) -> None:
    """Replaces machines by devices of a room, no two alike, and curves by those of a family."""
    rng = np.random.default_rng(seed)
    names = [family.name for family in families()]
    for index, scenario in enumerate(drawn):
        room = list(rooms[index % len(rooms)])
        chosen = rng.choice(room, size=min(scenario.pop("m"), len(room)), replace=False)
        scenario["devices"] = sorted(chosen.tolist(), key=room.index)
        scenario["family"] = names[index % len(names)]


def draw(scenario: dict[str, Any], label: str) -> Problem:
    """The problem of a scenario."""
    recipe = dict(scenario)
    if "penalty" in recipe:
        return training_jobs(**recipe, name=label)
    if "arrivals" in recipe:
        return generate_online(**recipe, name=label)
    points = recipe.pop("points", None)
    instance = generate(**recipe, name=label)
    if points is None:
        return instance
    if instance.machine_names is not None:
        return measured_points(instance, points)
    return draw_points(instance, points, seed=recipe["seed"])


def known_of(problem: Problem) -> suite.Row:
    """The first that is known of a problem: quick, but where a variant has to prove its own."""
    if isinstance(problem, SoftInstance):
        return known_of_soft(problem)
    if isinstance(problem, OnlineInstance):
        return in_hindsight(problem)
    fast = make_solver("approx-refined").solve(problem)
    if isinstance(problem, Instance):
        return row(fast, fast.upper_bound, "fractional")
    searched = make_solver("annealing").solve(problem, time_limit=SECONDS / 3, seed=0)
    proved = make_solver("exact", tolerance=1e-6).solve(problem, time_limit=SECONDS, seed=0)
    best = max((proved, searched, fast), key=lambda each: each.schedule.total_accuracy)
    fractional = upper_bound(problem)
    assert proved.upper_bound is not None
    tighter = proved.upper_bound < fractional
    return row(best, min(proved.upper_bound, fractional), "exact" if tighter else "fractional")


def known_of_soft(problem: SoftInstance) -> suite.Row:
    """The best of three walks and of `exact`, with the least of its bound and the others."""
    annealing = make_solver("annealing")
    found = [annealing.solve(problem, time_limit=SECONDS / 2, seed=seed) for seed in range(3)]
    found.append(make_solver("exact", tolerance=1e-6).solve(problem, time_limit=SECONDS, seed=0))
    best = max((each.schedule for each in found), key=value)
    bounds = {"exact": found[-1].upper_bound or np.inf, "fractional": upper_bound(problem)}
    proved_by = min(bounds, key=bounds.__getitem__)
    document = schedule_document(best.credited(upper_bound=bounds[proved_by]))
    return suite.Row(
        instance=str(problem.name),
        value=value(best),
        found_by=str(best.solver),
        upper_bound=bounds[proved_by],
        bound_by=proved_by,
        schedule=document,
    )


def in_hindsight(problem: OnlineInstance) -> suite.Row:
    """The best of a walk with full knowledge, and the bound for tasks that are not split."""
    seconds = WALK + problem.core.num_tasks * WALK_A_TASK
    schedule = make_solver("hindsight").solve(problem, time_limit=seconds, seed=0).schedule
    bound = capped_bound(problem)
    return suite.Row.of(
        suite.Reference(
            instance=problem,
            value=schedule.total_accuracy,
            found_by=str(schedule.solver),
            upper_bound=bound,
            bound_by="capped",
            document=schedule_document(schedule),
        )
    )


def row(solution: Solution, bound: float | None, bound_by: str) -> suite.Row:
    """A solution as a reference."""
    schedule = solution.schedule
    assert bound is not None
    return suite.Row(
        instance=str(schedule.instance.name),
        total_accuracy=schedule.total_accuracy,
        found_by=str(schedule.solver),
        upper_bound=bound,
        bound_by=bound_by,
        machine_of=schedule.machine.tolist(),
    )


def build(name: str, data: Path) -> None:
    """Writes the files of one suite."""
    folder = data / name
    folder.mkdir(parents=True)
    entries, rows, needs = [], [], set[str]()
    for index, scenario in enumerate(scenarios(name)):
        label = f"{name}-{index:02d}"
        problem = draw(scenario, label)
        needs |= problem.needs
        content = instance_text(problem).encode()
        large = problem.core.num_tasks > 300 or "arrivals" in problem.needs
        file = f"{label}.json.gz" if large else f"{label}.json"
        packed = gzip.compress(content, 9, mtime=0) if file.endswith(".gz") else content
        write_bytes(folder / file, packed)
        entries.append({"file": file, "sha256": suite.checksum(content), "scenario": scenario})
        rows.append(known_of(problem))
        print(f"{label}: {problem.core.num_tasks} tasks", file=sys.stderr)
    lines = ",\n".join("  " + json.dumps(entry) for entry in entries)
    order = list(DESCRIPTIONS).index(name) + 1
    heading = f' "description": {json.dumps(DESCRIPTIONS[name])},\n "order": {order},\n'
    if needs:
        heading += f' "needs": {json.dumps(sorted(needs))},\n'
    if "soft" in needs:
        heading += ' "baseline": "atc",\n'
    if "arrivals" in needs:
        heading += f' "baseline": "{BASELINE}",\n'
    manifest = f'{{\n{heading} "instances": [\n{lines}\n ]\n}}\n'
    write_text(folder / suite.MANIFEST, manifest)
    write_references(folder, rows)


def main() -> None:
    data = Path(str(suite.data_folder()))
    for name in DESCRIPTIONS:
        if (data / name).exists():
            print(f"{name}: is there, left as it is", file=sys.stderr)
        else:
            build(name, data)


if __name__ == "__main__":
    main()
