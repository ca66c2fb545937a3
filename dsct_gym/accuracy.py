"""Accuracy curves: concave, non-decreasing, piecewise linear in the work spent (GFLOP).

A curve is its breakpoints: ``work`` from 0 and strictly increasing, ``accuracy`` in [0, 1] with
slopes that do not increase. Curves of different lengths share one array by repeating their last
breakpoint.
"""

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.errors import InputError, refuse
from dsct_gym.tolerances import CONCAVITY

DEFAULT_A_MIN = 0.001
DEFAULT_A_MAX = 0.82
DEFAULT_EPSILON = 0.01

MOST_PADDING: Final = 16
ALWAYS_PADDED: Final = 1_000_000
"""Curves are padded to the longest: to so many times the breakpoints that there are, or to so many
numbers, whichever is more. One long curve among thousands of short ones would take gigabytes."""

# Decimal logarithms are correctly rounded; those of C libraries differ in the last bit, which
# would show in generated files. More digits than a double holds keep the conversion exact too.
_DECIMAL_DIGITS = 25


def exponential_max_work(theta: npt.ArrayLike, epsilon: float = DEFAULT_EPSILON) -> Floats:
    """Work at which an exponential curve reaches ``a_max``: ``-ln(epsilon) / theta`` (GFLOP)."""
    return np.asarray(-math.log(epsilon) / np.asarray(theta, dtype=np.float64))


def exponential_accuracy(
    work: npt.ArrayLike,
    theta: npt.ArrayLike,
    *,
    a_min: float = DEFAULT_A_MIN,
    a_max: float = DEFAULT_A_MAX,
    epsilon: float = DEFAULT_EPSILON,
) -> Floats:
    """The smooth curve ``a_min + (a_max - a_min) (1 - exp(-theta f)) / (1 - epsilon)``.

    Args:
        work: GFLOP, broadcast against ``theta``; cut at ``exponential_max_work(theta)``.
        theta: Task efficiency (1/GFLOP), positive.
        a_min: Accuracy without work, in [0, 1].
        a_max: Accuracy at the largest work, in [a_min, 1].
        epsilon: What is left of the exponential at the cut, in (0, 1).

    Returns:
        Accuracy in [a_min, a_max], of the broadcast shape.
    """
    theta = np.asarray(theta, dtype=np.float64)
    spent = np.minimum(np.asarray(work, dtype=np.float64), exponential_max_work(theta, epsilon))
    rise = -np.expm1(-theta * spent) / (1.0 - epsilon)
    return np.asarray(a_min + (a_max - a_min) * rise)


def exponential_breakpoints(
    segments: int,
    *,
    a_min: float = DEFAULT_A_MIN,
    a_max: float = DEFAULT_A_MAX,
    epsilon: float = DEFAULT_EPSILON,
) -> tuple[Floats, Floats]:
    """Breakpoints of the exponential curve of ``theta = 1``, equally spaced in accuracy.

    Args:
        segments: Number of segments, at least 1.
        a_min: Accuracy without work.
        a_max: Accuracy at the largest work.
        epsilon: What is left of the exponential at the cut.

    Returns:
        ``theta · work`` (segments + 1,) and ``accuracy`` (segments + 1,).
    """
    with localcontext(prec=_DECIMAL_DIGITS):
        step = (1 - Decimal(epsilon)) / segments
        scaled_work = [-float((1 - step * k).ln()) for k in range(1, segments)]
        top = -float(Decimal(epsilon).ln())
    accuracy = a_min + (a_max - a_min) * (np.arange(segments + 1) / segments)
    accuracy[-1] = a_max
    return np.array([0.0, *scaled_work, top]), accuracy


def exponential_curves(
    theta: Floats,
    segments: int,
    *,
    a_min: float = DEFAULT_A_MIN,
    a_max: float = DEFAULT_A_MAX,
    epsilon: float = DEFAULT_EPSILON,
) -> tuple[Floats, Floats]:
    """Breakpoints of exponential curves, equally spaced in accuracy.

    The chords lie below the smooth curve by at most `discretisation_error` of the rise.

    Args:
        theta: Task efficiencies (n,), 1/GFLOP.
        segments: Number of segments, at least 1.
        a_min: Accuracy without work.
        a_max: Accuracy at the largest work.
        epsilon: What is left of the exponential at the cut.

    Returns:
        ``work`` (n, segments + 1) in GFLOP and ``accuracy`` (n, segments + 1).
    """
    scaled_work, shared = exponential_breakpoints(
        segments, a_min=a_min, a_max=a_max, epsilon=epsilon
    )
    work = scaled_work / np.asarray(theta, dtype=np.float64)[:, None]
    return work, np.broadcast_to(shared, work.shape).copy()


