"""The ids whose tasks arrive over time: what they show, worked out anew, and that it is no more."""

import copy
import math
from typing import Any

import gymnasium
import numpy as np
import pytest

from arriving import arriving, by_hand, otherwise_after
from dsct_gym import generate
from dsct_gym.envs.arrival_sampling import ArrivalScenario
from dsct_gym.errors import InputError
from dsct_gym.online import OnlineInstance
from dsct_gym.online.known import NOTHING, Choice, Known
from dsct_gym.online.policy import PlainPolicy
from dsct_gym.online.simulator import next_arrival, next_idle
from playing import ARRIVING, ONLINE, QUEUE, masked_action, play, work_of_level

CASES = {
    "by themselves": arriving(0, n=25),
    "together": arriving(1, n=25, crowds=6),
    "scarce energy": arriving(2, n=25, beta=0.1),
    "no energy": arriving(3, n=12, beta=0.0),
    "little time": arriving(4, n=25, rho=0.05, patience=0.03),
    "all there": generate(10, 3, seed=5),
}


class World:
    """A game as plain lists, played by the rules of the docstrings."""

    def __init__(self, problem: Any) -> None:
        core = problem.core
        online = isinstance(problem, OnlineInstance)
        self.core = core
        self.arrivals = problem.arrivals if online else np.zeros(core.num_tasks)
        self.horizon = problem.horizon if online else core.deadlines.max()
        self.order = np.argsort(self.arrivals, kind="stable").tolist()
        self.free = [0.0] * core.num_machines
        self.spent = [0.0] * core.num_machines
        self.gained = 0.0

    def room(self, task: int, machine: int, now: float) -> float:
        """Largest work that fits, as a share of the full work."""
        core = self.core
        time = core.deadlines[task] - max(now, self.free[machine])
        energy = core.energy_budget - sum(self.spent)
        most = min(time * core.speeds[machine], energy * core.efficiencies[machine])
        return max(0.0, most) / core.work[task, -1]

    def run(self, task: int, machine: int, level: int, now: float) -> float:
        core = self.core
        work = work_of_level(core, task, level, 10)
        self.free[machine] = max(now, self.free[machine]) + work / core.speeds[machine]
        self.spent[machine] += work / core.efficiencies[machine]
        gain = float(np.interp(work, core.work[task], core.accuracy[task])) - core.accuracy[task, 0]
        self.gained += gain
        return gain


def log(value: float) -> float:
    return float(np.clip(math.log(value), -5.0, 5.0)) if value > 0.0 else -5.0


def share(value: float) -> float:
    return float(np.clip(value, 0.0, 1.0))


def state(world: World, now: float, seen: list[int]) -> dict[str, float]:
    """The columns of the episode as a whole."""
    core, horizon = world.core, world.horizon
    works = [core.work[task, -1] for task in seen]
    speed, power = core.speeds.sum(), (core.speeds / core.efficiencies).sum()
    budget = core.energy_budget
    spent = sum(world.spent) / budget if budget else 1.0
    fading = [math.exp((world.arrivals[task] - now) / (horizon / 20)) for task in seen]
    time = min(now / horizon, 1.0)
    return {
        "time": time,
        "energy_left": share(1.0 - spent),
        "pace": float(np.clip(spent - time, -1.0, 1.0)) if budget else 0.0,
        "beta": log(budget / (horizon * power)),
        "accuracy": share(world.gained / len(seen)),
        "demand": log(sum(works) / (speed * now)) if now > 0.0 else 5.0,
        "recent": log(np.dot(works, fading) / (speed * horizon / 20)),
        "arrived": math.log10(1 + len(seen)),
        "machines": math.log10(core.num_machines),
    }


