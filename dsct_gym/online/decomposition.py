"""The most that one machine can earn from tasks that arrive, split and preempted as it likes.

Works that a machine of a given speed can do within the windows between arrivals and deadlines form
a polymatroid: tasks of a set A get at most the work that fits into the union of their windows. Time
then has prices: that of a moment is the slope of the curve segment to which more of it would go,
and a task is done up to where its slope falls to the least price in its window. They are found by
decomposition (Groenevelt, "Two algorithms for maximizing a separable concave function over a
polymatroid feasible region", EJOR 54, 1991; Fujishige, 1980), halving the range of prices: demand
the segments steeper than the middle one; the set of tasks that demand most in excess of their
windows, with its time, is priced above it and the rest, from whose windows that time is cut out, is
not. Windows are intervals and stay intervals, so the set is found by one sweep over time: in a part
of N tasks, in time proportional to N but for a union-find, O(nα log S) in all for S segments.

Segments are told apart by their rank even where slopes are equal, so that of each part of time with
one price all tasks but one are done to the end of a segment: the works are unique and need no
further search.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.jit import kernel

_MOST_WAITING = 64  # a range of prices is halved once for each part that waits for its turn


class Timeline(NamedTuple):
    """Tasks and time as the sweep reads them; tasks by deadline, segments steepest first.

    Attributes:
        length: Length of each cell, the time from one arrival or deadline to the next (T,), s.
        first: First cell of each task's window (n,).
        end: The cell after its last (n,), non-decreasing.
        task: Task of each segment (S,).
        width: Of each segment (S,), GFLOP.
        own: Where each task's segments start in ``rank`` and ``reach`` (n+1,).
        rank: Segments of each task, ascending (S,).
        reach: Work of a task up to the end of each of these (S,), GFLOP.
    """

    length: Floats
    first: Ints
    end: Ints
    task: Ints
    width: Floats
    own: Ints
    rank: Ints
    reach: Floats


class _Sweep(NamedTuple):
    """What a sweep writes down, by place in time within the part.

    Attributes:
        slack: Free time since the start before, of each place that an interval may start at (T+1,),
            in work.
        before: The start before each (T+1,), −1 for none.
        after: Where to look for the next start (T+1,), a union-find.
        chosen: Start of the interval that ends at each place, −1 where none does (T+1,).
        demand: Work demanded of each task (n,).
        inside: Which cells are in the chosen intervals (T,).
    """

    slack: Floats
    before: Ints
    after: Ints
    chosen: Ints
    demand: Floats
    inside: Bools


@kernel
def decompose(timeline: Timeline, speed: float) -> tuple[Floats, Ints]:
    """Finds the works that earn most, and the prices of time.

    Args:
        timeline: Tasks and time.
        speed: Of the machine, GFLOP/s.

    Returns:
        Work of each task (n,), GFLOP, and for each cell the rank of the segment whose slope is its
        price (T,), S where the price is 0.
    """
    n, cells = timeline.first.size, timeline.length.size
    segments = timeline.task.size
    first, end = timeline.first.copy(), timeline.end.copy()
    members, places = np.arange(n), np.arange(cells)
    spare = np.empty(max(n, cells), dtype=np.int64)
    work, price = np.zeros(n), np.full(cells, segments, dtype=np.int64)
    sweep = _Sweep(
        slack=np.empty(cells + 1),
        before=np.empty(cells + 1, dtype=np.int64),
        after=np.empty(cells + 2, dtype=np.int64),
        chosen=np.empty(cells + 1, dtype=np.int64),
        demand=np.zeros(n),
        inside=np.zeros(cells, dtype=np.bool_),
    )
    # Of each part that waits: its tasks, its cells and its range of ranks.
    waiting = np.empty((_MOST_WAITING, 6), dtype=np.int64)
    waiting[0, 0], waiting[0, 1] = 0, n
    waiting[0, 2], waiting[0, 3] = 0, cells
    waiting[0, 4], waiting[0, 5] = 0, segments
    depth = 1
    while depth > 0:
        depth -= 1
        task, last_task, cell, last_cell, low, high = waiting[depth]
        while low < high and task < last_task:
            middle = (low + high) // 2
            for place in range(task, last_task):
                j = members[place]
                sweep.demand[j] = _demand(timeline, j, middle + 1)
            mine, time = members[task:last_task], places[cell:last_cell]
            if _sweep(timeline, sweep, mine, time, first, end, speed):
                tasks, held = _divide(sweep, mine, time, first, end, spare)
                waiting[depth, 0], waiting[depth, 1] = task + tasks, last_task
                waiting[depth, 2], waiting[depth, 3] = cell + held, last_cell
                waiting[depth, 4], waiting[depth, 5] = middle + 1, high
                depth += 1
                last_task, last_cell, high = task + tasks, cell + held, middle
            else:
                low = middle + 1
        for place in range(cell, last_cell):
            price[places[place]] = high
        mine, time = members[task:last_task], places[cell:last_cell]
        _finish(timeline, mine, time, low, speed, work)
    return work, price


@kernel
def _demand(timeline: Timeline, task: int, end: int) -> float:
    """Work of a task's segments of a rank below ``end``."""
    start = timeline.own[task]
    low, high = start, timeline.own[task + 1]
    while low < high:
        middle = (low + high) // 2
        if timeline.rank[middle] < end:
            low = middle + 1
        else:
            high = middle
    return timeline.reach[low - 1] if low > start else 0.0


