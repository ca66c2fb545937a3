import numpy as np

from dsct_gym import generate, make_solver
from dsct_gym.allocation import allocate


def test_every_choice_is_equally_likely() -> None:
    # Energy and time in plenty: a task without work is one that was skipped.
    instance = generate(4000, 3, rho=50.0, beta=1.0, seed=1)
    schedule = make_solver("random").solve(instance, seed=7).schedule
    counts = np.bincount(schedule.machine + 1, minlength=4)
    assert (np.abs(counts - 1000) < 150).all()


def test_seeds_differ_and_times_are_exact() -> None:
    instance = generate(40, 3, seed=1)
    one, other = (make_solver("random").solve(instance, seed=s).schedule for s in (1, 2))
    assert not np.array_equal(one.machine, other.machine)
    again = allocate(instance, one.machine)
    assert np.isclose(again.total_accuracy, one.total_accuracy, rtol=1e-12)
