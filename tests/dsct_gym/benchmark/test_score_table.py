from dsct_gym.benchmark.record import Status
from dsct_gym.benchmark.score_table import (
    MARKDOWN,
    PAGE,
    as_cells,
    as_markdown,
    leaderboard_columns,
    terminal_columns,
)
from dsct_gym.benchmark.scoring import score
from records import record

TWO = score(
    [
        record("a", "x", 6.0, seconds=0.25),
        record("b", "x", 4.0, seconds=3.0, energy=1.0),
        record("a", "y", 8.0, proven_bound=8.0, seconds=12.0),
        record("b", "y", 0.0, seconds=12.0, status=Status.FAILED),
    ]
)


def test_a_terminal_by_hand():
    columns = terminal_columns(TWO)
    assert [column.heading for column in columns] == [
        *("solver", "mean accuracy", "gap to best", "gap to bound", "optimal", "energy used"),
        *("fairness", "seconds", "failed"),
    ]
    x, y = as_cells(columns, TWO)
    # Of 8 and 4 known, and 8 proven of each.
    assert x == ["x", "0.50000", "12.500%", "37.500%", "0/2", "50.0%", "0.900", "1.6", "0/2"]
    assert y[:5] == ["y", "0.40000", "50.000%", "50.000%", "1/2"]
    assert y[-1] == "1/2"


def test_one_instance_says_yes_and_failures_are_told_only_where_there_are_any():
    one = score([record("a", "x", 6.0), record("a", "y", 8.0, proven_bound=8.0, seconds=0.01)])
    columns = terminal_columns(one)
    assert columns[-1].heading == "seconds"
    cells = as_cells(columns, one)
    assert [row[4] for row in cells] == ["", "yes"]
    assert [row[-1] for row in cells] == ["0.5000", "0.0100"]


def test_markdown_has_the_interval():
    lines = as_markdown(MARKDOWN, TWO).splitlines()
    assert lines[0].startswith("| solver | mean accuracy | gap to best |")
    assert lines[1] == "|---" + "|---:" * 8 + "|"
    assert lines[2].startswith("| `x` | 0.50000 | 12.500% [0.000%, 25.000%] | 37.500% | 0/2 |")


def test_the_leaderboard_tells_of_missing_instances():
    full, part = (
        as_markdown(leaderboard_columns(count), TWO).splitlines()[2].split(" | ")
        for count in (2, 3)
    )
    assert full[0] == "| `x`"
    assert part[0] == "| `x` (2 of 3 instances)"
    assert full[-2:] == ["2", "0 |"]


def test_the_page_can_sort_every_column():
    for column in PAGE:
        assert column.value is not None
        values = [column.value(row) for row in TWO]
        assert all(
            isinstance(value, str if column is PAGE[0] else (int, float)) for value in values
        )
