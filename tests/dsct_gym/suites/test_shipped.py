import shlex

import pytest

from dsct_gym import InputError
from dsct_gym.cli import run
from dsct_gym.files import instance_text
from dsct_gym.suites.shipped import RECIPES, load_shipped, shipped_names


def test_each_is_what_its_recipe_generates(capsys):
    assert sorted(RECIPES) == list(shipped_names())
    for name, recipe in RECIPES.items():
        instance = load_shipped(name)
        assert run([*shlex.split(recipe), "--name", name]) == 0
        assert capsys.readouterr().out == instance_text(instance)


def test_the_default_is_sixty_tasks_on_five_different_gpus():
    instance = load_shipped("dc5-ofa60")
    assert instance.name == "dc5-ofa60"
    assert instance.num_tasks == 60
    assert len(set(instance.machine_names or ())) == 5


def test_names_what_ships_when_asked_for_another():
    with pytest.raises(InputError, match="dc5-ofa60"):
        load_shipped("nope")
