"""The catalogue against figures known from elsewhere, and its rules."""

from collections import defaultdict
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from dsct_gym.accuracy import check_curves
from dsct_gym.catalog import (
    CHANCE_ACCURACY,
    UTILISATION,
    Device,
    ModelFamily,
    device,
    devices,
    families,
    family,
    measured_families,
    measured_speed,
    prediction_interval,
    rates,
    sustained_speed,
)
from dsct_gym.catalog.sources import sources
from dsct_gym.catalog.tables import read_table
from dsct_gym.errors import InputError
from dsct_gym.generator import generate


def test_it_is_large_enough() -> None:
    assert len(devices()) >= 25
    assert len(families()) >= 8
    assert {entry.kind for entry in devices()} == {
        "data-centre",
        "workstation",
        "consumer",
        "embedded",
    }
    for name in ("M40", "P100", "V100", "T4", "A100", "L4", "H100", "H200", "Jetson-Orin-Nano"):
        assert device(name).name == name
    for name in ("ofa-resnet50", "ofa-mobilenetv3", "efficientnet", "regnetx", "mobilenetv1"):
        assert family(name).name == name


@pytest.mark.parametrize(
    ("name", "cores", "operations", "megahertz", "watts"),
    [
        # Peak FP32 is cores × 2 operations (a fused multiply-add) × boost clock, as in data sheets.
        ("M40", 3072, 2, 1112, 250),
        ("P100", 3584, 2, 1329, 250),
        ("V100", 5120, 2, 1380, 250),
        ("T4", 2560, 2, 1590, 70),
        ("A100", 6912, 2, 1410, 250),
        ("L4", 7424, 2, 2040, 72),
        ("H100", 14592, 2, 1755, 350),
        ("H200", 16896, 2, 1980, 700),
        ("RTX-4090", 16384, 2, 2520, 450),
        ("MI210", 6656, 2, 1700, 300),
        ("Jetson-Orin-Nano", 1024, 2, 625, 15),
        ("Jetson-AGX-Orin", 2048, 2, 1300, 60),
    ],
)
def test_peaks_follow_from_cores_and_clock(
    name: str, cores: int, operations: int, megahertz: float, watts: float
) -> None:
    entry = device(name)
    assert entry.peak_gflops == pytest.approx(cores * operations * megahertz / 1000, rel=1e-3)
    assert entry.tdp_watts == watts


@pytest.mark.parametrize("entry", devices(), ids=lambda entry: entry.name)
def test_devices_are_sound(entry: Device) -> None:
    assert entry.speed == pytest.approx(UTILISATION * entry.peak_gflops)
    assert entry.speed / entry.efficiency == pytest.approx(entry.tdp_watts)
    assert 2012 <= entry.year <= 2026
    assert 1.0 < entry.efficiency < 200.0
    assert entry.source.url.startswith("https://")
    assert entry.source.licence


@pytest.mark.parametrize("entry", families(), ids=lambda entry: entry.name)
def test_curves_are_the_hull_from_chance(entry: ModelFamily) -> None:
    work, accuracy = entry.curve
    assert (work[0], accuracy[0]) == (0.0, CHANCE_ACCURACY)
    check_curves(work[None, :], accuracy[None, :])
    assert (np.diff(accuracy) > 0).all()
    assert accuracy[-1] == max(model.accuracy for model in entry.models)
    networks = {(model.work, model.accuracy) for model in entry.models}
    assert set(zip(work[1:].tolist(), accuracy[1:].tolist(), strict=True)) <= networks
    for model in entry.models:
        assert model.accuracy <= np.interp(model.work, work, accuracy) + 1e-12
        assert model.source.licence
    assert not work.flags.writeable


def test_figures_known_from_the_papers() -> None:
    """GFLOP are twice the multiply-accumulates that papers call FLOPs."""
    largest = family("ofa-resnet50").models[-1]
    assert (largest.work, largest.accuracy) == (8.2, 0.798)
    mobile = max(family("mobilenetv1").models, key=lambda model: model.work)
    assert (mobile.work, mobile.accuracy) == (1.138, 0.709)
    b0 = family("efficientnet").models[0]
    assert b0.work == pytest.approx(0.78, rel=0.05)
    resnet50 = next(
        model
        for model in family("resnet").models
        if model.name.startswith("resnet50") and model.resolution == 224
    )
    assert resnet50.work == pytest.approx(8.2, rel=0.01)


