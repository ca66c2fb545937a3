"""The page: one file of HTML with everything in it."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from importlib.metadata import version
from importlib.resources import files

from dsct_gym.benchmark.report.arrivals import arrivals_chapter
from dsct_gym.benchmark.report.figures import charts_chapter
from dsct_gym.benchmark.report.glossary import glossary_chapter
from dsct_gym.benchmark.report.machines import machines_chapter
from dsct_gym.benchmark.report.pairs import pairs_chapter
from dsct_gym.benchmark.report.protocol import protocol_chapter
from dsct_gym.benchmark.report.results import Results
from dsct_gym.benchmark.report.schedules import schedules_chapter
from dsct_gym.benchmark.report.soft import soft_chapter
from dsct_gym.benchmark.report.summary import instances_chapter, summary_chapter
from dsct_gym.benchmark.wording import show_share

_MOST_SHOWN = 20
_CHAPTERS = (
    summary_chapter,
    charts_chapter,
    arrivals_chapter,
    soft_chapter,
    machines_chapter,
    pairs_chapter,
    instances_chapter,
    schedules_chapter,
    protocol_chapter,
    glossary_chapter,
)
"""Each is HTML, or nothing where the results have nothing for it."""


def render_page(results: Results, title: str) -> str:
    """The report as one HTML document without references to anything outside it.

    Args:
        results: What it is about.
        title: Its heading.
    """
    chapters = "".join(chapter(results) for chapter in _CHAPTERS)
    script = _asset("page.js")
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{_asset('page.css')}</style></head><body>"
        f"<header><h1>{escape(title)}</h1>{_lead(results)}{_warnings(results)}</header>"
        f"<main>{chapters}</main>"
        f"<footer>dsct-gym {escape(version('dsct-gym'))}</footer>"
        f"<script>{script}</script></body></html>\n"
    )


def _policy(script: str) -> str:
    """What the page may do: run this one script, and fetch nothing from anywhere."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _lead(results: Results) -> str:
    count = len(results.instances)
    runs = len(results.runs)
    best = results.scores[0]
    return (
        f"<p class='lead'>{_plural(len(results.solvers), 'solver')}, "
        f"{_plural(count, 'instance')}, {_plural(runs, 'run')}. "
        f"Closest to the best known{' on average' if count > 1 else ''}: "
        f"<b>{escape(best.solver)}</b>, {show_share(best.gap_to_best.mean)} short of it.</p>"
    )


def _plural(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _warnings(results: Results) -> str:
    lines = [*results.warnings]
    failures = results.failures
    lines += [
        f"{r.solver} on {r.instance}: {r.status}: {r.message}" for r in failures[:_MOST_SHOWN]
    ]
    if len(failures) > _MOST_SHOWN:
        lines.append(f"and {len(failures) - _MOST_SHOWN} more runs without a feasible schedule")
    if not lines:
        return ""
    items = "".join(f"<li>{escape(entry)}</li>" for entry in lines)
    return f"<ul class='warnings'>{items}</ul>"
