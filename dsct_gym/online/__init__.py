"""Tasks that arrive over time: the variant `arrivals` of DSCT-EA.

A task starts no earlier than its arrival, and until then nobody who decides knows of it. The
horizon is the period that the energy budget is for. `dsct_gym.online.simulator` is the game of
deciding as they come, `dsct_gym.online.policy` what plays it.
"""

from dsct_gym.online import documents, relaxation, rules, schedule, toy
from dsct_gym.online.instance import OnlineInstance

__all__ = ["OnlineInstance", "documents", "relaxation", "rules", "schedule", "toy"]
