"""Pricing: the schedule of one machine that is worth most at given prices, exactly.

On machine r a task j may be taken for a fee ``μ_j``; its work f then earns
``g_j(f) = a_j(f) − a_j(0) − λ f / E_r``. With tasks in EDF order and ``V_j(t)`` the best value of
the first j tasks with at most ``t`` GFLOP in all,

    V_j(t) = max( V_{j−1}(t),  max_f V_{j−1}(t − f) + g_j(f) − μ_j ),    t ≤ s_r d_j.

``V_j`` is piecewise linear and kept so, without a grid. It would have many pieces, but only those
count from which a schedule better than the best one known can still be reached: the tasks to come
are bounded by their concave hulls, for which the same recursion is a merge of sorted segments, and
every stage is cut to the range of ``t`` that this bound leaves open.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.baselines.branch_and_price.piecewise import convolve, maximum, simplify, value_at
from dsct_gym.jit import helper, kernel

SKIPPED = -1.0
_SLACK = 1e-12
_FIRST_ROOM = 1024


class Offer(NamedTuple):
    """What a machine may choose from, and at which prices; tasks in EDF order.

    Attributes:
        capacity: Work until each deadline ``s_r d_j`` (n,), GFLOP.
        slope: Slopes of the curve segments (n, K), non-increasing along a row.
        width: Widths of the segments (n, K), GFLOP.
        energy_rate: Price of the energy of one GFLOP, ``λ / E_r``.
        fee: Price of each task μ_j (n,), at least 0.
        allowed: Which tasks the machine may take (n,).
    """

    capacity: Floats
    slope: Floats
    width: Floats
    energy_rate: float
    fee: Floats
    allowed: Bools


class _Room(NamedTuple):
    """Buffers of one length that a stage is built in: the stage, two to go back and forth."""

    xs: Floats
    ys: Floats
    a_xs: Floats
    a_ys: Floats
    b_xs: Floats
    b_ys: Floats
    tilted: Floats
    queue: Ints


@kernel
def price(offer: Offer, floor: float, rise: float, halt: Bools) -> tuple[float, Floats, int]:
    """Finds the most valuable schedule of a machine.

    Args:
        offer: What the machine may choose from.
        floor: A value that is known to be reached; schedules worth less are not looked for.
        rise: Upward error allowed at each task, to keep the number of breakpoints down.
        halt: Set by another thread (1,) to break off; what is returned then means nothing.

    Returns:
        An upper bound on the value of every schedule that is at least ``floor`` (and, but for
        rounding and ``rise``, the largest value); the work of each task (n,), `SKIPPED` where it
        is not taken; the number of breakpoints of all stages, 0 when nothing exceeds ``floor``:
        then there is no schedule either.
    """
    works = np.full(offer.fee.size, SKIPPED)
    tasks = _worthwhile(offer)
    if tasks.size == 0:
        return floor, works, 0
    xs, ys, stage = _stages(offer, tasks, floor, rise, halt)
    last = stage[tasks.size + 1] - 1
    if last < 0 or ys[last] <= floor:
        return floor, works, 0
    _trace(xs, ys, stage, tasks, offer, xs[last], works)
    return ys[last], works, last + 1


@kernel
def exclude(offer: Offer, floor: float, rise: float, halt: Bools) -> Bools:
    """Tells which tasks are in no schedule of a machine that is worth ``floor`` or more.

    The best schedule with a task joins a stage of the tasks before it, the task, and a stage of
    those after it, which the same recursion builds backwards.

    Args:
        offer: What the machine may choose from.
        floor: Value that schedules of interest reach.
        rise: As in `price`; it only makes fewer tasks excludable.
        halt: As in `price`.

    Returns:
        The tasks among those allowed that can be excluded (n,).
    """
    n, fee, capacity = offer.fee.size, offer.fee, offer.capacity
    out = np.zeros(n, dtype=np.bool_)
    tasks = _worthwhile(offer)
    count = tasks.size
    xs, ys, stage = _stages(offer, tasks, floor, rise, halt)
    if count == 0 or stage[count + 1] == 0:
        # Nothing at all is worth 0.
        for j in range(n):
            out[j] = offer.allowed[j] and (count > 0 or _best_gain(offer, j) - fee[j] < floor)
        return out
    best = ys[stage[count + 1] - 1]
    chosen = np.zeros(n, dtype=np.bool_)
    chosen[tasks] = True
    for j in range(n):
        if offer.allowed[j] and not chosen[j]:
            loss = fee[j] - _best_gain(offer, j)
            out[j] = best - loss < floor - _SLACK * max(1.0, abs(floor))

    total = capacity[tasks[count - 1]]
    rest_us, rest_vs = np.zeros(1), np.zeros(1)
    for i in range(count - 1, -1, -1):
        j = tasks[i]
        before_xs, before_ys = xs[stage[i] : stage[i + 1]], ys[stage[i] : stage[i + 1]]
        with_xs, with_ys = _with_task(before_xs, before_ys, offer, j, capacity[j])
        value = _best_sum(with_xs, with_ys, rest_us, rest_vs, total) - fee[j]
        out[j] = value < floor - _SLACK * max(1.0, abs(floor))
        if i == 0 or halt[0]:
            break
        # The work left is counted from the last deadline backwards; before the task's own deadline
        # it is at least the capacity behind it.
        rest_us, rest_vs = _from(rest_us, rest_vs, total - capacity[j])
        if out[j]:
            continue
        more_us, more_vs = _with_task(rest_us, rest_vs, offer, j, total)
        room = 2 * (rest_us.size + more_us.size)
        us, vs = np.empty(room), np.empty(room)
        size = maximum(
            rest_us, rest_vs, rest_us.size, more_us, more_vs, more_us.size, -fee[j], us, vs
        )
        more_us, more_vs = np.empty(size), np.empty(size)
        size = simplify(us, vs, size, rise, more_us, more_vs)
        kept = _trim(more_us, more_vs, size, before_xs, before_ys, total, floor, us, vs)
        if kept == 0:
            for k in range(i):
                out[tasks[k]] = True
            break
        rest_us, rest_vs = us[:kept].copy(), vs[:kept].copy()
    return out


@kernel
def _with_task(
    xs: Floats, ys: Floats, offer: Offer, task: int, end: float
) -> tuple[Floats, Floats]:
    """The stage with a task's net curve added, without its fee, up to the work ``end``."""
    slope, width = offer.slope[task], offer.width[task]
    for k in range(slope.size):
        gain = slope[k] - offer.energy_rate
        if gain <= 0.0:
            break
        if width[k] <= 0.0:
            continue
        size = xs.size
        out_xs, out_ys = np.empty(4 * size + 8), np.empty(4 * size + 8)
        size = convolve(
            xs,
            ys,
            size,
            gain,
            width[k],
            end,
            out_xs,
            out_ys,
            np.empty(size),
            np.empty(size, dtype=np.int64),
        )
        xs, ys = out_xs[:size], out_ys[:size]
    return xs, ys


