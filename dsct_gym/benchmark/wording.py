"""How durations, limits and shares are written wherever somebody reads them."""

from __future__ import annotations


def show_seconds(seconds: float) -> str:
    """A duration with as many decimals as it deserves."""
    return f"{seconds:.4f}" if seconds < 1.0 else f"{seconds:.1f}"


def show_limit(limit: float | None) -> str:
    """A time limit in words."""
    return "none" if limit is None else f"{limit:g} s"


def show_share(share: float) -> str:
    """A share in per cent with as many decimals as it deserves."""
    value = 100.0 * share
    return f"{value:.4f}%" if value < 0.1 else f"{value:.3f}%" if value < 10 else f"{value:.2f}%"
