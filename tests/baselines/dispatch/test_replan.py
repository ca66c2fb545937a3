"""`replan` by hand, and the plan of a machine against a programme solved from outside."""

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, linprog, minimize

from arriving import arriving, by_hand
from dsct_gym import make_solver
from dsct_gym.arrays import Ints
from dsct_gym.baselines.dispatch.queue_plan import Prices, Queue, plan_queue
from dsct_gym.baselines.dispatch.replan import Replan
from dsct_gym.jit import kernel
from dsct_gym.online.known import Known
from dsct_gym.online.simulator import Game, know, next_idle
from dsct_gym.online.toy import toy_with_arrivals


@kernel
def planned(known: Known, prices: Prices, machine: int, owner: Ints, queue: Queue) -> float:
    return plan_queue(known, prices, machine, owner, queue)


def test_what_waits_is_planned_again_when_the_machine_is_free() -> None:
    # As for `price`, the last GFLOP that pays ends 2 s ahead: the first task of 4 GFLOP gets 2, and
    # the second none; but it waits, and at 2 it gets 2 of its own.
    problem = by_hand([0.0, 0.0], [4.0, 4.0], [4.0, 4.0], horizon=4.0)
    rule = make_solver("replan", energy=0.5, correction=0.0, queue=1.0, shape=1.0)
    schedule = rule.solve(problem).schedule
    assert schedule.work == pytest.approx([2.0, 2.0])
    assert schedule.start == pytest.approx([0.0, 2.0])


def test_tasks_go_where_they_add_most() -> None:
    # Two machines of 1 GFLOP/s, three tasks of 2 GFLOP, nothing has a price. The first two have 2 s
    # and fill a machine each; the third can follow either until 3, then with 1 GFLOP.
    problem = by_hand([0.0] * 3, [2.0, 2.0, 3.0], [2.0] * 3, speeds=(1.0, 1.0), horizon=4.0)
    schedule = make_solver("replan", energy=0.0, queue=0.0).solve(problem).schedule
    assert schedule.machine[:2].tolist() in ([0, 1], [1, 0])
    assert schedule.work == pytest.approx([2.0, 2.0, 1.0])


def _case(seed: int) -> tuple[Known, np.ndarray, Queue]:
    core = arriving(seed, n=7, m=1).core
    game = Game.of(core, 10)
    assert next_idle(game)
    owner = np.where(np.arange(7) == 3, -1, 0)
    queue = Queue(np.zeros(7, dtype=np.int64), np.zeros(7, dtype=np.int64), np.zeros(7))
    free = np.array([0.5 * core.deadlines.min()])
    return know(game)._replace(free=free), owner, queue


def _programme(known: Known, owner: np.ndarray, joule: float) -> tuple:
    """Value, limits and bounds of the pieces of the machine's tasks, most urgent first."""
    tasks = known.waiting[owner == 0]
    width, rise = np.diff(known.reach[tasks]), np.diff(known.value[tasks])
    value = (rise / width - joule / known.efficiency[0]).ravel()
    rows = np.repeat(np.tril(np.ones((tasks.size, tasks.size))), width.shape[1], axis=1)
    limits = (known.deadline[tasks] - known.free[0]) * known.speed[0]
    return value, rows, limits, width.ravel()


@pytest.mark.parametrize("seed", range(4))
def test_a_plan_at_a_price_of_energy_is_the_linear_programme(seed: int) -> None:
    known, owner, queue = _case(seed)
    joule = 0.3 * known.gain[:, -1].sum() / known.reach[:, -1].sum() * known.efficiency[0]
    value, rows, limits, width = _programme(known, owner, joule)
    truth = linprog(-value, A_ub=rows, b_ub=limits, bounds=[(0.0, each) for each in width])
    worth = planned(known, Prices(joule, 0.0, 1.0, 1.0), 0, owner, queue)
    assert worth == pytest.approx(-truth.fun, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_a_plan_at_a_price_of_time_is_the_convex_programme(seed: int) -> None:
    known, owner, queue = _case(seed)
    unit = known.gain[:, -1].sum() / known.reach[:, -1].sum()
    prices = Prices(0.1 * unit * known.efficiency[0], 2.0 * unit, 1.0, float(known.deadline.mean()))
    value, rows, limits, width = _programme(known, owner, prices.joule)
    scale, patience = known.speed[0] * prices.patience, prices.patience

    def cost(share: np.ndarray) -> float:
        last = (known.free[0] + share @ width / known.speed[0]) / patience
        time = 0.5 * prices.queue * scale * (last**2 - (known.free[0] / patience) ** 2)
        return float(time - value @ (share * width))

    limit = LinearConstraint(rows * width / limits[:, None], -np.inf, 1.0)
    truth = minimize(
        cost,
        np.zeros(width.size),
        bounds=[(0.0, 1.0)] * width.size,
        constraints=[limit],
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert planned(known, prices, 0, owner, queue) == pytest.approx(-truth.fun, rel=1e-5)


def test_what_there_is_no_time_for_is_skipped():
    problem = toy_with_arrivals()
    schedule = Replan().solve(problem, time_limit=1e-9).schedule
    assert schedule.verify()
    assert (schedule.machine == -1).all()
