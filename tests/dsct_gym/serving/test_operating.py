"""A service's clocks as operating points: the same figures as its profile, on both sides."""

import numpy as np
import pytest
from typer.testing import CliRunner

from dsct_gym import generate
from dsct_gym.cli.app import build_app
from dsct_gym.errors import InputError
from dsct_gym.loading import load
from dsct_gym.serving.gpu import gpu
from dsct_gym.serving.networks import network
from dsct_gym.serving.operating import operating_points, serving_points
from dsct_gym.serving.profile import rows


@pytest.mark.parametrize("batch", [1, 64])
def test_points_are_rows_of_the_profile(batch):
    card, served = gpu("V100-SXM2"), network("vgg16")
    points = operating_points(card, served, 9, batch=batch)
    found = rows(card, served, [batch], card.clocks)
    energies = {round(row.energy / (served.gflop * batch), 9) for row in found}
    assert points.size == 9
    assert {*(points.powers / points.speeds).round(9).tolist()} <= energies
    (fastest,) = rows(card, served, [batch])
    assert points.speeds.max() == pytest.approx(served.gflop * batch / fastest.time, rel=1e-9)
    assert points.powers.max() <= 300.0


def test_tolerance_and_ratio_are_kept():
    plain = generate(8, devices="V100,M40", rho=0.4, beta=0.3, seed=2)
    problem = serving_points(plain, network("resnet50"), 5)
    core, work = problem.core, problem.core.work.max(axis=1).sum()
    latest = core.deadlines.max()
    assert latest * core.speeds.sum() / work == pytest.approx(0.4, rel=1e-6)
    assert core.energy_budget / (latest * core.powers.sum()) == pytest.approx(0.3, rel=1e-6)
    assert np.array_equal(core.work, plain.work)


def test_generate_writes_what_the_profile_says(tmp_path):
    path = tmp_path / "served.json"
    options = ["-n", "3", "--devices", "M40", "--points", "4", "--network", "alexnet"]
    CliRunner().invoke(build_app(), ["generate", *options, "-o", str(path)])
    (points,) = load(path).points
    wanted = operating_points(gpu("M40"), network("alexnet"), 4)
    assert points == wanted


def test_what_cannot_serve_is_refused():
    with pytest.raises(InputError, match=r"^no GPU 'T4'"):
        serving_points(generate(3, devices="T4"), network("alexnet"), 2)
    with pytest.raises(InputError, match=r"^points: machines have no names"):
        serving_points(generate(3, 2), network("alexnet"), 2)
    done = CliRunner().invoke(build_app(), ["generate", "--network", "alexnet"])
    assert str(done.exception) == "--network: needs --points and --devices"
