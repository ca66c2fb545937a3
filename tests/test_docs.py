"""What the documentation shows is what was measured, and its links lead somewhere."""

import csv
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def test_claims_are_those_of_the_committed_tables():
    pages = (DOCS / "reproduction.md", DOCS / "serving.md")
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    tables = sorted((DOCS / "reproduction").glob("*.claims.csv"))
    assert len(tables) == 5
    for path in tables:
        with path.open(encoding="utf-8") as table:
            for row in csv.DictReader(table):
                assert f"| {row['what']} | {row['paper']} | {row['measured']} |" in text


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
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
