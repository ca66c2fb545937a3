"""What the docstring of an id and the documentation say is what the environment is."""

import pkgutil
import re
from pathlib import Path

import gymnasium
import pytest

from dsct_gym.envs.observation import Column, Layout
from dsct_gym.plan import Column as ViewColumn
from dsct_gym.plan import Context, Machine
from dsct_gym.registration import ENVIRONMENTS
from playing import ARRIVING, FROM_NOTHING, IDS, ONLINE, PLAN, QUEUE, SOFT

ROOT = Path(__file__).parents[3]
PLAIN, GUIDED = Layout(1, 1), Layout(1, 1, guidance=True)
ROWS = {"task": "", "tasks": "n·", "machines": "m·", "budget": ""}


def bounds(column: Column | ViewColumn) -> str:
    return f"[{column.low:g}, {column.high:g}]".replace("-", "−")


def columns_of(layout: Layout, key: str) -> tuple[Column, ...]:
    return {
        "task": layout.task,
        "tasks": layout.task,
        "machines": layout.machine,
        "budget": layout.budget,
    }[key]


def specification(env_id: str) -> str:
    """The docstring of an id's class in one line."""
    return " ".join(str(pkgutil.resolve_name(ENVIRONMENTS[env_id].single).__doc__).split())


@pytest.mark.parametrize("env_id", FROM_NOTHING)
def test_docstring_lists_every_column(env_id: str) -> None:
    text = specification(env_id)
    listed = 0
    for key in ("task", "machines", "budget"):
        plain, guided = columns_of(PLAIN, key), columns_of(GUIDED, key)
        bullets = [
            f"* ``{column.name}`` {bounds(column)}"
            f"{'' if column in plain else ', guided'}: {column.meaning}"
            for column in guided
        ]
        assert " ".join(bullets) in text.partition(f" ``{key}`` (")[2], key
        listed += len(bullets)
    assert text.count(" * ") == listed


@pytest.mark.parametrize("env_id", FROM_NOTHING)
def test_docstring_tells_the_shape_of_every_field(env_id: str) -> None:
    text = specification(env_id)
    told = dict(re.findall(r"``(\w+)`` (\([nm\d·]*,\)(?:, guided \([nm\d·]+,\))?): ", text))
    assert told.pop("tasks_mask") == "(n,)"
    assert told.pop("machines_mask") == "(m,)"
    assert told == {
        key: f"({rows}{len(columns_of(PLAIN, key))},), "
        f"guided ({rows}{len(columns_of(GUIDED, key))},)"
        for key, rows in ROWS.items()
    }
    for guidance, layout in ((False, PLAIN), (True, GUIDED)):
        env = gymnasium.make(env_id, n=7, m=3, guidance=guidance)
        assert {key: space.shape for key, space in env.observation_space.items()} == {
            "tasks_mask": (7,),
            "machines_mask": (3,),
            "task": (len(layout.task),),
            "tasks": (7 * len(layout.task),),
            "machines": (3 * len(layout.machine),),
            "budget": (len(layout.budget),),
        }


def test_docstring_of_a_plan_lists_the_columns_of_the_view() -> None:
    text = specification(PLAN)
    for key, rows, columns in (("task", "", Context), ("machines", "m·", Machine)):
        bullets = [f"* ``{c.label}`` {bounds(c)}: {c.meaning}" for c in columns]
        after = text.partition(f" ``{key}`` ({rows}{len(columns)},): ")[2]
        assert " ".join(bullets) in after, key
    assert text.count(" * ") == len(Context) + len(Machine)
    assert " ``machines_mask`` (m,): " in text
    env = gymnasium.make(PLAN, n=7, m=3)
    assert {key: space.shape for key, space in env.observation_space.items()} == {
        "task": (len(Context),),
        "machines": (3 * len(Machine),),
        "machines_mask": (3,),
    }


@pytest.mark.parametrize("env_id", ARRIVING)
def test_docstring_of_arrivals_lists_every_column(env_id: str) -> None:
    text = specification(env_id)
    env = gymnasium.make(env_id, n=7, m=3, **({"window": 6} if env_id == QUEUE else {}))
    layout, rows = env.unwrapped.layout, {"machines": ("m·", 3), "tasks": ("W·", 6)}
    listed = 0
    for key, columns in (
        ("task" if env_id == ONLINE else "tasks", layout.task),
        ("machines", layout.machine),
        ("budget", layout.budget),
    ):
        sign, count = rows.get(key, ("", 1))
        assert env.observation_space[key].shape == (count * len(columns),)
        bullets = [f"* ``{c.name}`` {bounds(c)}: {c.meaning}" for c in columns]
        assert " ".join(bullets) in text.partition(f" ``{key}`` ({sign}{len(columns)},): ")[2], key
        listed += len(bullets)
    assert text.count(" * ") == listed
    assert re.search(r" ``machines_mask`` \(m,\): ", text)


@pytest.mark.parametrize("env_id", IDS)
def test_docstring_tells_the_action_space(env_id: str) -> None:
    text = specification(env_id)
    assert text.startswith(f"``{env_id}``: ")
    told = re.search(r"Action: ``(.+?)``\.", text)
    space = gymnasium.make(env_id, n=7, m=3, levels=4).action_space
    sizes = {"m·L + 1": 13, "m + 1": 4, "W·L + 1": 33}
    forms = {f"Discrete({size})": f"Discrete({value})" for size, value in sizes.items()}
    forms |= {
        f"Box(−1, 1, ({size},))": f"Box(-1.0, 1.0, ({value},), float32)"
        for size, value in sizes.items()
    }
    assert told is not None
    assert forms[told[1]] == str(space)
    mask = re.search(r"Mask \((.+?),\):", text)
    assert mask is not None
    env = gymnasium.make(env_id, n=7, m=3, levels=4)
    assert env.reset()[1]["action_mask"].shape == (sizes[mask[1]],)


@pytest.mark.parametrize("env_id", IDS)
def test_docstring_names_what_info_tells(env_id: str) -> None:
    # A plain instance made soft is another problem, of which no suite knows anything.
    suite = "timeliness" if env_id == SOFT else "tiny"
    env = gymnasium.make(env_id, suite=suite, split="test")
    _, first = env.reset(seed=0)
    over = False
    while not over:
        *_, over, _, last = env.step(env.action_space.sample())
    told = re.search(r"Info: (.+?) Options:", specification(env_id))
    assert told is not None
    assert set(re.findall(r"``(\w+)``", told[1])) == first.keys() | last.keys()


@pytest.mark.parametrize("key", ["task", "machines", "budget"])
def test_documentation_lists_every_column(key: str) -> None:
    text = (ROOT / "docs" / "environments.md").read_text("utf-8")
    plain, guided = columns_of(PLAIN, key), columns_of(GUIDED, key)
    for columns in (plain, guided[len(plain) :]):
        rows = [f"| `{c.name}` | {bounds(c)} | {c.meaning} |\n" for c in columns]
        assert "| --- | --- | --- |\n" + "".join(rows) + "\n" in text


@pytest.mark.parametrize("page", ["README.md", "docs/environments.md"])
def test_documentation_lists_every_id(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    assert re.findall(r"^\| `(DSCT-EA\S*-v\d+)` \| ", text, re.MULTILINE)[: len(IDS)] == list(IDS)