@kernel
def _from(xs: Floats, ys: Floats, start: float) -> tuple[Floats, Floats]:
    """The function from ``start`` on."""
    if start <= xs[0]:
        return xs, ys
    value = value_at(xs, ys, xs.size, start)
    first = _first_above(xs, start)
    cut_xs, cut_ys = np.empty(xs.size - first + 1), np.empty(xs.size - first + 1)
    cut_xs[0], cut_ys[0] = start, value
    for i in range(first, xs.size):
        cut_xs[i - first + 1], cut_ys[i - first + 1] = xs[i], ys[i]
    return cut_xs, cut_ys


@helper
def _first_above(values: Floats, limit: float) -> int:
    """First of the increasing ``values`` that is above ``limit``, else their number."""
    low, high = 0, values.size
    while low < high:
        middle = (low + high) // 2
        if values[middle] <= limit:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _best_sum(xs: Floats, ys: Floats, us: Floats, vs: Floats, total: float) -> float:
    """Largest ``f(x) + g(total − x)``; beyond their ends both are constant."""
    best = -np.inf
    for i in range(xs.size):
        u = total - xs[i]
        if u >= us[0]:
            best = max(best, ys[i] + value_at(us, vs, us.size, u))
    for i in range(us.size):
        x = total - us[i]
        if x >= xs[0]:
            best = max(best, vs[i] + value_at(xs, ys, xs.size, x))
    return best


