"""What the documentation shows is what was measured, and its links lead somewhere."""

import csv
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def test_claims_are_those_of_the_committed_tables():
    text = (DOCS / "reproduction.md").read_text(encoding="utf-8")
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
