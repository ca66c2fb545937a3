"""Energy of serving by every agent: two GPUs, five networks, loads, arrivals and objectives.

After Yao et al., "EALI", Neurocomputing 507, 2022, whose abstract claims up to 36.24 % less energy
than the state of the art on M40 and V100 while the latency objective is met; what that was compared
with is not public.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dsct_gym.benchmark.reproduce.experiment import (
    Advance,
    Claim,
    Effort,
    Experiment,
    Outcome,
    Row,
    new_figure,
)
from dsct_gym.online.arrivals import make_arrivals
from dsct_gym.random import spawn
from dsct_gym.serving.agent import Situation, make_agent
from dsct_gym.serving.gpu import gpu as find_gpu
from dsct_gym.serving.load import highest_rate
from dsct_gym.serving.networks import network as find_network
from dsct_gym.serving.prediction import predicted_table
from dsct_gym.serving.profile import choices, table_of
from dsct_gym.serving.requests import Streams
from dsct_gym.serving.table import Table, as_network, batch_time
