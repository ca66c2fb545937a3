import pytest

from dsct_gym import InputError, generate
from dsct_gym.benchmark.job import Job, parse_entrants

INSTANCE = generate(5, 2, seed=1)


def test_the_key_is_that_of_the_content():
    job = Job("a", INSTANCE, "mip", {"threads": 1, "relative_gap": 0.1}, 5.0, 3)
    same = Job(
        "b",
        generate(5, 2, seed=1),
        "mip",
        {"relative_gap": 0.1, "threads": 1},
        time_limit=5,
        seed=3,
    )
    assert job.key == same.key
    others = [
        Job("a", generate(5, 2, seed=2), "mip", job.options, 5.0, 3),
        Job("a", INSTANCE, "exact", job.options, 5.0, 3),
        Job("a", INSTANCE, "mip", {"threads": 2, "relative_gap": 0.1}, 5.0, 3),
        Job("a", INSTANCE, "mip", job.options, 6.0, 3),
        Job("a", INSTANCE, "mip", job.options, None, 3),
        Job("a", INSTANCE, "mip", job.options, 5.0, 4),
        Job("a", INSTANCE, "mip", job.options, 5.0, None),
    ]
    assert len({job.key, *(other.key for other in others)}) == 8


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", [("a", {})]),
        (" a, m.o:C ,a", [("a", {}), ("m.o:C", {})]),
        ("b[x=1,y-z=true, w=text],c", [("b", {"x": 1, "y_z": True, "w": "text"}), ("c", {})]),
        ("b[],", [("b", {})]),
        (" , ", []),
    ],
)
def test_entrants(text, expected):
    assert parse_entrants(text) == expected


@pytest.mark.parametrize("text", ["a[x=1", "a]", "a[[x=1]]", "a[x]", "a[x=1]b", "a[=1]"])
def test_refuses_entrants(text):
    with pytest.raises(InputError):
        parse_entrants(text)


def test_an_entrant_is_named_with_its_options():
    assert Job("a", INSTANCE, "mip").entrant == "mip"
    named = Job("a", INSTANCE, "mip", {"threads": 1, "start": "greedy"}).entrant
    assert named == "mip[start=greedy,threads=1]"
    assert parse_entrants(named) == [("mip", {"start": "greedy", "threads": 1})]
