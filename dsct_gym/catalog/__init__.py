"""Real devices and real model families, with their sources.

The figures are compact tables beside this file (``*.csv``); one GFLOP is 10⁹ floating-point
operations, two for each multiply-accumulate.
"""

from dsct_gym.catalog.hardware import UTILISATION, Device, device, devices
from dsct_gym.catalog.models import CHANCE_ACCURACY, Model, ModelFamily, families, family
from dsct_gym.catalog.sources import Source

__all__ = [
    "CHANCE_ACCURACY",
    "UTILISATION",
    "Device",
    "Model",
    "ModelFamily",
    "Source",
    "device",
    "devices",
    "families",
    "family",
]
