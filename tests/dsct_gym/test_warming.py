"""Compilation is nobody's time: it is over before a clock starts, and nothing is left for later."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dsct_gym.kernel_cache import COMPILING
from dsct_gym.problem import knowledge_of
from dsct_gym.registration import ENVIRONMENTS, SERVICE
from dsct_gym.solver import find_solver, solver_entry_points
from playing import ARRIVING

TESTS = Path(__file__).parents[1]

READY = """
import gc, sys
from collections import Counter
from numba.core.dispatcher import Dispatcher
import numpy as np
import dsct_gym
from dsct_gym import generate, make_solver
sys.path.append(TESTS)
from shapes import EDGE_CASES

def ready():
    "How many kinds of arguments each kernel and helper has been compiled or loaded for."
    kinds = Counter()
    for thing in gc.get_objects():
        if isinstance(thing, Dispatcher):
            kinds[thing.__module__, thing.__name__] += len(thing.overloads)
    return kinds

def check(before, where):
    late = [name for name, kinds in ready().items() if kinds > before[name]]
    assert not late, (where, late)

instances = {
    **EDGE_CASES,
    "one segment": generate(6, 3, segments=1, seed=2),
    "many segments": generate(5, 2, segments=64, seed=2),
    "real": generate(10, devices="T4,V100", family="ofa-resnet50", seed=1),
    "large": generate(200, 8, seed=3),
}
"""

SOLVER = """
solver = make_solver(NAME)
solver.warm_up()
before = ready()
for label, instance in instances.items():
    for limit in (0.1, 1e-9):
        solver.solve(instance, time_limit=limit, seed=0)
        check(before, label)
"""

CLOCKS = """
from dsct_gym.points.generator import draw_points
from dsct_gym.toy import toy, toy_like
solver = make_solver(NAME)
solver.warm_up()
solver.practise(toy_like(draw_points(toy(), 2)))
before = ready()
for label, instance in instances.items():
    for count in (1, 4):
        solver.solve(draw_points(instance, count), time_limit=0.1, seed=0)
        check(before, (label, count))
"""

BOUND = """
from dsct_gym.bounds import find_bound, warm_up_bound
warm_up_bound(NAME)
before = ready()
for label, instance in instances.items():
    find_bound(NAME)(instance, time_limit=0.3)
    check(before, label)
"""

ENVIRONMENT = """
import gymnasium
for guidance in (False, True):
    for source in (
        {"n": (1, 5), "m": (1, 3), "beta": (0.1, 1.0)},
        {"instance": instances["ragged curves"]},
        DRAWN,
    ):
        single = gymnasium.make(NAME, guidance=guidance, **source)
        batch = gymnasium.make_vec(
            NAME, 3, vectorization_mode="vector_entry_point", guidance=guidance, **source
        )
        before = ready()
        for given in (None, instances["one of each"]):
            single.reset(seed=0, options=given and {"instance": given})
            over = False
            while not over:
                over = single.step(single.action_space.sample())[2]
        batch.reset(seed=0)
        for _ in range(7):
            batch.step(batch.action_space.sample())
        check(before, source)
"""

SERVING = """
import numpy as np
from dsct_gym.serving.agent import Situation, make_agent
from dsct_gym.serving.gpu import gpu
from dsct_gym.serving.networks import network
from dsct_gym.serving.prediction import predicted_table
from dsct_gym.serving.profile import table_of
from dsct_gym.serving.warming import warm_up_serving
warm_up_serving()
before = ready()
card, served = gpu("V100"), network("googlenet")
gaps = np.repeat([6e-3, 1.5e-3], 800)  # a rate that changes, which replan has rules for
arrivals = np.cumsum(np.random.default_rng(0).exponential(gaps))
for label in ("static", "batchdvfs", "eais", "eali", "replan", "rl-service"):
    situation = Situation(predicted_table(card, served, 8), 12e-3, arrivals, 0.01)
    make_agent(label).serve(situation, table_of(card, served, 8), arrivals, lambda share: None)
    check(before, label)
"""

SERVICE_STEPS = """
import gymnasium
from dsct_gym.warming import _warm_service
_warm_service(NAME)
before = ready()
for clocks in ("batch", "unit"):
    options = {"load": (0.2, 0.9), "arrivals": "bursty", "requests": 30, "clocks": clocks}
    single = gymnasium.make(NAME, **options)
    batch = gymnasium.make_vec(NAME, 3, vectorization_mode="vector_entry_point", **options)
    batch.reset(seed=0)
    single.reset(seed=0)
    over = False
    while not over:
        over = single.step(single.action_space.sample())[2]
        batch.step(batch.action_space.sample())
    check(before, clocks)
"""


def run(script: str, **names: object) -> None:
    head = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    head += f"TESTS = {str(TESTS)!r}\n"
    done = subprocess.run(
        [sys.executable, "-c", head + READY + script], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", solver_entry_points())
def test_a_warm_solver_has_all_that_any_instance_asks_for(name):
    run(SOLVER, NAME=name)


KNOWING = [name for name in solver_entry_points() if "points" in knowledge_of(find_solver(name))]


@pytest.mark.parametrize("name", KNOWING)
def test_so_has_one_warm_for_machines_with_clocks(name):
    run(CLOCKS, NAME=name)


@pytest.mark.parametrize("name", ["fractional", "columns"])
def test_so_has_a_warm_bound(name):
    run(BOUND, NAME=name)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_that_has_been_made_has_all_that_an_episode_asks_for(name):
    real = {"n": 4, "m": None, "devices": "T4,V100", "family": "ofa-resnet50"}
    # Tasks that arrive are drawn by another scenario, without a catalogue.
    run(ENVIRONMENT, NAME=name, DRAWN={"n": 4, "burstiness": 8.0} if name in ARRIVING else real)


def test_so_has_warm_serving():
    run(SERVING)


def test_so_has_the_environment_of_a_service():
    run(SERVICE_STEPS, NAME=SERVICE)


def test_compilation_is_told_and_counts_nowhere(tmp_path):
    script = """
from dsct_gym import generate, make_solver
import time
started = time.perf_counter()
solution = make_solver("edf-no-compression").solve(generate(10, 3, seed=0), time_limit=1.0)
print(solution.seconds, time.perf_counter() - started)
"""
    cold = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    for said in ([COMPILING], []):
        done = subprocess.run(
            [sys.executable, "-c", script], env=cold, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr.splitlines() == said
        seconds, passed = map(float, re.findall(r"\S+", done.stdout))
        assert seconds < 0.1 * passed
