"""Continuous piecewise-linear functions, concave or not, as pricing builds them task by task.

A function is a pair of arrays, abscissae strictly increasing and ordinates, of which the first
``size`` entries count. It is undefined left of its first point and constant right of its last.
All functions here are non-decreasing: the best value that work up to ``x`` can buy.
"""

from __future__ import annotations

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.jit import kernel

_COLLINEAR = 1e-14
_SAME = 1e-14


@kernel
def value_at(xs: Floats, ys: Floats, size: int, x: float) -> float:
    """Value at ``x``, which must not lie left of the first point."""
    low, high = 0, size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if xs[middle] <= x:
            low = middle
        else:
            high = middle
    value: float = ys[high]
    if x < xs[high]:
        value = ys[low] + (x - xs[low]) / (xs[high] - xs[low]) * (ys[high] - ys[low])
    return value


@kernel
def _append(xs: Floats, ys: Floats, size: int, x: float, y: float) -> int:
    """Appends a point; drops the one before where it lies on a line with its neighbours.

    Returns:
        The new size.
    """
    if size > 0 and x - xs[size - 1] <= _SAME * x:
        ys[size - 1] = max(ys[size - 1], y)
        return size
    while size >= 2:
        left, middle = xs[size - 2], xs[size - 1]
        chord = ys[size - 2] + (y - ys[size - 2]) * ((middle - left) / (x - left))
        gain = chord - ys[size - 1]
        if abs(gain) > _COLLINEAR:
            break
        size -= 1
    xs[size] = x
    ys[size] = y
    return size + 1


@kernel
def convolve(
    xs: Floats,
    ys: Floats,
    size: int,
    slope: float,
    width: float,
    end: float,
    out_xs: Floats,
    out_ys: Floats,
    tilted: Floats,
    queue: Ints,
) -> int:
    """Adds a linear piece of work: ``max over 0 ≤ u ≤ width of f(x − u) + slope·u`` up to ``end``.

    With ``g(x) = f(x) − slope·x`` this is the maximum of ``g`` over a sliding window, which is the
    largest of ``g`` at its front, ``g`` at its back and the breakpoints within; a queue of
    breakpoints with falling values keeps the latter. Linear time.

    Args:
        xs: Abscissae of ``f``.
        ys: Ordinates of ``f``.
        size: Number of points of ``f``.
        slope: Slope of the piece, positive.
        width: Width of the piece, positive.
        end: Largest abscissa wanted.
        out_xs: Room for the result's abscissae, at least ``4 size + 8``.
        out_ys: Likewise for its ordinates.
        tilted: Room for ``size`` numbers.
        queue: Room for ``size`` indices.

    Returns:
        Number of points of the result.
    """
    for i in range(size):
        tilted[i] = ys[i] - slope * xs[i]
    front, back = 0, -1  # pieces that the window's two ends lie in; back −1: still clipped
    head, tail = 0, 1
    queue[0] = 0
    x = xs[0]
    at_front, at_back = tilted[0], -np.inf
    out_xs[0], out_ys[0] = xs[0], ys[0]
    count = 1
    while x < end:
        next_front = xs[front + 1] if front + 1 < size else np.inf
        next_back = xs[back + 1] + width if back + 1 < size else np.inf
        stop = min(next_front, next_back, end)
        # The three candidates at the end of this step; all are linear within it.
        if stop == next_front:
            front_stop = tilted[front + 1]
        elif front + 1 < size:
            share = (stop - xs[front]) / (xs[front + 1] - xs[front])
            front_stop = tilted[front] + share * (tilted[front + 1] - tilted[front])
        else:
            front_stop = ys[size - 1] - slope * stop
        if back < 0:
            back_stop = -np.inf
        elif stop == next_back:
            back_stop = tilted[back + 1]
        elif back + 1 < size:
            share = (stop - width - xs[back]) / (xs[back + 1] - xs[back])
            back_stop = tilted[back] + share * (tilted[back + 1] - tilted[back])
        else:
            back_stop = ys[size - 1] - slope * (stop - width)
        inner = tilted[queue[head]] if head < tail else -np.inf

        # A crossing of two candidates within the step is a breakpoint.
        span = stop - x
        level = max(at_back, inner)
        level_stop = max(back_stop, inner)
        if at_back > inner and back_stop < inner:
            cross = span * (at_back - inner) / (at_back - back_stop)
            front_there = at_front + (front_stop - at_front) * (cross / span)
            if front_there < inner:
                if at_front > level:
                    count = _crossing(
                        out_xs, out_ys, count, x, cross, at_front, front_there, level, inner, slope
                    )
                count = _append(out_xs, out_ys, count, x + cross, inner + slope * (x + cross))
                if front_stop > inner:
                    count = _crossing(
                        out_xs,
                        out_ys,
                        count,
                        x + cross,
                        span - cross,
                        front_there,
                        front_stop,
                        inner,
                        inner,
                        slope,
                    )
            else:
                if at_front < level:
                    count = _crossing(
                        out_xs, out_ys, count, x, cross, at_front, front_there, level, inner, slope
                    )
                if front_stop < inner:
                    count = _crossing(
                        out_xs,
                        out_ys,
                        count,
                        x + cross,
                        span - cross,
                        front_there,
                        front_stop,
                        inner,
                        inner,
                        slope,
                    )
        elif (at_front < level and front_stop > level_stop) or (
            at_front > level and front_stop < level_stop
        ):
            count = _crossing(
                out_xs, out_ys, count, x, span, at_front, front_stop, level, level_stop, slope
            )
        highest = max(front_stop, level_stop)
        count = _append(out_xs, out_ys, count, stop, highest + slope * stop)

        x, at_front, at_back = stop, front_stop, back_stop
        if stop == next_front:
            front += 1
            while head < tail and tilted[queue[tail - 1]] <= tilted[front]:
                tail -= 1
            queue[tail] = front
            tail += 1
        if stop == next_back:
            back += 1
            at_back = tilted[back]
            if head < tail and queue[head] == back:
                head += 1
    return count


