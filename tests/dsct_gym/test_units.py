"""Quantities against conversions worked out by hand."""

import pytest

from dsct_gym.errors import InputError
from dsct_gym.units import EFFICIENCY, ENERGY, POWER, SHARE, SPEED, TIME, WORK


@pytest.mark.parametrize(
    ("dimension", "text", "value"),
    [
        (TIME, "80", 80.0),
        (TIME, "80ms", 0.08),
        (TIME, " 80 ms ", 0.08),
        (TIME, "1.5e2 us", 1.5e-4),
        (TIME, "15 min", 900.0),
        (TIME, "15 \u00b5s", 15e-6),
        (TIME, "15 \u03bcs", 15e-6),
        (ENERGY, "5Wh", 18_000.0),
        (ENERGY, "2 kWh", 7.2e6),
        (ENERGY, "0", 0.0),
        (POWER, "0.3kW", 300.0),
        (SPEED, "8.1 TFLOP/s", 8100.0),
        (SPEED, "2000 GFLOPS", 2000.0),
        (EFFICIENCY, "30 GFLOPS/W", 30.0),
        (WORK, "4.1 GMAC", 8.2),
        (SHARE, "12.5%", 0.125),
        (SHARE, ".5", 0.5),
    ],
)
def test_reads(dimension, text, value):
    assert dimension.read(text, "field") == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("dimension", "text", "message"),
    [
        (ENERGY, "5 wh", "field: 'wh' is no unit of energy; did you mean Wh"),
        (ENERGY, "5 ms", "field: 'ms' is no unit of energy; "),
        (TIME, "ten ms", "field: must be a number with a unit, got 'ten ms'"),
        (TIME, "", "field: must be a number with a unit"),
        (ENERGY, "1,5 Wh", "field: needs a decimal point, not a comma, got '1,5 Wh'"),
        (TIME, "nan", "field: must be a number with a unit"),
        (TIME, "1e999", "field: must be finite"),
        (TIME, "1" * 1000, "field: must be a number with a unit"),
        (SPEED, "1 TB/s", "field: 'TB/s' is no unit of speed"),
    ],
)
def test_refuses(dimension, text, message):
    with pytest.raises(InputError) as refusal:
        dimension.read(text, "field")
    assert str(refusal.value).startswith(message)
    assert len(refusal.value.lines) == 1


@pytest.mark.parametrize(
    ("dimension", "value", "text"),
    [
        (ENERGY, 18_000.0, "18 kJ"),
        (ENERGY, 0.0, "0 J"),
        (ENERGY, 999.96, "1 kJ"),
        (ENERGY, float("inf"), "no limit"),
        (TIME, 0.012345, "12.35 ms"),
        (TIME, 7200.0, "2 h"),
        (TIME, 3e-10, "0.3 ns"),
        (POWER, 70.0, "70 W"),
        (SPEED, 2279.48, "2.279 TFLOP/s"),
        (WORK, 5e11, "500000 PFLOP"),
    ],
)
def test_shows(dimension, value, text):
    assert dimension.show(value) == text


@pytest.mark.parametrize("dimension", [TIME, ENERGY, POWER, SPEED, EFFICIENCY, WORK])
@pytest.mark.parametrize("value", [0.00123, 1.0, 4567.0, 3.21e9])
def test_what_is_shown_reads_back(dimension, value):
    assert dimension.read(dimension.show(value), "field") == pytest.approx(value, rel=6e-4)
