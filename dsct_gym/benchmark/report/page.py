"""The page: one file of HTML with everything in it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from importlib.metadata import version
from importlib.resources import files

from dsct_gym.benchmark.report import charts
from dsct_gym.benchmark.report.gantt import gantt_svg
from dsct_gym.benchmark.report.results import Results, environments
from dsct_gym.benchmark.report.svg import series
from dsct_gym.benchmark.score_table import GAP_TO_BEST, PAGE, Column
from dsct_gym.benchmark.scoring import Score
from dsct_gym.benchmark.statistics import CONFIDENCE, Comparison
from dsct_gym.benchmark.store import StoredRun
from dsct_gym.benchmark.wording import show_limit, show_share
from dsct_gym.errors import InputError

_SIGNIFICANT = 0.05
_MOST_SHOWN = 20
_OF_MANY = ("Gaps over instances", "Performance profiles")
_FEWEST = 6
"""Of fewer instances no test of pairs can be significant at 5 %: neither tests nor intervals are
shown, nor how gaps are distributed."""


def render_page(results: Results, title: str) -> str:
    """The report as one HTML document without references to anything outside it.

    Args:
        results: What it is about.
        title: Its heading.
    """
    sections = [
        _summary(results),
        _charts(results),
        _pairs(results),
        _instances(results),
        _schedules(results),
        _protocol(results),
        _glossary(),
    ]
    script = _asset("page.js")
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{_asset('page.css')}</style></head><body>"
        f"<header><h1>{escape(title)}</h1>{_lead(results)}{_warnings(results)}</header>"
        f"<main>{''.join(sections)}</main>"
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
        f"<p class='lead'>{len(results.solvers)} solvers, {count} "
        f"instance{'s' * (count > 1)}, {runs} runs. Closest to the best known on average: "
        f"<b>{escape(best.solver)}</b>, {show_share(best.gap_to_best.mean)} short of it.</p>"
    )


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


def _summary(results: Results) -> str:
    heads = "".join(
        f"<th scope='col'{' aria-sort=ascending' if column is GAP_TO_BEST else ''} "
        f"title='{escape(column.told)}'>"
        f"<button type='button'>{escape(column.heading.capitalize())}</button></th>"
        for column in PAGE
    )
    rows = "".join(_summary_row(index, row) for index, row in enumerate(results.scores))
    intervals = f"Small print below a mean: {CONFIDENCE:.0%} bootstrap interval over instances. "
    note = (
        f"{intervals if len(results.instances) >= _FEWEST else ''}Seeds are averaged within an "
        "instance. A run without a feasible schedule counts as the empty one. "
        "Press a heading to sort."
    )
    return (
        "<section id='summary'><h2>Summary</h2><div class='scroll'>"
        f"<table class='sortable'><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        f"</div><p class='note'>{note}</p></section>"
    )


def _summary_row(index: int, row: Score) -> str:
    rest = "".join(_cell(column, row) for column in PAGE[1:])
    return (
        f"<tr><th scope='row' data-value='{escape(row.solver, quote=True)}'>"
        f"<span class='key {series(index)}'></span>{escape(row.solver)}</th>{rest}</tr>"
    )


def _cell(column: Column[Score], row: Score) -> str:
    assert column.value is not None
    value = escape(str(column.value(row)), quote=True)
    told = column.small(row) if column.small and row.instances >= _FEWEST else ""
    small = f"<small>{escape(told)}</small>" if told else ""
    return f"<td data-value='{value}'>{escape((column.page or column.shown)(row))}{small}</td>"


def _charts(results: Results) -> str:
    anytime = charts.anytime_curves(results)
    figures = [
        (
            "Quality against time",
            charts.quality_against_time(results),
            "Better is up, faster is left. The line is the Pareto front: no solver beats those on "
            "it in both.",
        ),
        (
            "Gaps over instances",
            charts.gap_distributions(results),
            "Box: quartiles and median; line: 5th to 95th percentile; dots: instances. Gaps below "
            "0.001 % stand at 0.001 %.",
        ),
        (
            "Performance profiles",
            charts.performance_profiles(results),
            "Share of the instances that a solver brings within a gap of the best known. Higher "
            "is better.",
        ),
        (
            "Accuracy against energy",
            charts.accuracy_against_energy(results),
            "Small dots: runs; large marks: means. Better is up, less energy is left.",
        ),
    ]
    if anytime is not None:
        figures.append(
            (
                "Anytime",
                anytime,
                "Mean gap of the best schedule so far, for solvers that report on the way.",
            )
        )
    if len(results.instances) < _FEWEST:
        figures = [each for each in figures if each[0] not in _OF_MANY]
    drawn = "".join(
        f"<figure><h3>{name}</h3>{drawing}<figcaption>{told}</figcaption></figure>"
        for name, drawing, told in figures
    )
    return (
        f"<section id='charts'><h2>Charts</h2>{_legend(results.solvers)}"
        f"<div class='figures'>{drawn}</div></section>"
    )


def _legend(solvers: Sequence[str]) -> str:
    keys = "".join(
        f"<button type='button' class='entry' data-series='{index}'>"
        f"<span class='key {series(index)}'></span>{escape(solver)}</button>"
        for index, solver in enumerate(solvers)
    )
    return f"<div class='legend' aria-label='Solvers'>{keys}</div>"


def _pairs(results: Results) -> str:
    if len(results.solvers) < 2 or len(results.instances) < _FEWEST:
        return ""
    found = {(c.first, c.second): c for c in results.comparisons}
    heads = "".join(f"<th scope='col'>{escape(name)}</th>" for name in results.solvers)
    rows = ""
    for first in results.solvers:
        cells = "".join(_pair(found, first, second) for second in results.solvers)
        rows += f"<tr><th scope='row'>{escape(first)}</th>{cells}</tr>"
    note = (
        "Row against column: instances with a smaller and with a larger gap. Green and red: "
        "the difference is significant at 5 % by a two-sided Wilcoxon signed-rank test on the "
        "instances, with Holm's correction over all pairs (p below)."
    )
    return (
        "<section id='pairs'><h2>Pairs</h2><div class='scroll'><table class='pairs'><thead><tr>"
        f"<td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        f"<p class='note'>{note}</p></section>"
    )


def _pair(found: dict[tuple[str, str], Comparison], first: str, second: str) -> str:
    if first == second:
        return "<td class='same'>·</td>"
    pair = found.get((first, second))
    if pair is None:
        pair = found[second, first]
        wins, losses = pair.losses, pair.wins
    else:
        wins, losses = pair.wins, pair.losses
    css = ""
    if pair.p_value < _SIGNIFICANT:
        css = " class='better'" if wins > losses else " class='worse'"
    p_value = "p < 0.001" if pair.p_value < 1e-3 else f"p = {pair.p_value:.3f}"
    return f"<td{css}>{wins} : {losses}<small>{p_value}</small></td>"


def _instances(results: Results) -> str:
    sizes = {r.instance: (r.tasks, r.machines) for r in results.records}
    rows = ""
    for label in results.instances:
        tasks, machines = sizes[label]
        known = results.known[label]
        column = results.gaps.values[:, results.gaps.instances.index(label)].tolist()
        best = [
            solver
            for solver, gap in zip(results.solvers, column, strict=True)
            if gap <= min(value for value in column if value == value) + 1e-9
        ]
        rows += (
            f"<tr><th scope='row'>{escape(label)}</th><td data-value='{tasks}'>{tasks}</td>"
            f"<td data-value='{machines}'>{machines}</td>"
            f"<td data-value='{known.best / tasks!r}'>{known.best / tasks:.5f}</td>"
            f"<td data-value='{known.bound / tasks!r}'>{known.bound / tasks:.5f}</td>"
            f"<td data-value='{known.gap!r}'>{show_share(known.gap)}</td>"
            f"<td class='names'>{escape(', '.join(best))}</td></tr>"
        )
    names = ("Instance", "Tasks", "Machines", "Best known", "Bound", "Open gap", "Closest here")
    heads = "".join(f"<th scope='col'><button type='button'>{name}</button></th>" for name in names)
    return (
        "<section id='instances'><h2>Instances</h2><details><summary>"
        f"{len(results.instances)} instances: best known and bound, as mean accuracy</summary>"
        f"<div class='scroll'><table class='sortable'><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div></details></section>"
    )


def _schedules(results: Results) -> str:
    parts = "".join(_best_and_worst(results, solver) for solver in results.solvers)
    note = (
        "Machines as rows, tasks coloured by accuracy (dark to bright), ticks above a row at its "
        "tasks' deadlines. Point at a task for its numbers."
    )
    return f"<section id='schedules'><h2>Schedules</h2><p class='note'>{note}</p>{parts}</section>"


def _best_and_worst(results: Results, solver: str) -> str:
    runs = sorted(
        (run for run in results.runs_of(solver) if run.record.ok),
        key=lambda run: _gap(results, run),
    )
    if not runs:
        return ""
    chosen = [("best", runs[0]), ("worst", runs[-1])][: len({run.path for run in runs[:2]})]
    drawn = "".join(_drawn(results, name, run) for name, run in chosen)
    return (
        f"<details class='gantts'><summary>{escape(solver)}: best and worst instance</summary>"
        f"{drawn}</details>"
    )


def _drawn(results: Results, name: str, run: StoredRun) -> str:
    record = run.record
    seed = "" if record.seed is None else f", seed {record.seed}"
    told = (
        f"{name}: {record.instance}{seed}, gap {show_share(_gap(results, run))}, "
        f"mean accuracy {record.mean_accuracy:.5f}, energy {record.energy_share:.1%} of the budget"
    )
    try:
        drawing = gantt_svg(results.store.load_schedule(run), f"{record.solver} on {told}")
    except InputError as error:
        drawing = f"<p class='note'>{escape(str(error))}</p>"
    return (
        f"<figure class='gantt'><figcaption>{escape(told)}</figcaption>"
        f"<div class='scroll'>{drawing}</div></figure>"
    )


def _protocol(results: Results) -> str:
    limits = sorted({show_limit(r.time_limit) for r in results.records})
    seeds = {
        solver: len({run.record.seed for run in results.runs_of(solver)})
        for solver in results.solvers
    }
    threads = sorted({str(run.environment.get("threads", "its own")) for run in results.runs})
    facts = [
        ("time limit", ", ".join(limits)),
        ("seeds", ", ".join(f"{solver} {count}" for solver, count in seeds.items())),
        ("threads for each solver", ", ".join(threads)),
    ]
    for described in environments(results.runs):
        facts += [(str(key), str(value)) for key, value in described.items()]
    rows = "".join(f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in facts)
    return f"<section id='protocol'><h2>Protocol</h2><dl>{rows}</dl></section>"


def _glossary() -> str:
    terms = [(column.heading, column.told) for column in PAGE if column.told]
    terms += [
        ("best known", "the best schedule that any run here, or the suite, knows"),
        ("bound", "no schedule exceeds it; the least that was proven"),
        ("Pareto front", "the solvers that no other beats in both time and gap"),
    ]
    rows = "".join(f"<dt>{escape(term)}</dt><dd>{escape(told)}</dd>" for term, told in terms)
    return f"<section id='glossary'><h2>Glossary</h2><dl>{rows}</dl></section>"


def _gap(results: Results, run: StoredRun) -> float:
    return run.record.short_of(results.known[run.record.instance].best)
