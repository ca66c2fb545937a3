"""Training jobs: the catalogue's figures, and problems drawn from them."""

import numpy as np
import pytest

from dsct_gym.catalog.training import (
    EPOCHS,
    NETWORKS,
    RESNET50_IMAGE,
    image_work,
    learning_curve,
    trainer,
    trainers,
)
from dsct_gym.errors import InputError
from dsct_gym.soft import Exponential, Step
from dsct_gym.soft.generator import training_jobs


def test_work_of_an_image_fits_every_measured_rate():
    for each in trainers():
        for network in NETWORKS:
            rate = each.speed / image_work()[network]
            assert rate == pytest.approx(each.rates[network], rel=0.15)
    assert image_work()["resnet50"] == pytest.approx(RESNET50_IMAGE)


def test_figures_of_one_device_by_hand():
    v100 = trainer("v100")
    assert v100.rates["resnet50"] == 432.0
    assert v100.measured
    assert v100.efficiency == pytest.approx(432.0 * 24.5 / 222.0)
    assert not trainer("A100").measured


def test_curves_end_at_the_networks_own_accuracy():
    for network, top in (("alexnet", 0.565), ("resnet152", 0.783)):
        epochs, reached = learning_curve(network)
        assert epochs.tolist() == list(EPOCHS)
        assert reached[-1] == pytest.approx(top)
        assert (np.diff(reached) > 0.0).all()


def test_jobs_have_what_was_asked_for():
    problem = training_jobs(
        30, ["V100", "V100", "P100"], penalty="exponential", rho=0.7, price=0.2, beta=0.5, seed=3
    )
    core = problem.core
    assert core.machine_names == ("V100-1", "V100-2", "P100")
    assert problem.whole.all()
    assert isinstance(problem.penalty, Exponential)
    rho = core.horizon * core.speeds.sum() / core.max_work.sum()
    assert rho == pytest.approx(0.7)
    energy = core.max_work.sum() / core.speeds.sum() * core.powers.sum()
    assert problem.budget == pytest.approx(0.5 * energy)
    assert problem.energy_price * energy == pytest.approx(0.2 * core.top_accuracy.sum())
    assert set(problem.weights) <= {0.5, 1.0, 2.0}


def test_a_seed_gives_one_problem():
    options = {"devices": ["V100"], "penalty": "step"}
    assert training_jobs(5, seed=1, **options) == training_jobs(5, seed=1, **options)
    assert training_jobs(5, seed=1, **options) != training_jobs(5, seed=2, **options)
    assert isinstance(training_jobs(5, **options).penalty, Step)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"penalty": "cubic"}, "penalty: must be step, linear, exponential"),
        ({"rho": 0.0}, "out of range"),
        ({"devices": ["T4"]}, "no device with measured training rates 'T4'"),
        ({"n": 0}, "n: must be"),
    ],
)
def test_faults(options, fault):
    with pytest.raises(InputError, match=fault):
        training_jobs(**{"n": 3, "devices": ["V100"], **options})