@kernel
def _worthwhile(offer: Offer) -> Ints:
    """The allowed tasks that can earn more than their fee, in EDF order."""
    n = offer.fee.size
    tasks = np.empty(n, dtype=np.int64)
    count = 0
    for j in range(n):
        if offer.allowed[j] and _best_gain(offer, j) > offer.fee[j]:
            tasks[count] = j
            count += 1
    return tasks[:count]


@kernel
def _stages(
    offer: Offer, tasks: Ints, floor: float, rise: float, halt: Bools
) -> tuple[Floats, Floats, Ints]:
    """The functions V_0, V_1, … after each task, cut to what may lead to more than ``floor``.

    Returns:
        ``xs``, ``ys`` and ``stage``: the stage after i tasks has the breakpoints ``stage[i]`` to
        ``stage[i + 1]``; all of ``stage`` is 0 when nothing exceeds ``floor``.
    """
    count = tasks.size
    stage = np.zeros(count + 2, dtype=np.int64)
    kept_xs, kept_ys = np.zeros(8 * _FIRST_ROOM), np.zeros(8 * _FIRST_ROOM)
    if count == 0:
        return kept_xs, kept_ys, stage
    starts, rest_us, rest_vs = _completions(offer, tasks)
    total = offer.capacity[tasks[count - 1]]
    if rest_vs[starts[1] - 1] <= floor:
        return kept_xs, kept_ys, stage
    room = _make_room(_FIRST_ROOM)
    stage[1] = 1
    room.xs[0], room.ys[0], size = 0.0, 0.0, 1
    for i in range(count):
        if halt[0]:
            stage[:] = 0
            return kept_xs, kept_ys, stage
        room, points = _add_segments(room, size, offer, tasks[i])
        if 2 * (size + points) > room.xs.size:
            room = _widened(room, 4 * (size + points))
        points = maximum(
            room.xs,
            room.ys,
            size,
            room.a_xs,
            room.a_ys,
            points,
            -offer.fee[tasks[i]],
            room.b_xs,
            room.b_ys,
        )
        size = simplify(room.b_xs, room.b_ys, points, rise, room.a_xs, room.a_ys)
        if i + 1 < count:
            low, high = starts[i + 1], starts[i + 2]
            us, vs = rest_us[low:high], rest_vs[low:high]
            size = _trim(room.a_xs, room.a_ys, size, us, vs, total, floor, room.xs, room.ys)
            if size == 0:
                stage[:] = 0
                return kept_xs, kept_ys, stage
        else:
            _copy(room.a_xs, 0, size, room.xs, 0)
            _copy(room.a_ys, 0, size, room.ys, 0)
        first = stage[i + 1]
        if first + size > kept_xs.size:
            kept_xs = _grown(kept_xs, 2 * (first + size))
            kept_ys = _grown(kept_ys, 2 * (first + size))
        _copy(room.xs, 0, size, kept_xs, first)
        _copy(room.ys, 0, size, kept_ys, first)
        stage[i + 2] = first + size
    return kept_xs, kept_ys, stage


