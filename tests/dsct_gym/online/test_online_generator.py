"""Random problems whose tasks arrive: what follows from what, by hand, and the command."""

import json

import numpy as np
import pytest

import dsct_gym
from dsct_gym.cli import run as command
from dsct_gym.errors import InputError
from dsct_gym.files import write_instance
from dsct_gym.generator import Scenario
from dsct_gym.online import OnlineInstance
from dsct_gym.online.arrivals import Poisson, bursty
from dsct_gym.online.generator import OnlineScenario, generate_online


def expected_work(mu):
    """Mean of −ln(0.01) / θ over θ uniform on 0.1..0.1·mu, worked out by numbers."""
    theta = 0.1 * (1.0 + (mu - 1.0) * (np.arange(100_000) + 0.5) / 100_000)
    return float((-np.log(0.01) / theta).mean())


@pytest.mark.parametrize(("mu", "rho", "beta"), [(1.0, 0.35, 0.5), (10.0, 0.6, 0.3)])
def test_horizon_budget_and_latencies(mu, rho, beta):
    problem = generate_online(80, 4, mu=mu, rho=rho, beta=beta, tolerance=(0.5, 2.0), seed=3)
    core, work = problem.core, expected_work(mu)
    assert problem.horizon == pytest.approx(rho * 80 * work / core.speeds.sum(), rel=1e-6)
    assert core.energy_budget == pytest.approx(beta * problem.horizon * core.powers.sum())
    unit = work / core.speeds.mean()
    latency = (core.deadlines - problem.arrivals) / unit
    assert latency.min() >= 0.5 * (1 - 1e-6)
    assert latency.max() <= 2.0 * (1 + 1e-6)
    assert latency.std() > 0.2


def test_what_everybody_knows_does_not_tell_how_many_come():
    drawn = [generate_online(60, 3, seed=seed, speed=5e3, efficiency=20.0) for seed in range(12)]
    assert len({problem.horizon for problem in drawn}) == 1
    assert len({problem.core.energy_budget for problem in drawn}) == 1
    sizes = {problem.core.num_tasks for problem in drawn}
    assert len(sizes) > 5
    assert all(20 < size < 120 for size in sizes)


def test_a_seed_gives_one_problem_and_files_keep_it(tmp_path):
    one, same = (generate_online(40, arrivals="bursty", seed=5, name="x") for _ in range(2))
    assert one == same
    assert one != generate_online(40, arrivals="bursty", seed=6, name="x")
    path = tmp_path / "x.json"
    write_instance(one, path)
    assert dsct_gym.load(path) == one


def test_ways_to_say_the_same():
    by_name = generate_online(30, arrivals={"name": "bursty", "factor": 4.0}, seed=1)
    assert by_name == generate_online(30, arrivals=bursty(factor=4.0), seed=1)
    scenario = OnlineScenario(Scenario(n=(20, 40), m=(2, 4), mu=(1.0, 5.0)), Poisson(), 1.0)
    rng = np.random.default_rng(0)
    drawn = [scenario.sample(rng, name="y") for _ in range(8)]
    assert len({problem.core.num_machines for problem in drawn}) > 1
    assert all(isinstance(problem, OnlineInstance) for problem in drawn)
    assert drawn[0].name == "y"


def test_families_and_devices():
    problem = generate_online(30, devices="T4,V100", family="ofa-resnet50", mu=4.0, seed=2)
    assert problem.core.machine_names == ("T4", "V100")
    many = generate_online(4_000, devices="T4,V100", family="ofa-resnet50", mu=4.0, seed=2)
    mean = many.core.max_work.mean()
    scenario = Scenario(n=1, devices="T4,V100", family="ofa-resnet50", mu=4.0)
    assert scenario.expected_work(4.0) == pytest.approx(mean, rel=0.03)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"tolerance": 0.0}, "tolerance: must be in"),
        ({"tolerance": (2.0, 1.0)}, "tolerance: range from 2 down to 1"),
        ({"arrivals": "never"}, "arrivals: no process 'never'"),
        ({"rho": -1.0}, "rho: must be in"),
        ({"n": 0}, "n: must be at least 1"),
        ({"seed": -1}, "seed: must be at least 0"),
        ({"arrivals": "azure-code", "n": 10_000}, "trace: 10000 arrivals are expected of at most"),
    ],
)
def test_faults_are_named(options, fault):
    with pytest.raises(InputError, match=fault):
        generate_online(**options)


class TestCommand:
    def test_it_writes_an_online_file(self, tmp_path, capsys):
        path = tmp_path / "online.json"
        asked = ["generate", "--arrivals", "bursty[factor=4]", "-n", "30", "-m", "3"]
        assert command([*asked, "--tolerance", "0.5,1", "--seed", "4", "-o", str(path)]) == 0
        expected = generate_online(
            30, 3, arrivals={"name": "bursty", "factor": 4}, tolerance=(0.5, 1.0), seed=4
        )
        assert dsct_gym.load(path) == expected

    def test_a_trace_of_ones_own(self, tmp_path, capsys):
        trace = tmp_path / "mine.csv"
        trace.write_text("\n".join(str(i**1.1) for i in range(500)), encoding="utf-8")
        assert command(["generate", "--arrivals", str(trace), "-n", "20"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert len(document["tasks"]) == pytest.approx(20, abs=3)

    @pytest.mark.parametrize(
        ("asked", "fault"),
        [
            (["--tolerance", "1,2"], "--tolerance: needs --arrivals"),
            (["--arrivals", "poisson", "--points", "3"], "--points: not with --arrivals"),
            (["--arrivals", "poisson", "--tolerance", "a"], "tolerance: must be LOW,HIGH"),
            (["--arrivals", "poisson", "--tolerance", "nan"], "tolerance: must be in"),
            (["--arrivals", "poison"], "arrivals: no process 'poison'"),
            (["--arrivals", "poisson[rate=3]"], "rate: arrivals 'poisson' has no such option"),
            (["--arrivals", "bursty[name=poisson]"], "name: "),
        ],
    )
    def test_refusals(self, asked, fault, capsys):
        assert command(["generate", *asked]) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert fault in told