@kernel
def _crossing(
    xs: Floats,
    ys: Floats,
    size: int,
    x: float,
    span: float,
    first: float,
    first_stop: float,
    second: float,
    second_stop: float,
    slope: float,
) -> int:
    """Appends the point where two lines over ``[x, x + span]`` cross, tilted back by ``slope``."""
    before, after = first - second, second_stop - first_stop
    share = before / (before + after)
    level = second + share * (second_stop - second)
    where = x + share * span
    return _append(xs, ys, size, where, level + slope * where)


@kernel
def maximum(
    xs: Floats,
    ys: Floats,
    size: int,
    other_xs: Floats,
    other_ys: Floats,
    other_size: int,
    shift: float,
    out_xs: Floats,
    out_ys: Floats,
) -> int:
    """The larger of ``f`` and ``g + shift``, both starting at the same abscissa.

    Args:
        xs: Abscissae of ``f``.
        ys: Ordinates of ``f``.
        size: Number of points of ``f``.
        other_xs: Abscissae of ``g``.
        other_ys: Ordinates of ``g``.
        other_size: Number of points of ``g``.
        shift: Added to ``g``.
        out_xs: Room for the result's abscissae, at least ``2 (size + other_size)``.
        out_ys: Likewise for its ordinates.

    Returns:
        Number of points of the result.
    """
    i = j = 0  # last points passed
    x = xs[0]
    f, g = ys[0], other_ys[0] + shift
    out_xs[0], out_ys[0] = x, max(f, g)
    count = 1
    while i + 1 < size or j + 1 < other_size:
        next_f = xs[i + 1] if i + 1 < size else np.inf
        next_g = other_xs[j + 1] if j + 1 < other_size else np.inf
        stop = min(next_f, next_g)
        if stop == next_f:
            f_stop = ys[i + 1]
        elif i + 1 < size:
            share = (stop - xs[i]) / (xs[i + 1] - xs[i])
            f_stop = ys[i] + share * (ys[i + 1] - ys[i])
        else:
            f_stop = ys[size - 1]
        if stop == next_g:
            g_stop = other_ys[j + 1] + shift
        elif j + 1 < other_size:
            share = (stop - other_xs[j]) / (other_xs[j + 1] - other_xs[j])
            g_stop = other_ys[j] + share * (other_ys[j + 1] - other_ys[j]) + shift
        else:
            g_stop = other_ys[other_size - 1] + shift
        if (f < g and f_stop > g_stop) or (f > g and f_stop < g_stop):
            share = (f - g) / ((f - g) + (g_stop - f_stop))
            count = _append(out_xs, out_ys, count, x + share * (stop - x), f + share * (f_stop - f))
        count = _append(out_xs, out_ys, count, stop, max(f_stop, g_stop))
        x, f, g = stop, f_stop, g_stop
        if stop == next_f:
            i += 1
        if stop == next_g:
            j += 1
    if count >= 2 and out_ys[count - 1] <= out_ys[count - 2]:
        count -= 1
    return count


@kernel
def simplify(xs: Floats, ys: Floats, size: int, rise: float, out_xs: Floats, out_ys: Floats) -> int:
    """An upper approximation with fewer breakpoints, at most ``rise`` above the function.

    From each breakpoint kept, the line is drawn that passes between the function and the function
    plus ``rise`` for longest.

    Args:
        xs: Abscissae.
        ys: Ordinates, non-decreasing.
        size: Number of points.
        rise: Largest distance upwards.
        out_xs: Room for ``size`` abscissae.
        out_ys: Likewise for the ordinates.

    Returns:
        Number of points of the result.
    """
    out_xs[0], out_ys[0] = xs[0], ys[0]
    count, start = 1, 0
    while start + 1 < size:
        x, y = out_xs[count - 1], out_ys[count - 1]
        least, most = 0.0, np.inf
        stop = start + 1
        while stop < size:
            run = xs[stop] - x
            lower = max(least, (ys[stop] - y) / run)
            upper = min(most, (ys[stop] + rise - y) / run)
            if lower > upper and stop > start + 1:
                break
            least, most = lower, upper
            stop += 1
        start = stop - 1
        out_xs[count] = xs[start]
        out_ys[count] = max(y + least * (xs[start] - x), ys[start])
        count += 1
    return count