def task_columns(world: World, task: int, now: float, seen: list[int]) -> dict[str, float]:
    core = world.core
    left = core.deadlines[task] - now
    gain = core.accuracy[task, -1] - core.accuracy[task, 0]
    return {
        "due": share(left / world.horizon),
        "slack": log(left / np.mean([core.deadlines[j] - world.arrivals[j] for j in seen])),
        "work": log(core.work[task, -1] / np.mean([core.work[j, -1] for j in seen])),
        "gain": gain,
        "half": work_of_level(core, task, 1, 2) / core.work[task, -1],
    }


def on_machine(world: World, task: int, machine: int, now: float) -> dict[str, float]:
    core, left = world.core, world.core.deadlines[task] - now
    full, power = core.work[task, -1], core.energy_budget / world.horizon
    energy = full / core.efficiencies[machine]
    return {
        "room": share(world.room(task, machine, now)),
        "time": log(full / core.speeds[machine] / left),
        "energy": log(energy / (power * left)) if power else 5.0,
    }


def machine_columns(world: World, machine: int, now: float, seen: list[int]) -> dict[str, float]:
    core, budget = world.core, world.core.energy_budget
    patience = np.mean([core.deadlines[j] - world.arrivals[j] for j in seen])
    return {
        "speed": log(core.speeds[machine] / core.speeds.mean()),
        "efficiency": log(core.efficiencies[machine] / core.efficiencies.mean()),
        "spent": share(world.spent[machine] / budget) if budget else 0.0,
        "wait": min(5.0, max(world.free[machine] - now, 0.0) / patience),
    }


def row(columns: tuple[Any, ...], told: dict[str, float]) -> np.ndarray:
    assert [column.name for column in columns] == list(told)
    return np.array(list(told.values()))


def close(shown: np.ndarray, truth: np.ndarray) -> bool:
    return bool(np.allclose(shown, truth, rtol=2e-5, atol=2e-6))


