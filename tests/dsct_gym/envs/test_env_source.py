"""Where instances come from."""

import warnings
from dataclasses import replace

import gymnasium
import numpy as np
import pytest

import dsct_gym
from dsct_gym.allocation import Packed
from dsct_gym.envs.assign import AssignEpisodes
from dsct_gym.envs.episodes import Episodes
from dsct_gym.envs.joint import JointEpisodes
from dsct_gym.envs.options import make_source
from dsct_gym.envs.sampling import Sampled, _exact_sum
from dsct_gym.envs.source import Drawn
from dsct_gym.errors import EvaluationWarning
from dsct_gym.generator import Scenario, generate
from dsct_gym.instance import Instance
from dsct_gym.jit import kernel
from dsct_gym.suites.training_split import TrainingSplit
from playing import ARRIVING, ASSIGN, IDS, JOINT, RANGES, play

SCENARIOS = [
    {"n": 30, "m": 4},
    {"n": (1, 40), "m": (1, 7), "mu": (1, 20), "rho": (0.1, 2.0), "beta": (0.0, 1.0)},
    {"n": 5, "m": (2, 3), "beta": 0.0, "rho": (0.5, 0.5), "segments": 1, "speed": 4.0},
    {"n": 3, "m": 2, "mu": 1.0, "rho": 1e-9, "a_min": 0.3, "a_max": 0.3},
]


def generators(count: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in range(count)]


@pytest.mark.parametrize("kind", [JointEpisodes, AssignEpisodes])
@pytest.mark.parametrize("options", SCENARIOS)
def test_compiled_sampling_draws_what_the_scenario_draws(
    kind: type[Episodes], options: dict
) -> None:
    scenario, count = Scenario(**options), 130
    fast = kind(count, make_source(**options), threads=2)
    slow = kind(count, Drawn(scenario.sample, scenario.max_tasks, scenario.max_machines))
    assert isinstance(fast.source, Sampled)
    mine, plain, theirs = generators(count), generators(count), generators(count)
    everyone = np.arange(count)
    for _ in range(2):
        fast.begin(everyone, mine)
        slow.begin(everyone, theirs)
        for env in range(count):
            instance = scenario.sample(plain[env])
            assert fast.instance(env) == instance
            assert mine[env].bit_generator.state == plain[env].bit_generator.state
            assert_same_row(fast, slow, env, instance)
        for one, other in zip(fast.view, slow.view, strict=True):
            assert np.array_equal(one, other)


def assert_same_row(fast: Episodes, slow: Episodes, env: int, instance: Instance) -> None:
    """The rows agree wherever the instance reaches; segments also with the allocation's."""
    n, m = instance.num_tasks, instance.num_machines
    one, other = fast.library.bank, slow.library.bank
    segments = int(one.segments[env])
    reach = dict.fromkeys(("speed", "efficiency", "log_speed", "log_efficiency"), m)
    reach |= dict.fromkeys(("task", "slope", "width", "own"), segments)
    reach |= dict.fromkeys(("deadline", "reach", "value", "level", "columns"), n)
    assert one.guided == other.guided
    assert one.several is other.several is one.levels is other.levels is None
    for field in set(one._fields) - {"guided", "several", "levels"}:
        row, expected = getattr(one, field)[env], getattr(other, field)[env]
        size = reach.get(field, n if np.ndim(row) else None)
        assert np.array_equal(
            row if size is None else row[:size], expected[:size] if size is not None else expected
        ), field
    if fast.segmented:
        packed = Packed.of(instance)
        for field in ("task", "slope", "width", "own"):
            assert np.array_equal(getattr(one, field)[env][:segments], getattr(packed, field))
        assert np.array_equal(one.first[env][: n + 1], packed.first)


@kernel
def sum_in_kernel(values: np.ndarray) -> float:
    return _exact_sum(values)


def test_exact_sum_is_rounded_once() -> None:
    import math

    rng = np.random.default_rng(0)
    for _ in range(300):
        values = rng.random(rng.integers(0, 60)) * 10.0 ** rng.integers(-18, 18)
        values = np.concatenate([values, rng.normal(size=3) * 10.0 ** rng.integers(-30, 30, 3)])
        assert sum_in_kernel(values) == math.fsum(values.tolist())
    for tie in ([1e16, 1.0, 1e-16], [1e16, 1.0, -1e-16], [1.0, 2.0**-53, 2.0**-106], []):
        assert sum_in_kernel(np.array(tie, dtype=float)) == math.fsum(tie)


@pytest.mark.parametrize("env_id", [each for each in IDS if each not in ARRIVING])
def test_every_episode_has_a_new_instance_within_the_ranges(env_id: str) -> None:
    env = gymnasium.make(env_id, **RANGES).unwrapped
    rng = np.random.default_rng(0)
    seen = []
    env.reset(seed=0)
    for _ in range(12):
        play(env, rng)
        seen.append(env.instance)
    assert len(set(seen)) == 12
    for instance in seen:
        core = instance.core
        spare = core.horizon * core.speeds.sum() / core.max_work.sum()
        budget = core.energy_budget / (core.horizon * core.powers.sum())
        assert 0.2 - 1e-9 <= spare <= 1.0 + 1e-9
        assert 0.1 - 1e-9 <= budget <= 1.0 + 1e-9


def test_pools_are_prepared_once_and_drawn_from() -> None:
    instances = [generate(n=n, m=2, seed=n) for n in (2, 3, 4)]
    env = gymnasium.make(ASSIGN, pool=instances, guidance=True).unwrapped
    assert env.layout.max_tasks == 4
    env.reset(seed=0)
    drawn = []
    for _ in range(30):
        env.reset()
        drawn.append(env.instance)
    assert {instance.num_tasks for instance in drawn} == {2, 3, 4}
    assert all(any(instance is known for known in instances) for instance in drawn)


