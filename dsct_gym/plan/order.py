"""In which order a pass over the plan takes the tasks."""

from __future__ import annotations

from typing import Final

import numpy as np

from dsct_gym.arrays import Ints
from dsct_gym.errors import InputError

ORDERS: Final = ("edf", "reverse")
"""Earliest deadline first, or latest deadline first."""


def check_order(order: str) -> str:
    """The name of an order.

    Raises:
        InputError: If it is not one of `ORDERS`.
    """
    if order not in ORDERS:
        raise InputError(f"order: {order!r} is not one of {', '.join(ORDERS)}")
    return order


def ranks_in(order: str, tasks: int) -> Ints:
    """EDF ranks of so many tasks in the order of a pass (n,)."""
    ranks = np.arange(tasks)
    return ranks[::-1].copy() if order == "reverse" else ranks
