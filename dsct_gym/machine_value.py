"""The most that one machine's schedule can be worth at given prices, bounded from above.

A task j may be taken for a fee μ_j; its work f then earns ``g_j(f) = a_j(f) − a_j(0) − λ f / E_r``.
With tasks in EDF order, ``V_j(t)`` is the most that the first j tasks can be worth with at most
``t`` GFLOP of work in all,

    V_j(t) = max( V_{j−1}(t),  max_f V_{j−1}(t − f) + g_j(f) − μ_j ),    t ≤ s_r d_j,

a non-decreasing, piecewise linear function. It is cut into its concave runs; a run and a concave
curve together are their segments, steepest first; the upper envelope of all runs is the maximum
over f. Branches that cannot exceed a floor even with the concave hulls of all tasks to come are cut
off; a coarse look at the machine gives the floor of a finer one.

This is the independent checker of `dsct_gym.certificate`, so nothing here is shared with a solver,
and every rounding goes one way: abscissae down, ordinates up. A point that moves left or up only
raises a non-decreasing function, so what comes out is never too small. Merging compares slopes
in floating point, which may swap segments whose slopes differ by some units in the last place;
every rise is enlarged by `_SWAPPED`, more than that can cost.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.jit import helper, kernel

_BLUR = 2.0**-48
_SWAPPED = 1.0 + _BLUR
_MOST_POINTS = 2**14
_MOST_KEPT = 2**23


class Curves(NamedTuple):
    """What the tasks that are worth their fee can earn on a machine, in EDF order.

    Attributes:
        segments: Number of rising segments of each task (c,).
        width: Their widths, steepest first (c, K), GFLOP.
        rise: What they earn less the price of their energy (c, K), positive.
        fee: Price of each task (c,).
        capacity: Work until each deadline (c,), GFLOP.
    """

    segments: Ints
    width: Floats
    rise: Floats
    fee: Floats
    capacity: Floats


class Outlook(NamedTuple):
    """What the tasks after each one can add, from above: concave in the room left at its deadline.

    Attributes:
        start: Where the points of each task begin (c + 1,); none where nothing is kept.
        room: Work that would still fit until its deadline, GFLOP.
        value: What the tasks after it can add at most.
        most: What all tasks can be worth at most.
    """

    start: Ints
    room: Floats
    value: Floats
    most: float


@kernel
def largest_value(
    capacity: Floats,
    width: Floats,
    rise: Floats,
    energy_rate: float,
    fee: Floats,
    floor: float,
    error: float,
) -> float:
    """Upper bound on the value of every schedule of a machine, and at least 0.

    Args:
        capacity: Work until each deadline ``s_r d_j`` (n,), GFLOP, tasks in EDF order.
        width: Widths of the curve segments (n, K), GFLOP, at least 0.
        rise: Accuracy that each segment adds (n, K), at least 0.
        energy_rate: Price of the energy of one GFLOP, ``λ / E_r``, at least 0.
        fee: Price of each task μ_j (n,), at least 0.
        floor: Schedules worth less are not looked for, at least 0.
        error: How much each task may add to the bound to keep the number of points down.

    Returns:
        The bound, at least ``floor``. Above the largest value lie only rounding and ``error`` for
        each task, unless a function has more than 16384 points: then it is made coarser, upwards.
    """
    curves = _net_curves(capacity, width, rise, energy_rate, fee)
    if curves.fee.size == 0:
        return floor
    outlook = _outlook(curves)
    return max(floor, min(_value_above(curves, outlook, floor, error), outlook.most))


@kernel
def _net_curves(
    capacity: Floats, width: Floats, rise: Floats, energy_rate: float, fee: Floats
) -> Curves:
    """The curves less the price of energy, up to their deadline, of tasks worth their fee."""
    n, K = width.shape
    tasks, count = np.empty(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    widths, rises = np.zeros((n, K)), np.zeros((n, K))
    found = 0
    for j in range(n):
        size = 0
        for k in range(K):
            net = _up(rise[j, k] - _down(energy_rate * width[j, k]))
            if width[j, k] > 0.0 and net > 0.0:
                _insert(widths[found], rises[found], size, width[j, k], net)
                size += 1
        size = _cut_to(widths[found], rises[found], size, capacity[j])
        gain = 0.0
        for k in range(size):
            gain = _up(gain + rises[found, k])
        if gain > fee[j]:
            tasks[found], count[found] = j, size
            found += 1
    kept = tasks[:found]
    return Curves(count[:found], widths[:found], rises[:found], fee[kept], capacity[kept])


@kernel
def _value_above(curves: Curves, outlook: Outlook, floor: float, error: float) -> float:
    """Upper bound on the value of every schedule worth more than ``floor``; below it if none is."""
    xs, ys = np.zeros(1), np.zeros(1)
    for j in range(curves.fee.size):
        taken_xs, taken_ys = _add_task(xs, ys, curves, j)
        xs, ys = _upper(xs, ys, taken_xs, taken_ys, -curves.fee[j])
        xs, ys = _simplified(xs, ys, error)
        coarser = error
        while xs.size > _MOST_POINTS:
            coarser = 2.0 * max(coarser, np.spacing(ys[-1]))
            xs, ys = _simplified(xs, ys, coarser)
        xs, ys = _above(xs, ys, curves.capacity[j], outlook, j, floor)
        if xs.size == 0:
            return -np.inf
    most: float = ys[-1]
    return most


@kernel
def _add_task(xs: Floats, ys: Floats, curves: Curves, task: int) -> tuple[Floats, Floats]:
    """The most that the function and a task's curve are worth together, up to its deadline."""
    size, K = xs.size, curves.segments[task]
    room = 2 * size + size * (K + 2) + 2
    chain_xs, chain_ys = np.empty(room), np.empty(room)
    start = np.zeros(size + 2, dtype=np.int64)
    runs = used = first = 0
    while first < size and (runs == 0 or first < size - 1):
        last = _run_end(xs, ys, first)
        used = _merge(xs, ys, first, last, curves, task, chain_xs, chain_ys, used)
        runs += 1
        start[runs] = used
        first = last
        if xs[first] >= curves.capacity[task]:
            break
    return _envelope(chain_xs, chain_ys, start, runs)


