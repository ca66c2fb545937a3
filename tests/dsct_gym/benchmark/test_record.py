import csv
import gzip
import io
import json
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from dsct_gym import InputError
from dsct_gym.benchmark.record import (
    Record,
    Status,
    as_row,
    records_as_csv,
    records_from_csv,
)
from records import record

DOCS = Path(__file__).parents[3] / "docs"
OLD = DOCS / "leaderboard" / "0.1.0.csv.gz"
VARIANT = record(
    "late", "x[a=1]", 4.0, needs=("soft", "points"), value=-1.5, floor=-7.0, measures={"late": 2.0}
)


def test_what_is_written_is_read():
    kept = [
        record("a,b\n", 'x"y', 6.0),
        record("a", "x", 0.0, status=Status.FAILED, message="no, no", seed=None, time_limit=2.5),
        record("a", "y", 7.0, proven_bound=7.5, interrupted=True, energy_budget=None),
        record("b", "y", 6.0, proven_bound=7.0, seed=None, time_limit=2.0),
        record("b", "x", 1.0, status=Status.FAILED, message='no, "idea"\nat all'),
        VARIANT,
    ]
    assert list(records_from_csv(records_as_csv(kept), "r.csv")) == kept


def test_the_value_is_the_total_accuracy_unless_something_else_is_said():
    plain = record("a", "x", 6.0)
    assert (plain.value, plain.floor, plain.needs, plain.measures) == (6.0, 0.0, (), {})
    assert VARIANT.value == -1.5
    assert VARIANT.mean_value == -0.15
    assert VARIANT.short_of(-1.5) == 0.0
    assert VARIANT.short_of(4.0) == pytest.approx(5.5 / 11.0)


def test_tables_of_the_first_version_are_read_as_they_are():
    """Field by field, against the cells themselves."""
    text = gzip.decompress(OLD.read_bytes()).decode()
    found = list(records_from_csv(text, OLD.name))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(found) == len(rows) > 1000
    assert "value" not in rows[0]
    for row, read in zip(rows, found, strict=True):
        for name, cell in row.items():
            value = getattr(read, name)
            if isinstance(value, bool):
                assert cell == str(value)
            elif isinstance(value, (int, float)):
                assert value == float(cell)
            else:
                assert cell == ("" if value is None else str(value))
        assert (read.value, read.floor) == (read.total_accuracy, 0.0)
        assert (read.needs, read.measures) == ((), {})


FORGED = [
    ("tasks", "<b>7</b>", "tasks: must be a whole number"),
    ("tasks", "0", "tasks: must be at least 1"),
    ("tasks", "7.5", "tasks: must be a whole number"),
    ("machines", "<img src=x onerror=alert(1)>", "machines: must be a whole number"),
    ("machines", "9" * 400, "machines: must be at most"),
    ("machines", "9" * 5000, "machines: "),
    ("seed", "-1", "seed: must be at least 0"),
    ("seed", "one", "seed: must be a whole number"),
    ("time_limit", "0", "time_limit: must be above 0"),
    ("total_accuracy", "nan", "total_accuracy: must be finite"),
    ("total_accuracy", "inf", "total_accuracy: must be finite"),
    ("total_accuracy", "", "total_accuracy: must be a number"),
    ("mean_accuracy", "1.5", "mean_accuracy: must be at most"),
    ("fractional_bound", "inf", "fractional_bound: must be finite"),
    ("fairness", "-0.1", "fairness: must be at least 0"),
    ("slack", "7", "slack: must be at most"),
    ("seconds", "nan", "seconds: must be finite"),
    ("seconds", "-1", "seconds: must be at least 0"),
    ("interrupted", "perhaps", "interrupted: must be true or false"),
    ("status", "great", "status: must be 'ok', 'infeasible', 'failed' or 'timeout'"),
    ("instance", "", "instance: must be text"),
    ("solver", "x" * 20_000, "solver: must have at most 10000 characters"),
    ("message", "x" * 110_000, "message: must have at most"),
    ("measures", "{", "measures: not JSON"),
    ("measures", "[1]", "measures: must be an object"),
    ("measures", '{"late": "much"}', "measures.late: must be a number"),
    ("value", "1e999", "value: must be finite"),
    ("needs", "x" * 200, "needs[0]: must have at most 100 characters"),
]


@pytest.mark.parametrize(("field", "cell", "told"), FORGED)
def test_a_forged_cell_is_one_line_that_names_file_line_and_field(field, cell, told):
    text = io.StringIO()
    writer = csv.DictWriter(text, [each.name for each in fields(Record)])
    writer.writeheader()
    writer.writerow(as_row(record("a", "x", 6.0)))
    writer.writerow({**as_row(record("a", "y", 6.0)), field: cell})
    with pytest.raises(InputError) as refused:
        list(records_from_csv(text.getvalue(), "r.csv"))
    assert str(refused.value).startswith(f"r.csv: line 3: {told}")
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("instance,solver\na,x\n", "line 2: tasks: missing"),
        ("\n", None),
        (records_as_csv([record("a", "x", 6.0)]).replace("\n", ",9\n"), "line 2: "),
        ("instance\n" + "x" * 200_000 + "\n", "line "),
    ],
)
def test_a_table_that_is_none(text, told):
    if told is None:
        assert list(records_from_csv(text, "r.csv")) == []
        return
    with pytest.raises(InputError, match=rf"^r\.csv: {told}"):
        list(records_from_csv(text, "r.csv"))


def test_rows_hold_names_and_numbers_only():
    assert as_row(VARIANT)["needs"] == "soft points"
    assert json.loads(str(as_row(VARIANT)["measures"])) == {"late": 2.0}
    assert as_row(VARIANT).keys() == asdict(VARIANT).keys()
    assert all(isinstance(cell, (str, int, float, type(None))) for cell in as_row(VARIANT).values())
