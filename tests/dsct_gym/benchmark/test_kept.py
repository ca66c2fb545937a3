"""Rows of long experiments outlive Ctrl-C and a kill."""

import json

import pytest

from dsct_gym.benchmark.reproduce import serving
from dsct_gym.benchmark.reproduce.kept import KeptRows, stamp_of
from dsct_gym.cli import run
from dsct_gym.errors import InputError


def test_rows_are_made_once(tmp_path):
    path = tmp_path / "deep" / "rows.jsonl"
    first = KeptRows(path, "this code")
    assert first.rows("a", lambda: [{"x": 1.5}]) == [{"x": 1.5}]
    assert first.rows("a", lambda: pytest.fail("made twice")) == [{"x": 1.5}]
    again = KeptRows(path, "this code")
    assert again.rows("a", lambda: pytest.fail("made twice")) == [{"x": 1.5}]
    changed = KeptRows(path, "other code")
    assert changed.rows("a", lambda: [{"x": 2.5}]) == [{"x": 2.5}]


def test_a_line_that_was_cut_short_is_made_anew(tmp_path):
    path = tmp_path / "rows.jsonl"
    kept = KeptRows(path, "")
    for step in "ab":
        kept.rows(step, lambda: [{"x": 1}])
    text = path.read_text(encoding="utf-8")
    path.write_text(text[:-9], encoding="utf-8")
    again = KeptRows(path, "")
    assert again.rows("a", lambda: pytest.fail("is there")) == [{"x": 1}]
    assert again.rows("b", lambda: [{"x": 2}]) == [{"x": 2}]
    assert KeptRows(path, "").rows("b", lambda: pytest.fail("is there")) == [{"x": 2}]


def test_what_cannot_be_kept_is_told_in_one_line(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        KeptRows(tmp_path, "")


def test_a_stamp_is_of_the_code(tmp_path):
    (tmp_path / "code.py").write_text("x = 1\n", encoding="utf-8")
    before = stamp_of([tmp_path])
    assert before == stamp_of([tmp_path]) != stamp_of([tmp_path], more="quick")
    (tmp_path / "code.py").write_text("x = 2\n", encoding="utf-8")
    assert before != stamp_of([tmp_path])


def row(cell, agent="static", variant=""):
    figures = ("energy_per_request", "over_first", "foreseen_energy")
    return {
        **cell._asdict(),
        "agent": agent,
        "variant": variant,
        **dict.fromkeys(figures, 1.0),
        "over_first_interval": 0.0,
        "violations": 0.0,
    }


def test_an_experiment_that_was_cut_short_goes_on(tmp_path, monkeypatch, capsys):
    made = []

    def compare(cell, effort):
        made.append(cell.label)
        if len(made) == 2:
            raise KeyboardInterrupt
        return [row(cell), row(cell, "eali")]

    monkeypatch.setattr(serving, "compare", compare)
    monkeypatch.setattr(serving, "ablations", lambda cell, effort: [row(cell, "eali", "as it is")])
    arguments = ["reproduce", "serving", "--quick", "-o", str(tmp_path), "--json"]
    assert run(arguments) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out)[0]["figure"] == "serving"
    assert len(made) == 3
    assert made[0] != made[1] == made[2]
