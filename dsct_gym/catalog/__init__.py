"""Real devices and real model families, with their sources.

The figures are compact tables beside this file (``*.csv``); one GFLOP is 10⁹ floating-point
operations, two for each multiply-accumulate.

What the figures are:

- Speeds are measured for a model family on the few devices for which rates were published
  (`sustained_speed`, `measured_families`); elsewhere they are predicted from the peak rate
  (`Device.speed`), and `prediction_interval` is what predicted over measured came to where both are
  known.
- Powers are limits of boards and modules (`Device.power_is`), but those of
  `dsct_gym.catalog.clocks`, which were measured.
- Accuracies and works of models are as published.

>>> from dsct_gym.catalog import device, family, sustained_speed
>>> round(sustained_speed(device("RTX-4090"), ["vit"]))
85000
"""

from dsct_gym.catalog.hardware import UTILISATION, Device, device, devices, known_device
from dsct_gym.catalog.models import CHANCE_ACCURACY, Model, ModelFamily, families, family
from dsct_gym.catalog.sources import Source
from dsct_gym.catalog.throughput import (
    Rate,
    measured_families,
    measured_speed,
    prediction_interval,
    rates,
    sustained_speed,
)

__all__ = [
    "CHANCE_ACCURACY",
    "UTILISATION",
    "Device",
    "Model",
    "ModelFamily",
    "Rate",
    "Source",
    "device",
    "devices",
    "families",
    "family",
    "known_device",
    "measured_families",
    "measured_speed",
    "prediction_interval",
    "rates",
    "sustained_speed",
]
