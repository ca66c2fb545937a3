"""Deadlines that may be missed at a price: the variant `soft` of DSCT-EA.

Lateness costs a penalty, a step, linear or exponential in it; energy costs its price; tasks may be
whole, that is not compressible. After Kang and Youn, "Simulated annealing for timeliness and energy
aware deep learning job assignment", ICTC 2019, of which only the abstract can be had.
"""

from dsct_gym.soft import documents, relaxation, rules, sequences, toy, value
from dsct_gym.soft.instance import SoftInstance
from dsct_gym.soft.penalties import Exponential, Linear, Penalty, Step

__all__ = [
    "Exponential",
    "Linear",
    "Penalty",
    "SoftInstance",
    "Step",
    "documents",
    "relaxation",
    "rules",
    "sequences",
    "toy",
    "value",
]
