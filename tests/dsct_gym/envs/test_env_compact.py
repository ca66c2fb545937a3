"""Observations without the table of tasks: the same numbers, fewer of them."""

import pickle
from typing import Any

import gymnasium
import numpy as np
import pytest

from dsct_gym.envs.game import Game
from dsct_gym.errors import InputError
from playing import FROM_NOTHING, PLAN, RANGES, masked_action

TABLE = {"tasks", "tasks_mask"}


@pytest.mark.parametrize("guidance", [False, True])
@pytest.mark.parametrize("env_id", FROM_NOTHING)
def test_all_but_the_table_is_shown(env_id: str, guidance: bool) -> None:
    full, compact = (
        gymnasium.make(env_id, **RANGES, guidance=guidance, compact=short)
        for short in (False, True)
    )
    assert full.observation_space.keys() - compact.observation_space.keys() == TABLE
    rng = np.random.default_rng(0)
    for seed in range(5):
        seen, info = full.reset(seed=seed)
        shown, _ = compact.reset(seed=seed)
        over = False
        while not over:
            assert shown.keys() == seen.keys() - TABLE
            assert all(np.array_equal(shown[key], seen[key]) for key in shown)
            assert compact.observation_space.contains(shown)
            assert "tasks" not in compact.unwrapped.layout.tables(shown)
            action = masked_action(full, info["action_mask"], rng)
            seen, reward, over, _, info = full.step(action)
            shown, same, *_ = compact.step(action)
            assert same == reward


@pytest.mark.parametrize("env_id", FROM_NOTHING)
def test_a_batch_shows_what_single_ones_show(env_id: str) -> None:
    many = gymnasium.make_vec(
        env_id, num_envs=3, vectorization_mode="vector_entry_point", n=4, m=2, compact=True
    )
    many = pickle.loads(pickle.dumps(many))
    shown, _ = many.reset(seed=5)
    assert many.observation_space.contains(shown)
    for env in range(3):
        alone, _ = gymnasium.make(env_id, n=4, m=2, compact=True).reset(seed=5 + env)
        assert shown.keys() == alone.keys()
        assert all(np.array_equal(shown[key][env], alone[key]) for key in alone)


@pytest.mark.parametrize("env_id", FROM_NOTHING)
def test_the_game_says_so(env_id: str) -> None:
    compact, full = (gymnasium.make(env_id, n=4, m=2, compact=short) for short in (True, False))
    assert Game.of(compact).rules == {"compact": True}
    assert Game.of(full).rules == {}
    assert Game.of(Game.of(compact).resized(7, 3)).observation_space.keys().isdisjoint(TABLE)
    compact.observation_space.dsct_gym["rules"] = {}
    with pytest.raises(InputError, match="not the one of"):
        Game.of(compact)


@pytest.mark.parametrize("value", [1, "yes", None])
def test_neither_yes_nor_no_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match="compact: must be True or False"):
        gymnasium.make(FROM_NOTHING[0], n=2, m=1, compact=value)


def test_the_plan_has_no_table_to_leave_out() -> None:
    with pytest.raises(TypeError, match="compact"):
        gymnasium.make(PLAN, n=2, m=1, compact=True)
