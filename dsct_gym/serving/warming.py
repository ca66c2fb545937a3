"""Whatever serving compiles, compiled ahead of use."""

from __future__ import annotations

import numpy as np

from dsct_gym.serving.agent import Situation, agent_entry_points, make_agent
from dsct_gym.serving.gpu import gpu
from dsct_gym.serving.networks import network
from dsct_gym.serving.prediction import predicted_table
from dsct_gym.serving.profile import table_of
from dsct_gym.serving.table import batch_time

_CLOCKS = (595.0, 975.0, 1114.0)


def warm_up_serving() -> None:
    """Lets every agent that is installed serve some requests.

    On a real card, since kernels are compiled anew for arrays that lie otherwise in memory.
    """
    card, served = gpu("M40"), network("alexnet")
    known, truth = (of(card, served, 4, _CLOCKS) for of in (predicted_table, table_of))
    objective = 6.0 * float(batch_time(truth)[0, -1])
    # A rate that changes, and for long enough that rules for several are sought.
    arrivals = np.cumsum(np.repeat([1.0, 0.2], 600)) * objective
    for latency in (0.0, 1e-3):
        situation = Situation(known, objective, arrivals, latency)
        for name in agent_entry_points():
            make_agent(name).serve(situation, truth, arrivals)
