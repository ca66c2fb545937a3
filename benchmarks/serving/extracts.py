"""The committed extracts of published measurements, as arrays."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Floats

HERE = Path(__file__).parent
HELD = {"dgemm": 1240.0, "old_matrixMulCUBLAS": 1000.0}
"""Clocks, MHz, above which the cap of the card, 250 W, held an application back."""


class Kernels(NamedTuple):
    """Power of kernels or applications at several clocks, and what counters say of them.

    Attributes:
        names: Of the kernels (K,).
        clocks: MHz (C,).
        power: W (K, C); NaN where the card was held by its cap.
        counters: Utilisations by name, each (K,).
    """

    names: list[str]
    clocks: Floats
    power: Floats
    counters: dict[str, Floats]


class Times(NamedTuple):
    """Forward times of DeepBench on both cards.

    Attributes:
        flop: Operations (N,).
        outputs: Numbers written (N,).
        moved: Bytes read and written, weights included (N,).
        winograd: Whether the kernel is 3 x 3 with stride 1 (N,).
        seconds: Times by card, s, each (N,).
    """

    flop: Floats
    outputs: Floats
    moved: Floats
    winograd: Floats
    seconds: dict[str, Floats]


def rows(name: str) -> list[dict[str, str]]:
    """Rows of an extract, whose first line is its source."""
    text = (HERE / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def kernels(name: str) -> Kernels:
    """Kernels or applications of one card."""
    found = rows(name)
    heads = [column for column in found[0] if column.startswith("W_")]
    clocks = np.array([float(head[2:]) for head in heads])
    power = np.array([[float(row[head] or "nan") for head in heads] for row in found])
    names = [next(iter(row.values())) for row in found]
    for name in HELD.keys() & set(names):
        power[names.index(name), clocks > HELD[name]] = np.nan
    skipped = ("kernel", "kernel_id", "application")
    counters = {
        column: np.array([float(row[column]) for row in found])
        for column in found[0]
        if column not in skipped and column[:2] not in ("W_", "s_")
    }
    return Kernels(names, clocks, power, counters)


def run_times(application: str) -> tuple[Floats, Floats]:
    """Clocks and run times, s, of an application on the V100 PCIe."""
    row = next(r for r in rows("v100_pcie_applications") if r["application"] == application)
    heads = [column for column in row if column.startswith("s_")]
    return np.array([float(h[2:]) for h in heads]), np.array([float(row[h]) for h in heads])


def convolutions() -> Times:
    """The convolutions of DeepBench."""
    return _times("conv", _convolution)


def products() -> Times:
    """The matrix products of DeepBench."""
    return _times("gemm", _product)


def _times(kind, measure) -> Times:
    found = [row for row in rows("deepbench") if row["kind"] == kind]
    flop, outputs, moved, winograd = np.array([measure(row) for row in found]).T
    seconds = {
        card: np.array([float(row[f"{card.lower()}_ms"]) / 1e3 for row in found])
        for card in ("M40", "V100")
    }
    return Times(flop, outputs, moved, winograd, seconds)


def _convolution(row: dict[str, str]) -> tuple[float, float, float, float]:
    w, h, c, n, k, s, r, pad_w, pad_h, stride_w, stride_h = (
        int(row[key])
        for key in ("W", "H", "C", "N", "K", "S", "R", "pad_w", "pad_h", "stride_w", "stride_h")
    )
    outputs = ((w + 2 * pad_w - s) // stride_w + 1) * ((h + 2 * pad_h - r) // stride_h + 1) * k * n
    moved = 4.0 * (w * h * c * n + outputs + s * r * c * k)
    fits = s == r == 3 and stride_w == stride_h == 1
    return 2.0 * outputs * s * r * c, outputs, moved, fits


def _product(row: dict[str, str]) -> tuple[float, float, float, float]:
    m, n, k = (int(row[key]) for key in ("W", "H", "C"))
    return 2.0 * m * n * k, m * n, 4.0 * (m * k + k * n + m * n), 0.0