def test_names_are_unique_and_forgiving() -> None:
    names = [entry.name for entry in devices()]
    assert len({name.casefold() for name in names}) == len(names)
    assert len({entry.product for entry in devices()}) == len(names)
    for name in names:
        assert device(name.lower()) is device(name.upper()) is device(name)
    assert device(" jetson_orin nano ").name == "Jetson-Orin-Nano"
    assert family("OFA_ResNet50") is family("ofa-resnet50")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("T44", r"no device 'T44'; did you mean T4$"),
        ("RTX-4080", "no device 'RTX-4080'; did you mean RTX-4090"),
        ("abacus", "no device 'abacus'; there are M40, P4"),
        ("", "no device ''; there are"),
    ],
)
def test_unknown_devices_are_answered_with_the_closest(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        device(name)


def test_unknown_families_are_answered_with_the_closest() -> None:
    with pytest.raises(InputError, match=r"no family 'resnet50'; did you mean .*resnet"):
        family("resnet50")


def test_every_row_names_a_source_and_every_source_is_used() -> None:
    tables = ("devices", "models", "throughput", "clocks")
    used = {row["source"] for table in tables for row in read_table(table)}
    trained = read_table("training")
    used |= {row["rate_source"] for row in trained}
    used |= {row["power_source"] for row in trained} - {"estimated"}
    assert used == set(sources())
    assert {row["family"] for row in read_table("models")} == {entry.name for entry in families()}


def test_networks_are_listed_once() -> None:
    for entry in families():
        keys = [(model.name, model.resolution) for model in entry.models]
        assert len(set(keys)) == len(keys)


def test_utilisation_is_what_the_measured_rates_give() -> None:
    work = {
        (entry.name, model.name, model.resolution): model.work
        for entry in families()
        for model in entry.models
    }
    shares: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in read_table("throughput"):
        resolution = int(row["resolution"]) if row["resolution"] else None
        rate = work[row["family"], row["model"], resolution] * float(row["images_per_second"])
        share = rate / device(row["device"]).peak_gflops
        shares[row["device"]][row["family"]].append(share)
    by_device = {
        name: median(median(values) for values in measured.values())
        for name, measured in shares.items()
    }
    assert len(by_device) == 5
    assert round(median(by_device.values()), 2) == UTILISATION
    assert {name: round(share, 2) for name, share in by_device.items()} == {
        "GTX-1080-Ti": 0.16,
        "Jetson-TX2": 0.18,
        "V100": 0.28,
        "RTX-4090": 0.30,
        "RTX-3090": 0.51,
    }


def test_measured_speeds_by_hand() -> None:
    # Twice 0.141, 0.179, 0.313 and 0.352 GMAC at 12800, 10666.7, 7111.11 and 5818.18 images/s.
    middle = (2 * 0.179 * 10666.7 + 2 * 0.352 * 5818.18) / 2
    assert measured_speed("V100", ["ofa-mobilenetv3"]) == pytest.approx(middle, rel=1e-9)
    assert measured_speed("V100", ["ofa-mobilenetv3", "vit"]) is None
    assert measured_speed("T4", ["ofa-mobilenetv3"]) is None
    assert measured_speed("V100", []) is None
    assert measured_families("V100") == ["ofa-mobilenetv3"]
    assert measured_families("T4") == []
    both = sorted(measured_speed("RTX-4090", [name]) for name in ("vit", "resnet"))
    assert measured_speed("RTX-4090", ["vit", "resnet"]) == pytest.approx(sum(both) / 2)


def test_speeds_are_measured_where_they_can_be() -> None:
    assert sustained_speed(device("T4"), ["vit"]) == device("T4").speed
    assert sustained_speed(device("RTX-3090")) == device("RTX-3090").speed
    drawn = generate(4, devices="RTX-4090,T4", family="vit")
    measured = measured_speed("RTX-4090", ["vit"])
    assert drawn.speeds.tolist() == pytest.approx([measured, device("T4").speed], rel=1e-11)
    assert drawn.powers.tolist() == pytest.approx([450.0, 70.0])
    assert generate(4, devices="RTX-4090").speeds[0] == pytest.approx(device("RTX-4090").speed)


def test_the_interval_is_that_of_all_rates() -> None:
    """Also where it is written down."""
    shares = [rate.predicted_share for rate in rates()]
    assert len(shares) == 388
    assert prediction_interval() == (min(shares), max(shares))
    low, high = (f"{share:.2f}" for share in prediction_interval())
    root = Path(__file__).parents[2]
    for page in ("README.md", "docs/operator.md", "dsct_gym/catalog/devices.csv"):
        assert f"{low} to {high}" in (root / page).read_text(encoding="utf-8")


def test_powers_are_limits() -> None:
    assert device("T4").power_is == "limit of the board"
    assert device("Jetson-Nano").power_is == "limit of the module"