@kernel
def _add_segments(room: _Room, size: int, offer: Offer, task: int) -> tuple[_Room, int]:
    """Adds a task's segments to the stage one by one, steepest first.

    Returns:
        The buffers, longer where needed, with the result in ``a_xs`` and ``a_ys``; its size.
    """
    slope, width = offer.slope[task], offer.width[task]
    _copy(room.xs, 0, size, room.a_xs, 0)
    _copy(room.ys, 0, size, room.a_ys, 0)
    for k in range(slope.size):
        gain = slope[k] - offer.energy_rate
        if gain <= 0.0:
            break
        if width[k] <= 0.0:
            continue
        if 4 * size + 8 > room.xs.size:
            room = _widened(room, 16 * size)
        size = convolve(
            room.a_xs,
            room.a_ys,
            size,
            gain,
            width[k],
            offer.capacity[task],
            room.b_xs,
            room.b_ys,
            room.tilted,
            room.queue,
        )
        room = _Room(
            xs=room.xs,
            ys=room.ys,
            a_xs=room.b_xs,
            a_ys=room.b_ys,
            b_xs=room.a_xs,
            b_ys=room.a_ys,
            tilted=room.tilted,
            queue=room.queue,
        )
    return room, size


@kernel
def _make_room(points: int) -> _Room:
    """Buffers for so many points."""
    return _Room(
        xs=np.empty(points),
        ys=np.empty(points),
        a_xs=np.empty(points),
        a_ys=np.empty(points),
        b_xs=np.empty(points),
        b_ys=np.empty(points),
        tilted=np.empty(points),
        queue=np.empty(points, dtype=np.int64),
    )


@kernel
def _widened(room: _Room, points: int) -> _Room:
    """Longer buffers with the same stage and the same result of adding segments to it."""
    longer = _make_room(points)
    kept = min(room.xs.size, points)
    _copy(room.xs, 0, kept, longer.xs, 0)
    _copy(room.ys, 0, kept, longer.ys, 0)
    _copy(room.a_xs, 0, kept, longer.a_xs, 0)
    _copy(room.a_ys, 0, kept, longer.a_ys, 0)
    return longer


@kernel
def _grown(array: Floats, size: int) -> Floats:
    """A longer copy of ``array``."""
    longer = np.empty(size)
    _copy(array, 0, min(array.size, size), longer, 0)
    return longer


@helper
def _copy(values: Floats, first: int, count: int, into: Floats, at: int) -> None:
    """Copies some numbers; to assign a slice takes Numba far longer to compile."""
    for i in range(count):
        into[at + i] = values[first + i]


@kernel
def _best_gain(offer: Offer, task: int) -> float:
    """What a task earns at most, without its fee."""
    slope, width = offer.slope[task], offer.width[task]
    gain, room = 0.0, offer.capacity[task]
    for k in range(slope.size):
        net = slope[k] - offer.energy_rate
        if net <= 0.0 or room <= 0.0:
            break
        used = min(width[k], room)
        gain += net * used
        room -= used
    return gain