def discretisation_error(segments: int, epsilon: float = DEFAULT_EPSILON) -> float:
    """Largest distance between smooth and piecewise-linear curve, as a share of the rise.

    On a segment the smooth curve exceeds its chord most where its slope equals the chord's; with
    ``u`` the remaining exponential (from ``u0`` down to ``u1``), that is at
    ``u = (u0 - u1) / ln(u0 / u1)``.

    Args:
        segments: Number of segments equally spaced in accuracy.
        epsilon: What is left of the exponential at the cut.

    Returns:
        The bound as a share of ``a_max - a_min``; the mean accuracy of a schedule on the
        piecewise-linear curve is below that on the smooth curve by at most this.
    """
    remaining = 1.0 - (1.0 - epsilon) * np.linspace(0.0, 1.0, segments + 1)
    upper, lower = remaining[:-1], remaining[1:]
    span = np.log(upper / lower)
    touch = (upper - lower) / span
    along = np.log(upper / touch) / span
    chord = (upper - lower) * along
    return float(np.max((upper - touch) - chord) / (1.0 - epsilon))


def concave_hull(work: npt.ArrayLike, accuracy: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Upper concave, non-decreasing hull of measured points.

    Args:
        work: GFLOP of each point, non-negative; any order, duplicates allowed.
        accuracy: Accuracy of each point.

    Returns:
        ``(work, accuracy)`` of the hull's breakpoints, work strictly increasing from the smallest
        given, accuracy strictly increasing, slopes non-increasing.

    Raises:
        InputError: If fewer than two points remain.
    """
    points = sorted(zip(np.ravel(work).tolist(), np.ravel(accuracy).tolist(), strict=True))
    hull: list[tuple[float, float]] = []
    for x, y in points:
        if hull and x == hull[-1][0]:
            hull.pop()
        if hull and y <= hull[-1][1]:
            continue
        while len(hull) >= 2 and _rises_at(hull[-2], hull[-1], (x, y)):
            hull.pop()
        hull.append((x, y))
    if len(hull) < 2:
        raise InputError("points: a curve needs two points of different work and rising accuracy")
    breakpoints = np.array(hull)
    return breakpoints[:, 0].copy(), breakpoints[:, 1].copy()


def _rises_at(
    left: tuple[float, float], middle: tuple[float, float], right: tuple[float, float]
) -> bool:
    """Whether ``middle`` lies on or below the chord from ``left`` to ``right``."""
    return (middle[1] - left[1]) * (right[0] - left[0]) <= (right[1] - left[1]) * (
        middle[0] - left[0]
    )


def pad_curves(
    curves: Sequence[tuple[Sequence[float] | Floats, Sequence[float] | Floats]],
) -> tuple[Floats, Floats]:
    """Stacks curves of different lengths by repeating their last breakpoint.

    Args:
        curves: One ``(work, accuracy)`` pair a task, both of the same length.

    Returns:
        ``work`` and ``accuracy``, each (n, longest curve).

    Raises:
        InputError: If that takes more than `MOST_PADDING` and `ALWAYS_PADDED` allow.
    """
    lengths = [len(work) for work, _ in curves]
    longest = max(lengths)
    if longest * len(curves) > max(ALWAYS_PADDED, MOST_PADDING * sum(lengths)):
        raise InputError(
            f"tasks[{lengths.index(longest)}].work: {longest} breakpoints, to which all"
            f" {len(curves)} tasks are padded; that must be at most {MOST_PADDING} times the"
            f" {sum(lengths)} breakpoints that there are, or {ALWAYS_PADDED}"
        )
    work, accuracy = np.empty((len(curves), longest)), np.empty((len(curves), longest))
    for row, (length, curve) in enumerate(zip(lengths, curves, strict=True)):
        for padded, values in zip((work, accuracy), curve, strict=True):
            padded[row, :length] = values
            padded[row, length:] = values[-1]
    return work, accuracy


def curve_lengths(work: Floats) -> Ints:
    """Number of breakpoints of each curve without its padding, (n,)."""
    rising = np.diff(work, axis=1) != 0.0
    last = work.shape[1] - 1 - np.argmax(rising[:, ::-1], axis=1)
    return np.where(rising.any(axis=1), last + 1, 1).astype(np.int64)


def curve_slopes(work: Floats, accuracy: Floats) -> Floats:
    """Slope of each segment (accuracy per GFLOP), non-increasing along a curve, 0 on padding.

    Where rounding makes a slope exceed the one before by less than the tolerated concavity, it is
    lowered to it: algorithms may rely on the order.
    """
    width = np.diff(work, axis=1)
    rise = np.diff(accuracy, axis=1)
    slopes = np.divide(rise, width, out=np.zeros_like(rise), where=width > 0.0)
    return np.asarray(np.minimum.accumulate(slopes, axis=1))


def evaluate_curves(work: Floats, accuracy: Floats, spent: Floats) -> Floats:
    """Accuracy of each task for the work spent on it.

    Args:
        work: Breakpoints (n, K+1), GFLOP.
        accuracy: Accuracy at the breakpoints (n, K+1).
        spent: Work spent (n,), GFLOP; clipped to the curve's range.

    Returns:
        Accuracy (n,).
    """
    last = work.shape[1] - 1
    right = np.clip((work < spent[:, None]).sum(axis=1), 1, last)
    rows = np.arange(work.shape[0])
    x0, x1 = work[rows, right - 1], work[rows, right]
    y0, y1 = accuracy[rows, right - 1], accuracy[rows, right]
    width = x1 - x0
    clipped = np.clip(spent, x0, x1)
    share = np.divide(clipped - x0, width, out=np.ones_like(width), where=width > 0.0)
    return np.asarray(y0 + (y1 - y0) * share)


def check_curves(work: Floats, accuracy: Floats) -> None:
    """Refuses curves that are not accuracy curves.

    Raises:
        InputError: One line for each of `curve_faults`.
    """
    faults = curve_faults(work, accuracy)
    if faults:
        refuse(faults)


def curve_faults(work: Floats, accuracy: Floats) -> list[str]:
    """What is wrong with accuracy curves, naming task and breakpoint; empty when nothing is.

    Args:
        work: Breakpoints (n, K+1), K at least 1; finite.
        accuracy: Accuracy at the breakpoints (n, K+1); finite.

    Returns:
        One line for each fault: for each task, the first kind of fault in its work and the first
        in its accuracy.
    """
    width, rise = work[:, 1:] - work[:, :-1], accuracy[:, 1:] - accuracy[:, :-1]
    still = width == 0.0
    # A repeated breakpoint is padding when nothing but repetitions follows it.
    resumes = still[:, :-1] & ~still[:, 1:]
    kinds = (
        _Kind("work", "must start at 0", work[:, :1] != 0.0),
        _Kind("work", "not strictly increasing", still[:, :1], 1),
        _Kind("work", "not strictly increasing", width < 0.0, 1),
        _Kind("work", "not strictly increasing", resumes, 1),
        _Kind("accuracy", "outside [0, 1]", (accuracy < 0.0) | (accuracy > 1.0), 0),
        _Kind("accuracy", "decreasing", rise < 0.0, 1),
        _Kind("accuracy", "changes where work does not", still & (rise != 0.0), 1, True),
        _Kind("accuracy", "not concave", _below_chord(width, rise), 1, True),
    )
    if not any(np.count_nonzero(kind.wrong) for kind in kinds):
        return []
    return list(_named_faults(kinds, work.shape[0]))


class _Kind(NamedTuple):
    """A kind of fault of the curves.

    Attributes:
        field: What is at fault.
        message: What is wrong with it.
        wrong: Where (n, columns).
        offset: Breakpoint of the first column; None names no breakpoint.
        relative: Whether it means nothing where the work is at fault.
    """

    field: str
    message: str
    wrong: Bools
    offset: int | None = None
    relative: bool = False


def _named_faults(kinds: Sequence[_Kind], tasks: int) -> Iterator[str]:
    """One line for each fault, kind by kind."""
    faulty = {field: np.zeros(tasks, dtype=np.bool_) for field in ("work", "accuracy")}
    for field, message, wrong, offset, relative in kinds:
        anew = wrong.any(axis=1) & ~faulty[field]
        if relative:
            anew &= ~faulty["work"]
        faulty[field] |= anew
        for task in np.flatnonzero(anew).tolist():
            place = "" if offset is None else f" at breakpoint {int(wrong[task].argmax()) + offset}"
            yield f"tasks[{task}].{field}: {message}{place}"


def _below_chord(width: Floats, rise: Floats) -> Bools:
    """Which inner breakpoints lie below the chord of their neighbours, (n, K-1).

    Multiplied out, so that padding, where width and rise are 0, never does.
    """
    left, right = width[:, :-1], width[:, 1:]
    above = rise[:, :-1] * right - rise[:, 1:] * left
    tolerated = CONCAVITY * np.add.reduce(rise, axis=1, keepdims=True)
    return np.asarray(above < -tolerated * (left + right))
