"""What the documentation shows is what was measured, and its links lead somewhere."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def test_claims_are_those_of_the_committed_tables():
    pages = [DOCS / name for name in ("reproduction.md", "serving.md", "soft.md")]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    tables = sorted((DOCS / "reproduction").glob("*.claims.csv"))
    assert len(tables) == 6
    for path in tables:
        with path.open(encoding="utf-8") as table:
            for row in csv.DictReader(table):
                assert f"| {row['what']} | {row['paper']} | {row['measured']} |" in text


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_learners_are_those_of_the_committed_table():
    text = (DOCS / "serving.md").read_text(encoding="utf-8")
    with (DOCS / "serving" / "prediction.csv").open(encoding="utf-8") as table:
        found = {(row["rows"], row["learner"], row["split"]): row for row in csv.DictReader(table)}
    for rows, learner in {key[:2] for key in found}:
        cells = [
            f"{float(found[rows, learner, split]['r2']):.2f} | "
            f"{float(found[rows, learner, split]['rmse']):.0f} W | "
            f"{float(found[rows, learner, split]['mape']):.1%}"
            for split in ("random", "left out")
        ]
        assert f"| {rows} | {learner} | {cells[0]} | {cells[1]} |" in text


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The pages as `make docs` builds them; it fails on links and names that lead nowhere."""
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=DOCS.parent, env=quiet, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_the_site_holds_every_page_and_the_public_names(site):
    for page in DOCS.rglob("*.md"):
        assert (site / page.relative_to(DOCS)).with_suffix(".html").exists()
    names = "".join(path.read_text("utf-8") for path in (site / "reference").glob("*.html"))
    for name in ("instance.Instance", "schedule.Schedule.verify", "solver.make_solver"):
        assert f'id="dsct_gym.{name}"' in names
    assert (site / "search" / "search_index.json").stat().st_size > 10_000


def test_the_site_fetches_nothing_from_elsewhere(site):
    page = (site / "index.html").read_text("utf-8")
    fetched = re.findall(r"<(?:script|img)[^>]* src=\"?([^\" >]+)", page)
    fetched += re.findall(r"<link rel=\"?stylesheet\"? href=\"?([^\" >]+)", page)
    assert fetched
    assert [target for target in fetched if target.startswith(("http", "//"))] == []