@kernel
def _completions(offer: Offer, tasks: Ints) -> tuple[Ints, Floats, Floats]:
    """Upper bounds on what the tasks from each stage on can add, concave in the work left.

    Returns:
        ``starts`` (count + 2,), ``us`` and ``vs``: the bound of tasks ``i, i + 1, …`` has the
        breakpoints ``starts[i]`` to ``starts[i + 1]`` of ``us`` (work left until the last
        deadline, increasing) and ``vs`` (value).
    """
    capacity = offer.capacity
    K, count = offer.slope.shape[1], tasks.size
    total = capacity[tasks[count - 1]]
    # Segments of the bound, steepest first, from the work left ``begin`` on.
    steep, wide = np.empty(count * (K + 1) + 1), np.empty(count * (K + 1) + 1)
    new_steep, new_wide = np.empty_like(steep), np.empty_like(wide)
    hull_slope, hull_width = np.empty(K + 1), np.empty(K + 1)
    size, begin, base = 0, 0.0, 0.0
    rooms = np.empty((count, 2), dtype=np.int64)
    us, vs = np.empty(64 * count + 64), np.empty(64 * count + 64)
    used = 0
    for i in range(count - 1, -1, -1):
        j = tasks[i]
        hull = _hull(offer, j, hull_slope, hull_width)
        # The work done before the deadline is at most its capacity: the steep start is spent.
        new_begin = total - capacity[j]
        skip, first = new_begin - begin, 0
        while first < size and skip > 0.0:
            used_here = min(skip, wide[first])
            base += used_here * steep[first]
            wide[first] -= used_here
            skip -= used_here
            if wide[first] <= 0.0:
                first += 1
        begin = new_begin
        # Merge with the task's hull.
        p, q, merged, left = first, 0, 0, total - begin
        while (p < size or q < hull) and left > 0.0:
            if q >= hull or (p < size and steep[p] >= hull_slope[q]):
                new_steep[merged], new_wide[merged] = steep[p], min(wide[p], left)
                p += 1
            else:
                new_steep[merged], new_wide[merged] = hull_slope[q], min(hull_width[q], left)
                q += 1
            left -= new_wide[merged]
            merged += 1
        steep, new_steep = new_steep, steep
        wide, new_wide = new_wide, wide
        size = merged
        if used + size + 1 > us.size:
            us, vs = _grown(us, 2 * (used + size + 1)), _grown(vs, 2 * (used + size + 1))
        rooms[i, 0] = used
        u, v = begin, base
        us[used], vs[used] = u, v
        used += 1
        for s in range(size):
            u += wide[s]
            v += wide[s] * steep[s]
            us[used], vs[used] = u, v
            used += 1
        rooms[i, 1] = used
    starts = np.zeros(count + 2, dtype=np.int64)
    ordered_us, ordered_vs = np.empty(used), np.empty(used)
    at = 0
    for i in range(count):
        size = rooms[i, 1] - rooms[i, 0]
        _copy(us, rooms[i, 0], size, ordered_us, at)
        _copy(vs, rooms[i, 0], size, ordered_vs, at)
        at += size
        starts[i + 1] = at
    starts[count + 1] = at
    return starts, ordered_us, ordered_vs


@kernel
def _hull(offer: Offer, task: int, out_slope: Floats, out_width: Floats) -> int:
    """Concave hull of nothing and a task's net curve less its fee, as segments.

    Returns:
        Number of segments written, steepest first.
    """
    slope, width, capacity = offer.slope[task], offer.width[task], offer.capacity[task]
    work, gain, tangent, touch = 0.0, -offer.fee[task], 0.0, 0
    reach = 0.0
    for k in range(slope.size):
        net = slope[k] - offer.energy_rate
        step = min(width[k], capacity - work)
        if net <= 0.0 or step <= 0.0:
            break
        work += step
        gain += net * step
        if gain > tangent * work:
            tangent, touch, reach = gain / work, k + 1, work
    if touch == 0:
        return 0
    out_slope[0], out_width[0] = tangent, reach
    count, work = 1, reach
    for k in range(touch, slope.size):
        net = slope[k] - offer.energy_rate
        step = min(width[k], capacity - work)
        if net <= 0.0 or step <= 0.0:
            break
        out_slope[count], out_width[count] = net, step
        work += step
        count += 1
    return count