@helper
def _run_end(xs: Floats, ys: Floats, first: int) -> int:
    """Last point of the concave run that begins at a point."""
    last = first + 1
    while last + 1 < xs.size and (ys[last + 1] - ys[last]) * (xs[last] - xs[last - 1]) <= (
        ys[last] - ys[last - 1]
    ) * (xs[last + 1] - xs[last]):
        last += 1
    return min(last, xs.size - 1)


@helper
def _merge(
    xs: Floats,
    ys: Floats,
    first: int,
    last: int,
    curves: Curves,
    task: int,
    out_xs: Floats,
    out_ys: Floats,
    used: int,
) -> int:
    """Writes the segments of a run and of a task's curve, steepest first, from the run's start.

    Returns:
        Where the room that is left in ``out_xs`` and ``out_ys`` begins.
    """
    width, rise, K = curves.width[task], curves.rise[task], curves.segments[task]
    end = curves.capacity[task]
    x, y, p, q = xs[first], ys[first], first, 0
    out_xs[used], out_ys[used] = x, y
    used += 1
    while (p < last or q < K) and x < end:
        dx, dy = 0.0, 0.0
        if p < last:
            dx, dy = _down(xs[p + 1] - xs[p]), _up(ys[p + 1] - ys[p])
        if q >= K or (p < last and dy * width[q] >= rise[q] * dx):
            p += 1
        else:
            dx, dy = width[q], rise[q]
            q += 1
        next_x, next_y = _down(x + dx), _up(y + _up(dy * _SWAPPED))
        if next_x > end:
            next_x, next_y = end, _between(x, y, next_x, next_y, end)
        if next_x <= x:
            y = next_y
            out_ys[used - 1] = y
            continue
        x, y = next_x, next_y
        out_xs[used], out_ys[used] = x, y
        used += 1
    return used


@kernel
def _envelope(xs: Floats, ys: Floats, start: Ints, runs: int) -> tuple[Floats, Floats]:
    """The upper envelope of functions that lie one after the other, two by two."""
    while runs > 1:
        out_xs, out_ys = np.empty(2 * start[runs]), np.empty(2 * start[runs])
        used = pairs = 0
        for i in range(0, runs, 2):
            a, b, c = start[i], start[i + 1], start[min(i + 2, runs)]
            if b < c:
                used = _write_upper(xs[a:b], ys[a:b], xs[b:c], ys[b:c], 0.0, out_xs, out_ys, used)
            else:
                for k in range(a, b):
                    out_xs[used], out_ys[used] = xs[k], ys[k]
                    used += 1
            pairs += 1
            start[pairs] = used
        xs, ys, runs = out_xs, out_ys, pairs
    return xs[: start[1]], ys[: start[1]]


