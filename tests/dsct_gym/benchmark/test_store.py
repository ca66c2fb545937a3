import json

import pytest

from dsct_gym import InputError, Schedule, generate, make_solver
from dsct_gym.benchmark.record import Record
from dsct_gym.benchmark.store import file_name, keep, keep_table
from records import record


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("dc5-ofa60", "dc5-ofa60"),
        ("package.module:Class", "package.module_Class"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a/b c", "a_b_c"),
        ("..", "_"),
        ("", "_"),
    ],
)
def test_file_names_stay_within_their_folder(label, expected):
    assert file_name(label) == expected


def test_keeps_a_record_and_its_schedule(tmp_path):
    instance = generate(5, 2, seed=1)
    schedule = make_solver("greedy").solve(instance).schedule
    kept = record("five", "greedy", schedule.total_accuracy)
    keep(tmp_path, kept, schedule)
    folder = tmp_path / "five"
    assert Record(**json.loads((folder / "greedy.json").read_text())) == kept
    assert Schedule.load(folder / "greedy.schedule.json", instance).verify()
    assert len(list(folder.iterdir())) == 2


def test_a_table_replaces_the_one_before(tmp_path):
    keep_table(tmp_path, [record("a", "x", 1.0), record("b", "x", 1.0)])
    keep_table(tmp_path, [record("a", "x", 1.0)])
    assert len((tmp_path / "results.csv").read_text().splitlines()) == 2


def test_refuses_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="out"):
        keep_table(tmp_path / "out", [record("a", "x", 1.0)])
