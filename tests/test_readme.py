"""What the README and the pages on using and evaluating show is run as it stands there."""

import re
import shlex
from pathlib import Path
from statistics import fmean

import pytest

from dsct_gym import Instance, load
from dsct_gym.certificate import Certificate
from dsct_gym.cli import run
from dsct_gym.suites.suite import load_suite, suites

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = README + "".join(
    (ROOT / "docs" / page).read_text(encoding="utf-8")
    for page in ("usage.md", "evaluation.md", "operator.md")
)

# What is measured on many instances or cells takes minutes: here it runs on one of each size, or
# in the quick form, which also has a test of its own.
FEWER = {"evaluate": ("--count", "1", "--reference-moves", "10"), "reproduce": ("--quick",)}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGES, re.MULTILINE | re.DOTALL)


def commands(program: str) -> list[list[str]]:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.startswith(program)]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    """With the tables that the pages show."""
    monkeypatch.chdir(tmp_path)
    for name, table in re.findall(r"`(\w+\.csv)`[^`]*?^```csv\n(.*?)^```", PAGES, re.M | re.S):
        assert not Path(name).exists() or Path(name).read_text() == table
        Path(name).write_text(table)


@pytest.mark.learning
def test_commands_run(capfd):
    shown = commands("dsct-gym")
    assert len(shown) >= 8
    for words in shown:
        status = run([*words[1:], *FEWER.get(words[1], ())])
        captured = capfd.readouterr()
        assert (words, status, captured.err) == (words, 0, "")
        assert captured.out or "-o" in words


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, marks=pytest.mark.learning if "stable_baselines3" in block else ())
        for block in blocks("python")
    ],
)
def test_python_runs(block):
    block = block.replace("learn(100_000)", "learn(2_560)")  # seconds count here
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})


def test_commands_print_what_the_page_shows(capsys):
    page = (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")
    found = re.findall(r"^```sh\n(.*?)^```\n(?:\n^```text\n(.*?)^```)?", page, re.M | re.S)
    assert sum(bool(shown) for _, shown in found) >= 6
    for block, shown in found:
        if not shown and "solve" in block:
            continue  # it takes seconds, and prints how many
        for line in block.splitlines():
            assert run(shlex.split(line)[1:]) == 0
        printed = [line.strip() for line in capsys.readouterr().out.splitlines()]
        expected = [line.strip() for line in shown.splitlines()]
        assert list(filter(None, printed)) == list(filter(None, expected))


def test_the_first_example_is_ten_lines():
    assert len([line for line in blocks("python")[0].splitlines() if line]) <= 10


def test_files_are_valid():
    """An instance, one with clocks, and a certificate that proves what it claims of the first."""
    instance, clocks, certificate = blocks("json")
    Path("i.json").write_text(instance)
    Path("c.json").write_text(certificate)
    assert Instance.load("i.json").num_tasks == 2
    Path("p.json").write_text(clocks)
    assert [points.size for points in load("p.json").points] == [2]
    assert Certificate.load("c.json").prove(Instance.load("i.json")) <= 1.47


def test_make_knows_its_targets():
    makefile = (ROOT / "Makefile").read_text()
    for words in commands("make"):
        assert f"\n{words[1]}:" in makefile


def test_pictures_and_files_are_there():
    for target in re.findall(r"\]\(([^)]+)\)|`([\w/]+\.(?:csv|txt))`(?!:\n\n```csv)", README):
        path = next(filter(None, target)).partition("#")[0]
        assert path.startswith("https://") or (ROOT / path).exists()


def test_every_solver_is_in_the_table():
    from dsct_gym.solver import solver_entry_points

    ours = [
        name
        for name, point in solver_entry_points().items()
        if point.module.startswith(("dsct_gym.baselines.", "dsct_gym.agents."))
        and not getattr(point.load(), "meant_for", None)
    ]
    tables = README + (ROOT / "docs" / "online.md").read_text(encoding="utf-8")
    missing = [name for name in ours if f"| `{name}` | 0." not in tables]
    assert missing == []


def test_suites_are_as_the_table_says():
    page = (ROOT / "docs" / "usage.md").read_text(encoding="utf-8")
    for name in suites():
        suite = load_suite(name)
        proven = sum(reference.proven for reference in suite.references)
        gap = fmean(reference.gap for reference in suite.references)
        row = f"| `{name}` | {suite.description} | {len(suite)} | {proven} | {100 * gap:.4f} % |"
        assert row in page