@kernel
def _upper(
    xs: Floats, ys: Floats, other_xs: Floats, other_ys: Floats, shift: float
) -> tuple[Floats, Floats]:
    """The larger of two functions, the second raised by ``shift``."""
    room = 2 * (xs.size + other_xs.size)
    out_xs, out_ys = np.empty(room), np.empty(room)
    size = _write_upper(xs, ys, other_xs, other_ys, shift, out_xs, out_ys, 0)
    return out_xs[:size], out_ys[:size]


@helper
def _write_upper(
    xs: Floats,
    ys: Floats,
    other_xs: Floats,
    other_ys: Floats,
    shift: float,
    out_xs: Floats,
    out_ys: Floats,
    used: int,
) -> int:
    """Writes the larger of two functions, of which the second begins at or after the first.

    Between two abscissae both are linear, so the larger one is convex: lines through points on or
    above it stay above it, wherever exactly the two cross.

    Returns:
        Where the room that is left in ``out_xs`` and ``out_ys`` begins.
    """
    begin, i, j = used, 0, -1
    x, f, g = xs[0], ys[0], -np.inf
    if other_xs[0] <= x:
        j, g = 0, _up(other_ys[0] + shift)
    out_xs[used], out_ys[used] = x, max(f, g)
    used += 1
    while i + 1 < xs.size or j + 1 < other_xs.size:
        next_f = xs[i + 1] if i + 1 < xs.size else np.inf
        next_g = other_xs[j + 1] if j + 1 < other_xs.size else np.inf
        stop = min(next_f, next_g)
        f_stop, g_stop = _value_at(xs, ys, i, stop), -np.inf
        if j >= 0 or next_g == stop:
            g_stop = _up(_value_at(other_xs, other_ys, j, stop) + shift)
        if j >= 0 and (f - g) * (f_stop - g_stop) < 0.0:
            cross = x + (f - g) / ((f - g) + (g_stop - f_stop)) * (stop - x)
            if x < cross < stop:
                out_xs[used] = cross
                out_ys[used] = max(
                    _between(x, f, stop, f_stop, cross), _between(x, g, stop, g_stop, cross)
                )
                used += 1
        out_xs[used], out_ys[used] = stop, max(f_stop, g_stop)
        used += 1
        x, f, g = stop, f_stop, g_stop
        i += stop == next_f
        j += stop == next_g
    while used - begin >= 2 and out_ys[used - 1] <= out_ys[used - 2]:
        used -= 1
    return used


@kernel
def _simplified(xs: Floats, ys: Floats, error: float) -> tuple[Floats, Floats]:
    """A function above the given one by at most ``error`` and rounding, with fewer points.

    From each point that is kept, the longest line is drawn that passes above all points on its way
    and not more than ``error`` above any.
    """
    out_xs, out_ys = np.empty(xs.size), np.empty(xs.size)
    out_xs[0], out_ys[0] = xs[0], ys[0]
    size, last = 1, 0
    while last + 1 < xs.size:
        x, y = out_xs[size - 1], out_ys[size - 1]
        steep, flat = 0.0, np.inf
        k = last + 1
        while k < xs.size:
            run = _down(xs[k] - x)
            needed = max(steep, _up((ys[k] - y) / run)) if ys[k] > y else steep
            flat = min(flat, (ys[k] + error - y) / run)
            if needed > flat and k > last + 1:
                break
            steep = needed
            k += 1
        last = k - 1
        out_xs[size] = xs[last]
        out_ys[size] = max(ys[last], _up(y + _up(steep * _up(xs[last] - x))))
        size += 1
    return out_xs[:size], out_ys[:size]


@kernel
def _above(
    xs: Floats, ys: Floats, capacity: float, outlook: Outlook, task: int, floor: float
) -> tuple[Floats, Floats]:
    """The function without the pieces from which ``floor`` cannot be exceeded.

    Those before the first and after the last that may exceed it are cut off; in between, what is
    worthless is lowered to a step.
    """
    a, b = outlook.start[task], outlook.start[task + 1]
    if a == b:
        return xs, ys
    room, value = outlook.room[a:b], outlook.value[a:b]
    out_xs, out_ys = np.empty(2 * xs.size), np.empty(2 * xs.size)
    size, last = 0, -1
    for i in range(xs.size):
        after = min(i + 1, xs.size - 1)
        left = _up(capacity - xs[i])
        at = int(np.searchsorted(room, left, side="right")) - 1
        if _up(ys[after] + _value_at(room, value, at, left)) <= floor:
            continue
        if size > 0 and last < i - 1:
            out_xs[size], out_ys[size] = xs[i - 1], out_ys[size - 1]
            size += 1
        if size == 0 or last < i:
            out_xs[size], out_ys[size] = xs[i], ys[i]
            size += 1
        if after > i:
            out_xs[size], out_ys[size] = xs[after], ys[after]
            size += 1
        last = after
    return out_xs[:size], out_ys[:size]


