"""Tables on narrow terminals: names and numbers keep their width, columns go."""

import io

import pytest

from dsct_gym.cli import console
from dsct_gym.cli.console import Heading, print_table
from dsct_gym.cli.families import families
from dsct_gym.cli.solvers import solvers
from dsct_gym.cli.suites import suites

WIDTHS = (40, 60, 80, 120)


@pytest.fixture
def terminal(monkeypatch):
    """Gives what is printed on a terminal of so many columns, line by line."""

    def lines(width, command):
        stream = io.StringIO()
        shown = console._Console(file=stream, width=width, force_terminal=True, color_system=None)
        monkeypatch.setattr(console, "out", lambda: shown)
        command()
        return [line.rstrip() for line in stream.getvalue().splitlines()]

    return lines


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("command", [families, solvers, suites])
def test_no_line_is_longer_than_the_terminal_and_none_is_cut(terminal, command, width):
    lines = terminal(width, command)
    assert all(len(line) <= width for line in lines)
    assert "…" not in "".join(lines)


@pytest.mark.parametrize("width", WIDTHS)
def test_numbers_of_the_suites_are_whole(terminal, width):
    text = " ".join(terminal(width, suites))
    # Names of suites leave no room for the last column on the narrowest terminal: it goes whole.
    gaps = ("mean", "gap", "0.0150%") if width > 40 else ()
    for told in ("instances", "proven", "optimal", *gaps, "20"):
        assert told in text


@pytest.mark.parametrize("width", WIDTHS)
def test_numbers_stay_whole_under_headings_that_are_whole(terminal, width):
    headings = (
        Heading("who"),
        Heading("what it is about", "prose", 1),
        Heading("proven optimal", "number"),
        Heading("mean gap", "number", 2),
    )
    rows = [("one", "a longer text that may be wrapped", "123,456", "0.1234%")]
    text = " ".join(terminal(width, lambda: print_table(headings, rows)))
    for word in ("one", "proven", "optimal", "123,456"):
        assert word in text
    assert ("0.1234%" in text) != ("no room for" in text and "mean gap" in text)


def test_a_heading_of_prose_is_wrapped_only_where_it_must_be(terminal):
    assert any("what it holds" in line for line in terminal(80, suites))


def test_a_cell_of_several_lines_is_as_wide_as_the_longest(terminal):
    lines = terminal(80, solvers)
    assert any(line.endswith("relative_gap=None") for line in lines)
    assert not any("no room" in line for line in lines)