@kernel
def _sweep(
    timeline: Timeline,
    sweep: _Sweep,
    mine: Ints,
    time: Ints,
    first: Ints,
    end: Ints,
    speed: float,
) -> bool:
    """Finds the intervals whose tasks demand most in excess of what fits into them.

    From left to right, ``excess`` is the largest total of intervals so far. Each place may start
    the next interval; of two starts the later is better only while less has been demanded of tasks
    between them than there was free time, which is its ``slack``. A task's demand uses up the
    slack of the starts after its arrival, the nearest first; starts without any are forgotten. What
    no slack takes is what the best interval that ends here demands in excess.

    Returns:
        Whether anything is demanded in excess; ``inside`` then tells the cells.
    """
    cells = time.size
    for place in range(cells + 1):
        sweep.after[place] = place
        sweep.chosen[place] = -1
    sweep.before[0] = -1
    last, ended, found = 0, 0, False
    for place in range(1, cells + 1):
        free = speed * timeline.length[time[place - 1]]
        while ended < mine.size and end[mine[ended]] == place:
            j = mine[ended]
            ended += 1
            wanted = sweep.demand[j]
            start = _next_start(sweep.after, first[j] + 1)
            while start < place and sweep.slack[start] <= wanted:
                wanted -= sweep.slack[start]
                sweep.after[start] = start + 1
                following = _next_start(sweep.after, start + 1)
                if following < place:
                    sweep.before[following] = sweep.before[start]
                else:
                    last = sweep.before[start]
                start = following
            if start < place:
                sweep.slack[start] -= wanted
            else:
                free -= wanted
        if free > 0.0:
            sweep.slack[place] = free
            sweep.before[place] = last
            last = place
        else:
            sweep.after[place] = place + 1
            if free < 0.0:
                sweep.chosen[place] = last
                found = True
    if found:
        _mark(sweep, cells)
    return found


@kernel
def _next_start(after: Ints, place: int) -> int:
    """The first place from ``place`` on that is not forgotten (path halving)."""
    while after[place] != place:
        after[place] = after[after[place]]
        place = after[place]
    return place


@kernel
def _mark(sweep: _Sweep, cells: int) -> None:
    """Marks the cells of the chosen intervals, from the last backwards."""
    place = cells
    while place > 0:
        start = sweep.chosen[place]
        if start < 0:
            place -= 1
            sweep.inside[place] = False
        else:
            while place > start:
                place -= 1
                sweep.inside[place] = True


@kernel
def _divide(
    sweep: _Sweep, mine: Ints, time: Ints, first: Ints, end: Ints, spare: Ints
) -> tuple[int, int]:
    """Puts the tasks and cells of the chosen intervals ahead of the others, each in their order.

    Windows are told anew by place within their part; those of the others lose the chosen cells.

    Returns:
        How many tasks and how many cells are ahead.
    """
    cells = time.size
    # Places inside up to each place, over what the sweep no longer needs.
    inside = sweep.chosen
    inside[0] = 0
    for place in range(cells):
        inside[place + 1] = inside[place] + (1 if sweep.inside[place] else 0)
    ahead, behind = 0, 0
    for index in range(mine.size):
        j = mine[index]
        before, within = inside[first[j]], inside[end[j]] - inside[first[j]]
        if within == end[j] - first[j]:
            first[j], end[j] = before, before + within
            mine[ahead] = j
            ahead += 1
        else:
            first[j], end[j] = first[j] - before, end[j] - inside[end[j]]
            spare[behind] = j
            behind += 1
    for index in range(behind):
        mine[ahead + index] = spare[index]
    held, behind = 0, 0
    for place in range(cells):
        if sweep.inside[place]:
            time[held] = time[place]
            held += 1
        else:
            spare[behind] = time[place]
            behind += 1
    for index in range(behind):
        time[held + index] = spare[index]
    return ahead, held


@kernel
def _finish(
    timeline: Timeline, mine: Ints, time: Ints, rank: int, speed: float, work: Floats
) -> None:
    """Works of the tasks of a part with one price: what is left goes to the segment of its rank."""
    done, held, supply = 0.0, False, 0.0
    marginal = timeline.task[rank] if rank < timeline.task.size else -1
    for index in range(mine.size):
        j = mine[index]
        work[j] = _demand(timeline, j, rank)
        done += work[j]
        held = held or j == marginal
    if held:
        for place in range(time.size):
            supply += speed * timeline.length[time[place]]
        work[marginal] += min(max(0.0, supply - done), timeline.width[rank])