@kernel
def _outlook(curves: Curves) -> Outlook:
    """Bounds what is to come by the concave hull of taking a task or not, from the last one back.

    The room left at a deadline is that left at the deadline before and the work that fits in
    between, so the steepest segments of what is to come are had for nothing.
    """
    tasks, K = curves.width.shape
    stride = 1 + tasks * tasks * (K + 1) // _MOST_KEPT
    width, rise = np.empty(tasks * (K + 1)), np.empty(tasks * (K + 1))
    hull_width, hull_rise = np.empty(K + 1), np.empty(K + 1)
    merged_width, merged_rise = np.empty_like(width), np.empty_like(rise)
    begin, end = np.zeros(tasks, dtype=np.int64), np.zeros(tasks, dtype=np.int64)
    room, value = np.empty(1024), np.empty(1024)
    size, base, used = 0, 0.0, 0
    for j in range(tasks - 1, -1, -1):
        if j + 1 < tasks:
            between = _up(curves.capacity[j + 1] - curves.capacity[j])
            base, size = _spend(width, rise, size, between, base)
        if j % stride == 0:
            room, value = _grown(room, used + size + 1), _grown(value, used + size + 1)
            begin[j] = used
            used = _write_sum(width, rise, size, base, room, value, used)
            end[j] = used
        hulls = _hull(curves, j, hull_width, hull_rise)
        # What a curve earns above its fee is a difference: its rounding counts in units of the fee.
        base = _up(base + curves.fee[j] * _BLUR)
        size = _merge_segments(
            width, rise, size, hull_width, hull_rise, hulls, merged_width, merged_rise
        )
        width, merged_width = merged_width, width
        rise, merged_rise = merged_rise, rise
    # All tasks: the room at the first deadline is its whole capacity.
    most, _ = _spend(width, rise, size, curves.capacity[0], base)
    return _in_order(begin, end, room, value, most)


@kernel
def _in_order(begin: Ints, end: Ints, room: Floats, value: Floats, most: float) -> Outlook:
    """The outlook, its points in the order of the tasks."""
    start = np.zeros(begin.size + 1, dtype=np.int64)
    for j in range(begin.size):
        start[j + 1] = start[j] + end[j] - begin[j]
    rooms, values = np.empty(start[-1]), np.empty(start[-1])
    for j in range(begin.size):
        for k in range(end[j] - begin[j]):
            rooms[start[j] + k], values[start[j] + k] = room[begin[j] + k], value[begin[j] + k]
    return Outlook(start, rooms, values, most)


@helper
def _hull(curves: Curves, task: int, width: Floats, rise: Floats) -> int:
    """The concave hull of not taking a task, worth 0, and its curve less its fee.

    Its first segment reaches to the point of the curve that is steepest from there.

    Returns:
        Number of segments written.
    """
    reach = gain = tangent = 0.0
    touch = -1
    for k in range(curves.segments[task]):
        reach, gain = reach + curves.width[task, k], gain + curves.rise[task, k]
        if gain - curves.fee[task] > tangent * reach:
            tangent, touch = (gain - curves.fee[task]) / reach, k
    # The steepest segment up to there earns the fee nothing but time: where rounding finds no
    # tangent, the whole curve without its fee is above it all the same.
    fee = curves.fee[task] if touch >= 0 else 0.0
    reach, gain = 0.0, -fee
    for k in range(touch + 1):
        reach = _down(reach + curves.width[task, k])
        gain = _up(gain + curves.rise[task, k])
    size = 0
    if touch >= 0:
        width[0], rise[0] = reach, max(gain, 0.0) * _SWAPPED
        size = 1
    for k in range(touch + 1, curves.segments[task]):
        width[size], rise[size] = curves.width[task, k], curves.rise[task, k]
        size += 1
    return size


