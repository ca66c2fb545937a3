"""Hypothesis strategies: instances of every valid shape."""

import numpy as np
from hypothesis import strategies as st

from dsct_gym.accuracy import pad_curves
from dsct_gym.instance import Instance

# Few different values, so that ties between slopes, deadlines and machines are frequent.
_TIED = st.sampled_from([1.0, 2.0, 3.0, 5.0])
_FREE = st.floats(0.1, 10.0)


@st.composite
def curves(draw: st.DrawFn, values: st.SearchStrategy[float]) -> tuple[list[float], list[float]]:
    """A concave curve of 1 to 4 segments; the last may be flat."""
    count = draw(st.integers(1, 4))
    widths = [draw(values) for _ in range(count)]
    slopes = sorted((draw(values) for _ in range(count)), reverse=True)
    if draw(st.booleans()):
        slopes[-1] = 0.0
    base = draw(st.sampled_from([0.0, 0.001, 0.2]))
    rises = np.multiply(widths, slopes)
    scale = draw(st.floats(0.1, 1.0 - base)) / max(float(rises.sum()), 1e-9)
    work = np.concatenate([[0.0], np.cumsum(widths)])
    accuracy = np.minimum(1.0, base + np.concatenate([[0.0], np.cumsum(rises * scale)]))
    if slopes[-1] == 0.0:
        accuracy[-1] = accuracy[-2]
    return work.tolist(), accuracy.tolist()


@st.composite
def instances(draw: st.DrawFn, max_tasks: int = 8, max_machines: int = 3) -> Instance:
    """Ragged and tied instances; budgets from zero over tight to more than enough."""
    values = draw(st.sampled_from([_TIED, _FREE]))
    n = draw(st.integers(1, max_tasks))
    m = draw(st.integers(1, max_machines))
    work, accuracy = pad_curves([draw(curves(values)) for _ in range(n)])
    speeds = np.array([draw(values) for _ in range(m)])
    efficiencies = np.array([draw(values) for _ in range(m)])
    tightness = draw(st.sampled_from([0.1, 0.5, 2.0]))
    deadlines = np.array([tightness * draw(values) for _ in range(n)])
    share = draw(st.sampled_from([0.0, 0.1, 0.5, 1.0, 10.0]))
    budget = share * float(deadlines.max() * (speeds / efficiencies).sum())
    return Instance(speeds, efficiencies, deadlines, work, accuracy, budget)


@st.composite
def assigned(draw: st.DrawFn, max_tasks: int = 8) -> tuple[Instance, np.ndarray]:
    """An instance with an assignment; -1 leaves a task out."""
    instance = draw(instances(max_tasks))
    machines = st.integers(-1, instance.num_machines - 1)
    return instance, np.array([draw(machines) for _ in range(instance.num_tasks)])
