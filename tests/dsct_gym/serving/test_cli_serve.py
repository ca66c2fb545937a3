"""``dsct-gym serve`` and the streams that it serves."""

import json

import numpy as np
import pytest

from dsct_gym.cli import run
from dsct_gym.errors import InputError
from dsct_gym.online.arrivals import Poisson, Replay
from dsct_gym.serving.requests import draw_streams, recorded_streams

KEYS = {
    "mean_latency",
    "p50",
    "p99",
    "violations",
    "energy_per_request",
    "busy_energy_per_request",
    "throughput",
    "mean_batch",
    "switches",
}
SHORT = ["--requests", "1500", "--agent", "dvfs-greedy"]


def served(capsys, *arguments: str) -> dict[str, float]:
    assert run(["serve", *SHORT, *arguments, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_what_it_tells_by_load_and_by_rate(capsys):
    by_load = served(capsys, "--load", "0.5", "--gpu", "M40", "--network", "alexnet")
    assert set(by_load) == KEYS | {"rate", "slo", "requests"}
    assert by_load["violations"] <= 0.02
    assert by_load["p50"] <= by_load["p99"] <= 1.2 * by_load["slo"]
    assert by_load["busy_energy_per_request"] < by_load["energy_per_request"]
    double = served(capsys, "--load", "1", "--gpu", "M40", "--network", "alexnet")
    assert double["rate"] == pytest.approx(2.0 * by_load["rate"])
    by_rate = served(capsys, "--rate", "100", "--slo", "0.05", "--switch-latency", "0")
    assert by_rate["throughput"] == pytest.approx(100.0, rel=0.1)
    assert by_rate["slo"] == 0.05


def test_a_recorded_trace_at_its_own_pace(tmp_path, capsys):
    times = np.cumsum(np.random.default_rng(0).exponential(0.01, 1000))
    path = tmp_path / "trace.csv"
    path.write_text("t_s\n" + "\n".join(map(str, times.tolist())), encoding="utf-8")
    found = served(capsys, "--trace", str(path))
    assert found["requests"] == 800
    assert found["throughput"] == pytest.approx(100.0, rel=0.1)
    faster = served(capsys, "--trace", str(path), "--rate", "200", "--requests", "500")
    assert faster["throughput"] == pytest.approx(200.0, rel=0.25)


def test_for_people(capsys):
    assert run(["serve", *SHORT, "--load", "0.2"]) == 0
    told = capsys.readouterr().out
    assert "resnet50 on V100: dvfs-greedy" in told
    assert "mJ a request" in told
    assert max(map(len, told.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "rate: needs one of --rate, --load and --trace"),
        (["--rate", "0"], "rate: must be positive"),
        (["--rate", "nan"], "rate: must be positive"),
        (["--rate", "1", "--load", "1"], "load: a rate is given as well"),
        (["--load", "0.5", "--slo", "1e-6"], "slo: 1e-06 s is less than one request takes"),
        (["--load", "0.5", "--switch-latency", "-1"], "switch-latency: must be at least 0"),
        (["--load", "0.5", "--agent", "eal"], "agent: no agent 'eal'; did you mean eali"),
        (["--load", "0.5", "--arrivals", "x"], "arrivals: no process 'x'"),
        (["--load", "0.5", "--gpu", "T4"], "no GPU 'T4'"),
        (["--trace", "none.csv"], "none.csv"),
    ],
)
def test_what_is_refused(arguments, line, capsys):
    assert run(["serve", "--requests", "100", *arguments]) == 2
    told = capsys.readouterr().err
    assert told.startswith("Error: ")
    assert line in told
    assert told.count("\n") == 1


def test_what_agents_try_rules_on_is_not_what_they_serve():
    streams = draw_streams(Poisson(), 50.0, 2000, 3)
    assert streams.arrivals.size / streams.arrivals[-1] == pytest.approx(50.0, rel=0.1)
    assert not np.isin(streams.sample, streams.arrivals).any()
    again, other = (draw_streams(Poisson(), 50.0, 2000, seed) for seed in (3, 4))
    assert np.array_equal(streams.arrivals, again.arrivals)
    assert not np.array_equal(streams.arrivals[:100], other.arrivals[:100])
    recorded = recorded_streams(Replay(np.arange(100.0)), 50)
    assert np.array_equal(recorded.sample, np.arange(20.0))
    assert np.array_equal(recorded.arrivals, np.arange(50.0))
    with pytest.raises(InputError, match="trace: holds 5 requests"):
        recorded_streams(Replay(np.arange(5.0)), 50)
    together = np.repeat([0.0, 5.0], [20, 80])
    with pytest.raises(InputError, match="trace: all requests of the first fifth come at one"):
        recorded_streams(Replay(together), 50)
    with pytest.raises(InputError, match="trace: all requests of the rest come at one moment"):
        recorded_streams(Replay(np.append(np.arange(20.0), together[20:] + 20.0)), 50)