@kernel
def _trim(
    xs: Floats,
    ys: Floats,
    size: int,
    us: Floats,
    vs: Floats,
    total: float,
    floor: float,
    out_xs: Floats,
    out_ys: Floats,
) -> int:
    """Copies the stage, cut to the work from which more than ``floor`` can be reached.

    Args:
        xs: Work done at each breakpoint of the stage.
        ys: Value at each breakpoint.
        size: Number of breakpoints.
        us: Work left at each breakpoint of the bound on what follows.
        vs: Value of that bound.
        total: Work done plus work left.
        floor: The value to exceed.
        out_xs: Room for the result.
        out_ys: Room for the result.

    Returns:
        Number of breakpoints kept, 0 when nothing can exceed ``floor``.
    """
    goal = floor - _SLACK * max(1.0, abs(floor))
    # Walk along the work done; the bound is walked backwards. Their sum is linear in between.
    i, k = 0, us.size
    x = xs[0]
    while k > 0 and total - us[k - 1] <= x:
        k -= 1
    f = ys[0]
    g = _back_value(us, vs, k, total - x)
    low, high = np.inf, -np.inf
    if f + g >= goal:
        low = high = x
    while True:
        next_f = xs[i + 1] if i + 1 < size else np.inf
        next_g = total - us[k - 1] if k > 0 else np.inf
        stop = min(next_f, next_g)
        if stop == np.inf or (i + 1 >= size and low < np.inf):
            break
        f_stop = ys[size - 1]
        if stop == next_f:
            f_stop = ys[i + 1]
        elif i + 1 < size:
            f_stop = ys[i] + (stop - xs[i]) / (xs[i + 1] - xs[i]) * (ys[i + 1] - ys[i])
        g_stop = vs[k - 1] if stop == next_g else _back_value(us, vs, k, total - stop)
        before, after = f + g - goal, f_stop + g_stop - goal
        if after >= 0.0:
            if low == np.inf:
                low = x + (stop - x) * (before / (before - after)) if before < 0.0 else x
            high = stop
        elif before >= 0.0:
            high = x + (stop - x) * (before / (before - after))
        x, f, g = stop, f_stop, g_stop
        if stop == next_f:
            i += 1
        if stop == next_g:
            k -= 1
    if low == np.inf:
        return 0
    if low >= xs[size - 1]:
        out_xs[0], out_ys[0] = low, ys[size - 1]
        return 1
    out_xs[0], out_ys[0] = low, value_at(xs, ys, size, low)
    count = 1
    for i in range(size):
        if xs[i] > high:
            break
        if xs[i] > low:
            out_xs[count], out_ys[count] = xs[i], ys[i]
            count += 1
    if xs[size - 1] > high > out_xs[count - 1]:
        out_xs[count], out_ys[count] = high, value_at(xs, ys, size, high)
        count += 1
    return count


@kernel
def _back_value(us: Floats, vs: Floats, right: int, u: float) -> float:
    """Value of the bound at ``u``, which lies in the piece that ends at breakpoint ``right``."""
    left = max(0, min(right, us.size) - 1)
    value: float = vs[left]
    if 0 < right < us.size and us[right] > us[left]:
        value += (u - us[left]) / (us[right] - us[left]) * (vs[right] - vs[left])
    return value


@kernel
def _trace(
    kept_xs: Floats,
    kept_ys: Floats,
    stage: Ints,
    tasks: Ints,
    offer: Offer,
    at: float,
    works: Floats,
) -> None:
    """Follows the stages back from the work done ``at`` to the works that attain its value."""
    t = at
    for i in range(tasks.size - 1, -1, -1):
        j = tasks[i]
        slope, width = offer.slope[j], offer.width[j]
        xs, ys = kept_xs[stage[i] : stage[i + 1]], kept_ys[stage[i] : stage[i + 1]]
        size = xs.size
        skip = value_at(xs, ys, size, t) if t >= xs[0] else -np.inf
        # The work is at a breakpoint of the task's curve or leaves a breakpoint of the stage.
        best, chosen = -np.inf, 0.0
        work, gain = 0.0, 0.0
        p = size - 1
        for k in range(-1, slope.size):
            before, net = work, 0.0
            if k >= 0:
                net = slope[k] - offer.energy_rate
                if net <= 0.0:
                    break
                work += width[k]
            while p >= 0 and t - xs[p] <= work:
                f = t - xs[p]
                if f >= before:
                    value = ys[p] + gain + net * (f - before)
                    if value > best:
                        best, chosen = value, f
                p -= 1
            if k >= 0:
                gain += net * width[k]
            if t - work >= xs[0]:
                value = value_at(xs, ys, size, t - work) + gain
                if value > best:
                    best, chosen = value, work
        if best - offer.fee[j] > skip:
            works[j] = chosen
            t -= chosen
        # Beyond its last breakpoint the stage leaves time unused.
        t = min(max(t, xs[0]), xs[size - 1])