def test_pools_can_be_drawn_ahead() -> None:
    def drawn(pool_seed: int) -> set[Instance]:
        env = gymnasium.make(JOINT, **RANGES, pool=4, pool_seed=pool_seed).unwrapped
        assert (env.layout.max_tasks, env.layout.max_machines) == (9, 3)
        env.reset(seed=0)
        found = set()
        for _ in range(40):
            env.reset()
            found.add(env.instance)
        return found

    assert len(drawn(0)) == 4
    assert drawn(0) == drawn(0)
    assert not drawn(0) & drawn(1)


def test_generators_may_be_callables_or_samplers() -> None:
    class Alternating:
        def sample(self, rng: np.random.Generator) -> Instance:
            return generate(n=3, m=int(rng.integers(1, 3)), seed=int(rng.integers(99)), segments=7)

    for generator in (Alternating(), Alternating().sample):
        env = gymnasium.make(ASSIGN, generator=generator, n=3, m=2).unwrapped
        assert env.layout.max_machines == 2
        for seed in range(6):
            play(env, np.random.default_rng(seed), seed=seed)
    env = gymnasium.make(JOINT, generator=Scenario(n=(2, 4), m=2, devices="T4,V100")).unwrapped
    env.reset(seed=0)
    assert env.instance.machine_names == ("T4", "V100")
    sized = gymnasium.make(JOINT, generator=lambda rng: generate(n=3, m=2)).unwrapped
    assert (sized.layout.max_tasks, sized.layout.max_machines) == (3, 2)


def test_curves_may_get_longer_in_mid_training() -> None:
    lengths = iter([2, 5, 3, 9])

    def growing(rng: np.random.Generator) -> Instance:
        return generate(n=4, m=2, segments=next(lengths))

    env = gymnasium.make(ASSIGN, generator=growing, n=4, m=2)
    for _ in range(4):
        schedule, _, _ = play(env, np.random.default_rng(0))
        assert schedule.verify()


def test_suites_are_drawn_from() -> None:
    env = gymnasium.make(JOINT, suite="tiny", split="test").unwrapped
    known = dsct_gym.load_suite("tiny")
    assert env.layout.max_tasks == max(instance.num_tasks for instance in known)
    for seed in range(5):
        env.reset(seed=seed)
        assert env.instance in list(known)


def test_the_training_split_is_like_the_suite_but_none_of_it() -> None:
    known = list(dsct_gym.load_suite("devices"))
    env = gymnasium.make(JOINT, suite="devices", split="train").unwrapped
    test = gymnasium.make(JOINT, suite="devices", split="test").unwrapped
    assert env.observation_space == test.observation_space
    kinds = {(i.num_tasks, i.machine_names) for i in known}
    drawn = []
    for episode in range(60):
        env.reset(seed=0 if episode == 0 else None)
        drawn.append(env.instance)
    # Real devices: the same room of them, with the number of tasks that the suite has there.
    met = {(i.num_tasks, i.machine_names) for i in drawn}
    assert met <= kinds
    assert len(met) > len(kinds) // 2
    assert all(instance not in known for instance in drawn)
    assert len(set(drawn)) == 60


@pytest.mark.parametrize("suite", ["tiny", "small", "medium", "large"])
def test_every_suite_has_a_training_split(suite: str) -> None:
    split = TrainingSplit(suite)
    sizes = [(i.num_tasks, i.num_machines) for i in dsct_gym.load_suite(suite)]
    assert split.sizes == set(sizes)
    drawn = split.sample(np.random.default_rng(0))
    assert (drawn.num_tasks, drawn.num_machines) in sizes


def test_whoever_might_train_on_what_is_compared_is_warned() -> None:
    with pytest.warns(EvaluationWarning, match="agents are compared on the instances of 'tiny'"):
        gymnasium.make(JOINT, suite="tiny")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for split in ("train", "test"):
            gymnasium.make(JOINT, suite="tiny", split=split)


def test_the_reference_is_told_of_a_suite_alone() -> None:
    suite = dsct_gym.load_suite("tiny")
    for instance, expected in (
        (suite[3], suite.references[3].mean_accuracy),
        (replace(suite[3], name="tiny-04"), None),
        (replace(suite[3], energy_budget=0.1), None),
        (replace(suite[3], name=None), None),
        (generate(4, 2), None),
    ):
        env = gymnasium.make(ASSIGN, instance=instance)
        _, _, info = play(env, np.random.default_rng(0))
        assert info.get("reference") == expected
        if expected is not None:
            assert info["mean_accuracy"] <= expected


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_batches_tell_the_references_of_those_that_ended(mode: str) -> None:
    suite = dsct_gym.load_suite("tiny")
    by_size = {instance.num_tasks: index for index, instance in enumerate(suite)}
    one, other = sorted(by_size)[:2]
    many = gymnasium.make_vec(
        ASSIGN,
        num_envs=3,
        vectorization_mode="vector_entry_point",
        autoreset_mode=mode,
        generator=lambda rng: generate(2, 2),
        n=12,
        m=4,
    )
    assert many.metadata["autoreset_mode"].value == mode
    given = [suite[by_size[one]], suite[by_size[other]], generate(one, 2)]
    many.reset(options={"instance": given})
    for step in range(1, other + 1):
        *_, ended, _, info = many.step(np.zeros(3, dtype=int))
        info = info.get("final_info", info)
        if step not in (one, other):
            assert "reference" not in info
            continue
        where = 0 if step == one else 1
        assert ended[where]
        assert info["_reference"].tolist() == [env == where for env in range(3)]
        known = suite.references[by_size[one if where == 0 else other]]
        assert info["reference"][where] == known.mean_accuracy