@pytest.mark.parametrize("case", CASES)
def test_what_arrives_is_shown_as_documented(case: str) -> None:
    problem = CASES[case]
    env = gymnasium.make(ONLINE, instance=problem).unwrapped
    world, rng, m = World(problem), np.random.default_rng(0), problem.core.num_machines
    observation, info = env.reset(seed=0)
    for position, task in enumerate(world.order):
        now, seen = float(world.arrivals[task]), world.order[: position + 1]
        tables = env.layout.tables(observation)
        assert env.observation_space.contains(observation)
        assert env.task == task
        assert info["time"] == now
        before = world.arrivals[world.order[position - 1]] if position else 0.0
        assert info["dt"] == pytest.approx(now - before)
        assert close(tables["budget"], row(env.layout.budget, state(world, now, seen)))
        assert close(tables["task"], row(env.layout.task, task_columns(world, task, now, seen)))
        for r in range(m):
            told = machine_columns(world, r, now, seen)
            wait = max(world.free[r] - now, 0.0)
            told["load"] = share(wait / (problem.core.deadlines[task] - now))
            told |= on_machine(world, task, r, now)
            assert close(tables["machines"][r], row(env.layout.machine, told))
            for level in range(1, 11):
                allowed = info["action_mask"][r * 10 + level - 1]
                part = work_of_level(problem.core, task, level, 10) / problem.core.work[task, -1]
                assert allowed == (0.0 < part <= world.room(task, r, now) * (1.0 + 1e-9))
        action = masked_action(env, info["action_mask"], rng)
        gain = 0.0
        if action < 10 * m:
            gain = world.run(task, action // 10, action % 10 + 1, now)
        observation, reward, over, _, info = env.step(action)
        assert reward == pytest.approx(gain)
        assert over == (position + 1 == len(world.order))
    assert not observation["task"].any()
    assert info["time"] == world.horizon
    assert info["action_mask"].sum() == 1


@pytest.mark.parametrize("case", CASES)
def test_what_waits_is_shown_as_documented(case: str) -> None:
    problem = CASES[case]
    env = gymnasium.make(QUEUE, instance=problem, window=4).unwrapped
    core, world, rng = problem.core, World(problem), np.random.default_rng(1)
    decided: set[int] = set()
    observation, info = env.reset(seed=0)
    over = False
    while not over:
        now, tables = info["time"], env.layout.tables(observation)
        assert env.observation_space.contains(observation)
        seen = [task for task in world.order if world.arrivals[task] <= now]
        place = {task: rank for rank, task in enumerate(seen)}
        waiting = [j for j in seen if j not in decided and core.deadlines[j] > now]
        waiting.sort(key=lambda j: (core.deadlines[j], place[j]))
        told = state(world, now, seen) | {"waiting": math.log10(1 + len(waiting))}
        assert close(tables["budget"], row(env.layout.budget, told))
        asked = int(np.flatnonzero(tables["machines"][:, 4])[0])
        assert world.free[asked] <= now
        for r in range(core.num_machines):
            told = machine_columns(world, r, now, seen) | {"asked": float(r == asked)}
            assert close(tables["machines"][r], row(env.layout.machine, told))
        shown = waiting[:4]
        assert observation["tasks_mask"].tolist() == [1.0] * len(shown) + [0.0] * (4 - len(shown))
        assert not tables["tasks"][len(shown) :].any()
        for rank, task in enumerate(shown):
            told = task_columns(world, task, now, seen) | on_machine(world, task, asked, now)
            assert close(tables["tasks"][rank], row(env.layout.task, told))
            for level in range(1, 11):
                part = work_of_level(core, task, level, 10) / core.work[task, -1]
                fits = 0.0 < part <= world.room(task, asked, now) * (1.0 + 1e-9)
                assert info["action_mask"][rank * 10 + level - 1] == fits
        action = masked_action(env, info["action_mask"], rng)
        gain = 0.0
        if action < 40:
            task = shown[action // 10]
            decided.add(task)
            gain = world.run(task, asked, action % 10 + 1, now)
        observation, reward, over, _, info = env.step(action)
        assert reward == pytest.approx(gain)
    assert not observation["tasks"].any()
    assert info["time"] >= world.horizon


class Replayed(PlainPolicy):
    """Does in the simulator what was done in an environment."""

    name = "replayed"

    def __init__(self, choices: list[tuple[int, int, int]]) -> None:
        super().__init__()
        self.choices = choices

    def begin(self) -> None:
        self.left = list(self.choices)

    def decide(self, known: Known) -> Choice:
        place, machine, level = self.left.pop(0)
        if level < 0:
            return NOTHING
        task = int(known.waiting[place])
        machine = known.machine if machine < 0 else machine
        return Choice(task, machine, float(known.level[task, level]))


class ReplayedAtArrival(Replayed):
    turns = staticmethod(next_arrival)


class ReplayedWhenIdle(Replayed):
    turns = staticmethod(next_idle)


@pytest.mark.parametrize("env_id", ARRIVING)
def test_an_episode_is_a_game_of_the_simulator(env_id: str) -> None:
    env = gymnasium.make(env_id, n=30, m=3, burstiness=(1.0, 5.0)).unwrapped
    rng = np.random.default_rng(0)
    for seed in range(4):
        choices, (_, info), over = [], env.reset(seed=seed), False
        while not over:
            action = masked_action(env, info["action_mask"], rng)
            place, level = divmod(action, 10)
            if action == env.action_space.n - 1:
                choices.append((-1, -1, -1))
            else:
                choices.append((0, place, level) if env_id == ONLINE else (place, -1, level))
            *_, over, _, info = env.step(action)
        kind = ReplayedAtArrival if env_id == ONLINE else ReplayedWhenIdle
        there = kind(choices).solve(env.instance).schedule
        here = info["schedule"]
        for field in ("machine", "start", "work"):
            assert np.array_equal(getattr(here, field), getattr(there, field))


@pytest.mark.parametrize("env_id", ARRIVING)
@pytest.mark.parametrize("seed", range(4))
def test_what_comes_later_changes_nothing_that_is_shown(env_id: str, seed: int) -> None:
    problem = arriving(seed, n=30, crowds=8 * (seed % 2))
    moment = float(np.quantile(problem.arrivals, 0.3 + 0.15 * seed))
    other = otherwise_after(problem, moment, seed)
    env = gymnasium.make(env_id, n=5, m=3)
    shown = []
    for each in (problem, other):
        rng, told = np.random.default_rng(9), []
        observation, info = env.reset(options={"instance": each})
        over = False
        while not over and info["time"] <= moment:
            told.append((info["time"], copy.deepcopy(observation), info["action_mask"].copy()))
            action = masked_action(env, info["action_mask"], rng)
            observation, _, over, _, info = env.step(action)
        shown.append(told)
    assert len(shown[0]) == len(shown[1]) > 3
    for (time, observation, mask), (time_too, same, mask_too) in zip(*shown, strict=True):
        assert time == time_too
        assert np.array_equal(mask, mask_too)
        assert all(np.array_equal(observation[key], same[key]) for key in observation)


@pytest.mark.parametrize("env_id", ARRIVING)
def test_actions_do_not_touch_what_arrives(env_id: str) -> None:
    env = gymnasium.make(env_id, n=20, m=2, burstiness=4.0).unwrapped
    found = []
    for policy in range(2):
        env.reset(seed=3)
        played = []
        for _ in range(3):
            played.append(env.instance)
            rng = np.random.default_rng(policy)
            play(env, rng)
        found.append(played)
    assert len({instance.core.num_tasks for instance in found[0]}) > 1
    assert found[0] == found[1]


@pytest.mark.parametrize("env_id", ARRIVING)
def test_an_episode_can_be_cut_short_at_a_moment_that_is_drawn(env_id: str) -> None:
    env = gymnasium.make(env_id, n=60, m=2, mean_length=0.6).unwrapped
    assert env.observation_space.dsct_gym["rules"]["mean_length"] == 0.6
    rng, ends, lengths = np.random.default_rng(0), [], []
    for seed in range(60):
        _, info = env.reset(seed=seed)
        over = cut = False
        while not (over or cut):
            observation, _, over, cut, info = env.step(masked_action(env, info["action_mask"], rng))
        ends.append(cut)
        if cut:
            assert not over
            assert info["schedule"].verify()
            assert observation["machines_mask"].any()
        lengths.append(info["time"] / env.instance.horizon)
        with pytest.raises(gymnasium.error.ResetNeeded):
            env.step(0)
    # Exponential with mean 0.6, seen up to 1: P(cut) = 1 − e^(−1/0.6) = 0.81, mean 0.49.
    assert 0.65 < np.mean(ends) < 0.95
    assert 0.37 < np.mean(lengths) < 0.62
    _, _, info = play(env, rng, options={"instance": arriving(0, m=2)})
    assert info["time"] >= env.instance.horizon


def test_a_window_shows_the_most_urgent() -> None:
    problem = by_hand([0.0] * 4, [4.0, 2.0, 3.0, 5.0], [1.0] * 4, horizon=4.0)
    env = gymnasium.make(QUEUE, instance=problem, window=2, levels=1).unwrapped
    _, info = env.reset()
    assert env.action_space.n == 3
    *_, info = env.step(0)  # task 1, until 1
    assert info["time"] == 1.0
    *_, info = env.step(1)  # the second of tasks 2, 0: until 2
    *_, info = env.step(2)  # wait: task 2 is dropped at 3 and task 3 at 5, for nothing happens
    assert info["schedule"].machine.tolist() == [0, 0, -1, -1]
    assert info["time"] == 4.0


def test_instances_of_any_number_of_tasks_are_played() -> None:
    env = gymnasium.make(ONLINE, n=5, m=3).unwrapped
    for n in (3, 90, 40):
        _, _, info = play(env, np.random.default_rng(0), options={"instance": arriving(n, n=n)})
        assert info["schedule"].verify()
    with pytest.raises(InputError, match="instance: 4 machines, but the environment was made for"):
        env.reset(options={"instance": arriving(0, m=4)})


def test_the_scenario_is_what_it_says() -> None:
    for burstiness, dispersion in ((1.0, (0.7, 1.35)), (4.0, (5.0, 40.0))):
        scenario = ArrivalScenario(n=60, m=3, mu=4.0, rho=0.4, beta=0.3, burstiness=burstiness)
        drawn = [scenario.sample(np.random.default_rng(seed)) for seed in range(400)]
        counts = np.array([problem.core.num_tasks for problem in drawn])
        assert counts.mean() == pytest.approx(60, rel=0.06)
        assert dispersion[0] < counts.var() / counts.mean() < dispersion[1]
        for problem in drawn[:20]:
            core, horizon = problem.core, problem.horizon
            power = (core.speeds / core.efficiencies).sum()
            assert core.energy_budget == pytest.approx(0.3 * horizon * power)
            time = 46.05 * math.log(4) / 3 * 3 / core.speeds.sum()
            latency = (core.deadlines - problem.arrivals) / time
            assert 0.15 - 1e-4 <= latency.min() < latency.max() <= 1.5 + 1e-4
            largest = core.work[:, -1]
            assert largest.max() / largest.min() <= 4.0 * (1 + 1e-9)
        load = [p.core.speeds.sum() * p.horizon / (60 * 46.05 * math.log(4) / 3) for p in drawn]
        assert np.mean(load) == pytest.approx(0.4, rel=1e-3)
    with pytest.raises(InputError, match="burstiness: must be in"):
        ArrivalScenario(burstiness=0.5)
    with pytest.raises(InputError, match="rho: range"):
        gymnasium.make(ONLINE, rho=(0.5, 0.1))
    with pytest.raises(TypeError, match="devices"):
        gymnasium.make(ONLINE, devices="T4")


def test_a_draw_with_more_tasks_than_there_is_room_for_makes_room() -> None:
    env = gymnasium.make(ONLINE, n=4, m=2, burstiness=30.0, period=5.0).unwrapped
    largest = 0
    for seed in range(60):
        env.reset(seed=seed)
        count = env.instance.core.num_tasks
        assert env._episodes.library.bank.tasks[0] == count
        assert np.array_equal(env._episodes.library.bank.arrival[0, :count], env.instance.arrivals)
        largest = max(largest, count)
    assert largest > 4 * 1.5 + 8


@pytest.mark.parametrize("env_id", ARRIVING)
def test_frames_show_time_passing_and_what_waits(env_id: str) -> None:
    problem = by_hand([0.0, 0.0, 2.0], [4.0, 3.0, 5.0], [1.0] * 3, horizon=5.0)
    env = gymnasium.make(env_id, instance=problem, levels=1, render_mode="ansi").unwrapped
    env.reset()
    first = env.render().splitlines()
    if env_id == ONLINE:
        assert first[0] == "0 ns: task 0 arrives, due at 4 s (1 task so far)"
    else:
        assert first[0] == "0 ns: machine 0 is idle, 2 wait (2 tasks so far)"
    assert first[1].split()[2][0] == ">"
    env.step(0)
    env.step(0)
    later = env.render().splitlines()
    assert "(3 tasks so far)" in later[0]
    bar = later[1].split()[2]
    assert bar.index(">") == 24  # 2 of 5 s in 60 columns
    assert set(bar[:24]) == {"#"}
    picture = gymnasium.make(env_id, instance=problem, render_mode="rgb_array").unwrapped
    picture.reset()
    frames = [picture.render()]
    picture.step(9)
    frames.append(picture.render())
    assert (frames[0] != frames[1]).any()