@helper
def _spend(width: Floats, rise: Floats, size: int, room: float, base: float) -> tuple[float, int]:
    """Takes the first ``room`` GFLOP of the segments away.

    Returns:
        ``base`` with what they earn, and the number of segments left.
    """
    gone = 0
    while gone < size and width[gone] <= room:
        base = _up(base + _up(rise[gone] * _SWAPPED))
        room = _up(room - width[gone])
        gone += 1
    if gone < size and room > 0.0:
        whole, part = width[gone], min(1.0, _up(room / width[gone]))
        base = _up(base + _up(_up(rise[gone] * _SWAPPED) * part))
        rest = min(1.0, _up(_up(whole - room) / whole))
        width[gone], rise[gone] = _down(whole - room), _up(rise[gone] * rest)
    for k in range(gone, size):
        width[k - gone], rise[k - gone] = width[k], rise[k]
    return base, size - gone


@helper
def _merge_segments(
    width: Floats,
    rise: Floats,
    size: int,
    other_width: Floats,
    other_rise: Floats,
    other_size: int,
    out_width: Floats,
    out_rise: Floats,
) -> int:
    """Writes the segments of two concave functions, steepest first; returns their number."""
    p = q = 0
    while p < size or q < other_size:
        if q >= other_size or (p < size and rise[p] * other_width[q] >= other_rise[q] * width[p]):
            out_width[p + q], out_rise[p + q] = width[p], rise[p]
            p += 1
        else:
            out_width[p + q], out_rise[p + q] = other_width[q], other_rise[q]
            q += 1
    return p + q


@helper
def _write_sum(
    width: Floats, rise: Floats, size: int, base: float, xs: Floats, ys: Floats, used: int
) -> int:
    """Writes the function that begins at ``(0, base)`` and has these segments.

    Returns:
        Where the room that is left in ``xs`` and ``ys`` begins.
    """
    x, y = 0.0, base
    xs[used], ys[used] = x, y
    used += 1
    for k in range(size):
        next_x, y = _down(x + width[k]), _up(y + _up(rise[k] * _SWAPPED))
        if next_x <= x:
            ys[used - 1] = y
            continue
        x = next_x
        xs[used], ys[used] = x, y
        used += 1
    return used


@helper
def _insert(width: Floats, rise: Floats, size: int, w: float, r: float) -> None:
    """Puts a segment among others, steepest first."""
    k = size
    while k > 0 and r * width[k - 1] > rise[k - 1] * w:
        width[k], rise[k] = width[k - 1], rise[k - 1]
        k -= 1
    width[k], rise[k] = w, r


@helper
def _cut_to(width: Floats, rise: Floats, size: int, end: float) -> int:
    """Cuts segments to the work ``end``; returns how many are left."""
    left = end
    for k in range(size):
        if width[k] >= left:
            rise[k] = _up(rise[k] * min(1.0, _up(left / width[k])))
            width[k] = left
            return k + 1
        left = _up(left - width[k])
    return size


@helper
def _value_at(xs: Floats, ys: Floats, piece: int, x: float) -> float:
    """Value, rounded up, at an ``x`` of the piece that begins at a point; constant after the last.

    Left of the first point, where ``piece`` is −1, ``x`` is that point.
    """
    value: float = ys[-1]
    if piece + 1 < xs.size:
        value = ys[piece + 1]
        if x < xs[piece + 1]:
            value = _between(xs[piece], ys[piece], xs[piece + 1], ys[piece + 1], x)
    return value


@helper
def _between(x0: float, y0: float, x1: float, y1: float, x: float) -> float:
    """Value at ``x`` of the line through two points, rounded up and kept between the two."""
    share = min(1.0, _up((x - x0) / _down(x1 - x0)))
    value = _up(y0 + _up(share * _up(abs(y1 - y0)))) if y1 >= y0 else y0
    return max(y0, min(value, y1)) if y1 >= y0 else y0


@helper
def _up(x: float) -> float:
    """The next larger number: what rounding to the nearest may have lost at most."""
    larger: float = np.nextafter(x, np.inf)
    return larger


@helper
def _down(x: float) -> float:
    """The next smaller number."""
    smaller: float = np.nextafter(x, -np.inf)
    return smaller


@kernel
def _grown(array: Floats, size: int) -> Floats:
    """The array, or a longer copy where it has less than so many elements."""
    if size <= array.size:
        return array
    longer = np.empty(2 * size)
    longer[: array.size] = array
    return longer
