"""Time and power against formulas worked out by hand and against published measurements."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from dsct_gym.cli.app import build_app
from dsct_gym.errors import InputError
from dsct_gym.serving.construction import Construction
from dsct_gym.serving.gpu import GPUS, Gpu, Kernels, Power, draw_device, gpu, interval
from dsct_gym.serving.network import Layer
from dsct_gym.serving.networks import network
from dsct_gym.serving.power import dynamic_power, idle_power, voltage
from dsct_gym.serving.profile import rows, table_of
from dsct_gym.serving.table import batch_energy, batch_time, check_table
from dsct_gym.serving.time import load_of

KERNELS = Kernels(compute=0.5, half=1000.0, memory=0.8, winograd=2.0, overhead=1e-5)
CARD = Gpu(
    name="card",
    kind="card",
    title="A card",
    clocks=np.array([500.0, 1000.0, 1500.0]),
    cycle_flop=1000.0,
    bandwidth=100.0,
    memory_clock=800.0,
    convolution=KERNELS,
    linear=KERNELS,
    power=Power(20.0, 10.0, 5.0, 40.0, 60.0, 30.0, knee=1000.0, rise=0.4, cap=1000.0),
)
LAYER = Layer("conv", "convolution", 5_000_000, 2000, 3000, 500, winograd=True)


def _by_hand(batch, clock):
    """Time and dynamic power of the layer on the card, written out once more."""
    filled = 3000 * batch / (3000 * batch + 1000)
    peak = 0.5 * 2.0 * 1000 * clock * 1e6
    compute = 1e7 * batch / (peak * filled)
    data = 4 * 5000 * batch + 4 * 500
    memory = data / (0.8 * 100e9 * min(1, clock / 800))
    time = 1e-5 + max(compute, memory)
    volts = 1 + 0.4 * max(0, clock - 1000) / 1000
    used = min(1, data / (0.8 * 100e9 * time))
    active = max(filled, used) * max(compute, memory) / time
    chip = 40 * active + 60 * 1e7 * batch / (peak * time)
    return time, clock / 1000 * volts**2 * chip + 30 * used


@pytest.mark.parametrize("batch", [1, 7])
@pytest.mark.parametrize("clock", [500.0, 1000.0, 1500.0])
def test_a_layer_by_hand(batch, clock):
    clocks = np.array([clock])
    load = load_of(CARD, [LAYER], np.array([float(batch)]), clocks)
    time, power = _by_hand(batch, clock)
    assert load.time.item() == pytest.approx(time, rel=1e-12)
    assert dynamic_power(CARD, load, clocks).item() == pytest.approx(power, rel=1e-12)


def test_idle_power_and_voltage_by_hand():
    assert voltage(CARD.power, CARD.clocks).tolist() == pytest.approx([1.0, 1.0, 1.2])
    assert idle_power(CARD, CARD.clocks).tolist() == pytest.approx(
        [20 + 10 + 2.5, 20 + 10 + 5, 20 + 12 + 5 * 1.5 * 1.44]
    )


def _vgg19():
    at = Construction()
    for channels, repeats in ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4)):
        for _ in range(repeats):
            at.convolve(channels, 3, padding=1)
        at.pool(2, stride=2)
    return at.connect(4096).connect(4096).connect(1000).finish("vgg19")


# V100 SXM2 at 1530 MHz, TensorRT, FP32: batch, ms, W. Published with i-Gniter (Xu et al., TPDS
# 34(3), 2023, github.com/icloud-ecnu/igniter). Power of ResNet-50 at 16 was fitted to; no other.
IGNITER = {
    "alexnet": [(1, 0.707, 187), (16, 2.065, 288), (32, 3.597, 295)],
    "resnet50": [(1, 2.392, 133), (16, 11.54, 288), (32, 21.34, 293)],
    "vgg19": [(1, 2.76, 274), (16, 28.59, 295), (32, 56.3, 299)],
}


def test_published_batches_of_the_v100_are_met_within_the_stated_errors():
    errors = []
    for name, measured in IGNITER.items():
        served = _vgg19() if name == "vgg19" else network(name)
        for (batch, ms, watts), row in zip(
            measured, rows(gpu("V100-SXM2"), served, [1, 16, 32], [1530.0]), strict=True
        ):
            assert row.batch == batch
            errors.append((row.time * 1e3 / ms - 1, row.power / watts - 1))
    off = np.abs(np.array(errors))
    assert off.mean(axis=0) == pytest.approx([0.084, 0.075], abs=0.01)  # as docs/serving.md says
    assert off.max() < 0.27
    assert off[1:][np.arange(8) % 3 != 2].max() < 0.17  # batches; single pictures are worse


def test_idle_power_is_the_published_one():
    assert idle_power(gpu("V100-SXM2"), np.array([1530.0])).item() == pytest.approx(53.5, rel=1e-4)


@pytest.mark.parametrize("name", GPUS)
def test_tables_are_sound(name):
    card = gpu(name)
    table = check_table(table_of(card, network("resnet50"), 32))
    assert table.time.shape == (18, 32, table.num_clocks)
    assert (np.diff(table.time, axis=1) > 0).all()
    assert (np.diff(table.time, axis=2) <= 1e-15).all()
    mean = batch_energy(table) / batch_time(table)
    assert (mean <= card.power.cap).all()
    assert (table.power > table.idle_power.min()).all()
    for units in ("network", "layers"):
        other = table_of(card, network("resnet50"), 32, units=units)
        assert batch_time(other) == pytest.approx(batch_time(table), rel=1e-12)
        assert batch_energy(other) == pytest.approx(batch_energy(table), rel=1e-12)


@pytest.mark.parametrize("served", ["vgg16", "googlenet", "resnet50"])
@pytest.mark.parametrize("name", GPUS)
def test_least_energy_is_at_the_knee(name, served):
    """Below the knee a slower clock saves no energy an operation, and constant power adds up."""
    card = gpu(name)
    table = table_of(card, network(served), 16, clocks=card.clocks)
    best = table.clocks[batch_energy(table)[15].argmin()]
    assert best == pytest.approx(card.power.knee, abs=35)


def test_a_card_at_its_cap_runs_at_the_highest_clock_that_keeps_it():
    card, served = gpu("V100-SXM2"), network("vgg16")
    (row,) = rows(card, served, [64], [1530.0])
    (free,) = rows(card, served, [64])
    assert row.runs_at == free.clock < row.clock == 1530.0
    assert (row.time, row.power) == (free.time, free.power)
    place = int(np.searchsorted(card.clocks, free.clock))
    above = card.clocks[place + 1]
    assert free.power <= 300.0
    (held,) = rows(card, served, [64], [above])
    assert held.runs_at == free.clock


def test_devices_of_a_kind_differ_within_the_intervals():
    drawn = [draw_device("V100", seed) for seed in range(50)]
    knees = np.array([card.power.knee for card in drawn])
    low, high = interval("V100", "power.knee")
    assert low <= knees.min() < knees.max() <= high
    assert len(set(knees.tolist())) == 50
    again = draw_device("V100", 3)
    assert again.power == drawn[3].power
    assert again.convolution == gpu("V100").convolution


def test_figures_lie_in_their_intervals():
    for name in GPUS:
        for section in ("convolution", "linear", "power"):
            for field, value in getattr(gpu(name), section)._asdict().items():
                low, high = interval(name, f"{section}.{field}")
                assert low <= value <= high, (name, section, field)


def test_clocks_out_of_range_are_refused():
    with pytest.raises(InputError, match=r"^clock: V100 runs at 135..1380 MHz, got 1530$"):
        table_of(gpu("V100"), network("alexnet"), 2, clocks=[1005.0, 1530.0])
    with pytest.raises(InputError, match=r"^clock: .* got nan$"):
        rows(gpu("V100"), network("alexnet"), [2], [float("nan")])
    with pytest.raises(InputError, match=r"^no GPU 'V10'; did you mean V100"):
        gpu("V10")


def _run(*options):
    return CliRunner().invoke(build_app(), ["profile", "--gpu", "V100", *options])


def test_profile_prints_rows_for_programs():
    done = _run("--network", "resnet50", "--batch", "1,8", "--clock", "1000,1380", "--json")
    document = json.loads(done.output)
    found = document["rows"]
    assert [(row["batch"], row["clock"]) for row in found] == [
        (1, 1000.0),
        (1, 1380.0),
        (8, 1000.0),
        (8, 1380.0),
    ]
    for row in found:
        assert row["energy"] == pytest.approx(row["time"] * row["power"], rel=1e-12)
    assert "layers" not in document


def test_layers_add_up_to_the_network():
    done = _run("--network", "googlenet", "--batch", "4", "--layers", "--json")
    document = json.loads(done.output)
    (whole,) = document["rows"]
    for key in ("time", "energy"):
        total = sum(row[key] for row in document["layers"])
        assert total == pytest.approx(whole[key], rel=1e-12)
    assert len({row["layer"] for row in document["layers"]}) == len(network("googlenet").layers)


def test_profile_tells_where_the_cap_holds_the_clock():
    assert "* held below that clock" in _run("--network", "vgg16", "--clock", "1380").output
    assert "* held below" not in _run("--network", "vgg16").output


def test_wrong_options_are_refused_in_one_line():
    for options, line in (
        (("--network", "vgg16", "--batch", "1,x"), "batch: needs whole numbers between commas"),
        (("--network", "vgg16", "--batch", "0"), "batch: must be at least 1, got 0"),
        (("--network", "vgg16", "--batch", "257"), "batch: must be at most 256"),
    ):
        assert str(_run(*options).exception).startswith(line)
