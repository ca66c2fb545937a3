"""One GPU seen from both sides: its clocks in a schedule and in a service, from the same table.

python examples/serve_and_schedule.py [REQUESTS]

First tasks that are compressible (a family of once-for-all networks) are scheduled on it under
deadlines and an energy budget, each at a mix of its clocks; then requests are batched and served on
it, within an objective of latency.
"""

import sys

import numpy as np

from dsct_gym import generate, make_solver
from dsct_gym.serving.agent import Situation, make_agent
from dsct_gym.serving.gpu import gpu
from dsct_gym.serving.networks import network
from dsct_gym.serving.operating import serving_points
from dsct_gym.serving.prediction import predicted_table
from dsct_gym.serving.profile import table_of

REQUESTS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
card, served = gpu("V100"), network("resnet50")

tasks = generate(50, devices=card.name, family="ofa-resnet50", rho=0.5, beta=0.4, seed=0)
problem = serving_points(tasks, served, 6)
for power, speed in zip(problem.points[0].powers, problem.points[0].speeds, strict=True):
    print(f"{speed / 1e3:6.2f} TFLOP/s at {power:5.1f} W: {speed / power:.1f} GFLOP/J")
for solver, instance in (("one clock", problem.core), ("six clocks", problem)):
    schedule = make_solver("approx-refined").solve(instance).schedule
    print(f"{solver}: mean accuracy {schedule.mean_accuracy:.4f} with {schedule.energy:.2f} J")

truth, believed = table_of(card, served, 64), predicted_table(card, served, 64)
rng = np.random.default_rng(0)
sample, arrivals = (np.cumsum(rng.exponential(1 / 500.0, REQUESTS)) for _ in range(2))
situation = Situation(believed, objective=0.05, sample=sample[:20_000])
for name in ("fmax-greedy", "eali"):
    outcome = make_agent(name).serve(situation, truth, arrivals)
    energy = 1e3 * outcome.energy_per_request
    print(f"{name}: {energy:.0f} mJ a request, {outcome.violations:.2%} later than 50 ms")
