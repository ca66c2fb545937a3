"""Draws the instances of the suites, once: a suite that is there is left as it is.

    python benchmarks/build_suites.py

mu, rho and beta are spread by a Latin hypercube over [1, 20], [0.2, 1] and [0.1, 1], the numbers of
tasks and machines over the ranges of the suite. The first references are those of `approx-refined`
with the fractional bound; `dsct-gym improve` replaces them by better ones.
"""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
from scipy.stats import qmc

from dsct_gym.atomic import write_bytes, write_text
from dsct_gym.catalog import families
from dsct_gym.files import instance_text
from dsct_gym.generator import generate
from dsct_gym.solver import make_solver
from dsct_gym.suites import suite
from dsct_gym.suites.improving import write_references

DESCRIPTIONS = {
    "tiny": "4 to 12 tasks on 2 to 4 machines",
    "small": "20 to 50 tasks on 3 to 5 machines",
    "medium": "100 to 200 tasks on 5 to 10 machines",
    "large": "1,000 to 10,000 tasks on 10 to 50 machines",
    "devices": "30 to 120 requests for real model families on 3 to 8 real GPUs",
}
SIZES = {
    "tiny": (24, (4, 12), (2, 4)),
    "small": (24, (20, 50), (3, 5)),
    "medium": (20, (100, 200), (5, 10)),
    "large": (20, (1_000, 10_000), (10, 50)),
    "devices": (24, (30, 120), (3, 8)),
}
SEEDS = {"tiny": 101, "small": 102, "medium": 103, "large": 104, "devices": 105}
DATA_CENTRE = ["T4", "V100", "A100", "A30", "A40", "L4", "L40S", "H100", "H200", "P100", "M40"]
EDGE = ["Jetson-Nano", "Jetson-TX2", "Jetson-Xavier-NX", "Jetson-AGX-Xavier", "Jetson-Orin-Nano"]
WORKSTATION = ["RTX-2080-Ti", "RTX-3090", "RTX-4090", "GTX-1080-Ti", "TITAN-V", "RTX-A2000"]


def scenarios(name: str) -> list[dict[str, object]]:
    """One scenario for each instance of a suite."""
    count, tasks, machines = SIZES[name]
    points = qmc.LatinHypercube(d=5, seed=SEEDS[name]).random(count)
    rng = np.random.default_rng(SEEDS[name])
    sizes = np.log(tasks)
    drawn = []
    for index, (n, m, mu, rho, beta) in enumerate(points):
        scenario: dict[str, object] = {
            "n": round(float(np.exp(sizes[0] + n * (sizes[1] - sizes[0])))),
            "m": round(machines[0] + m * (machines[1] - machines[0])),
            "mu": round(1 + 19 * float(mu), 2),
            "rho": round(0.2 + 0.8 * float(rho), 3),
            "beta": round(0.1 + 0.9 * float(beta), 3),
            "seed": SEEDS[name] * 1_000 + index,
        }
        if name == "devices":
            rooms = (DATA_CENTRE, DATA_CENTRE, DATA_CENTRE + WORKSTATION, EDGE)
            room = rooms[index % len(rooms)]
            chosen = rng.choice(room, size=min(int(scenario["m"]), len(room)), replace=False)
            scenario["devices"] = sorted(chosen.tolist(), key=room.index)
            del scenario["m"]
            names = [family.name for family in families()]
            scenario["family"] = names[index % len(names)]
        drawn.append(scenario)
    return drawn


def build(name: str, data: Path) -> None:
    """Writes the files of one suite."""
    folder = data / name
    folder.mkdir(parents=True)
    entries, rows = [], []
    for index, scenario in enumerate(scenarios(name)):
        label = f"{name}-{index:02d}"
        instance = generate(**scenario, name=label)
        content = instance_text(instance).encode()
        file = f"{label}.json.gz" if instance.num_tasks > 300 else f"{label}.json"
        packed = gzip.compress(content, 9, mtime=0) if file.endswith(".gz") else content
        write_bytes(folder / file, packed)
        entries.append({"file": file, "sha256": suite.checksum(content), "scenario": scenario})
        solution = make_solver("approx-refined").solve(instance)
        rows.append(
            suite.Row(
                instance=label,
                total_accuracy=solution.schedule.total_accuracy,
                found_by="approx-refined",
                upper_bound=solution.upper_bound,
                bound_by="fractional",
                machine_of=solution.schedule.machine.tolist(),
            )
        )
    lines = ",\n".join("  " + json.dumps(entry) for entry in entries)
    order = list(DESCRIPTIONS).index(name) + 1
    heading = f' "description": {json.dumps(DESCRIPTIONS[name])},\n "order": {order},\n'
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
