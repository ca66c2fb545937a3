import numpy as np
from hypothesis import given, settings

from dsct_gym import generate, make_solver
from dsct_gym.allocation import allocate
from dsct_gym.baselines.greedy import Greedy
from dsct_gym.instance import Instance
from dsct_gym.solver import Progress
from strategies import instances


def slow_greedy(instance: Instance) -> float:
    """The rule spelt out: a fresh exact allocation for every task and machine."""
    machine_of = np.full(instance.num_tasks, -1)
    best = allocate(instance, machine_of).total_accuracy
    for task in np.argsort(-instance.max_work, kind="stable"):
        totals = []
        for r in range(instance.num_machines):
            trial = machine_of.copy()
            trial[task] = r
            totals.append(allocate(instance, trial).total_accuracy)
        # Within rounding, equal totals are a tie and the first machine wins.
        if max(totals) > best * (1 + 1e-12):
            machine_of[task] = int(np.argmax(np.array(totals) > max(totals) * (1 - 1e-12)))
            best = max(totals)
    return best


@settings(max_examples=40, deadline=None)
@given(instances(max_tasks=1, max_machines=4))
def test_one_task_is_placed_best(instance: Instance) -> None:
    total = make_solver("greedy").solve(instance).schedule.total_accuracy
    assert np.isclose(total, slow_greedy(instance), rtol=1e-12)


def test_follows_its_description() -> None:
    # Random speeds and efficiencies: no ties, so rounding cannot lead it elsewhere.
    for seed in range(8):
        instance = generate(25, 4, mu=10, seed=seed)
        total = make_solver("greedy").solve(instance).schedule.total_accuracy
        assert np.isclose(total, slow_greedy(instance), rtol=1e-12)


def test_time_limit_sends_the_rest_where_approx_puts_it() -> None:
    instance = generate(3000, 5, seed=1)
    heard: list[Progress] = []
    solver = Greedy()
    solver.progress = heard.append
    solution = solver.solve(instance, time_limit=1e-9)
    assert len(heard) == 1
    assert 0.0 < heard[0].done < 1.0  # type: ignore[operator]
    assert (
        solution.schedule.total_accuracy
        > make_solver("random").solve(instance).schedule.total_accuracy
    )


def test_interrupt_keeps_what_was_placed() -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    solver = Greedy()
    solver.progress = interrupt
    solution = solver.solve(generate(500, 3, seed=2))
    assert solution.interrupted
    assert (solution.schedule.machine >= 0).sum() > 64
