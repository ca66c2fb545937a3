"""Every solver against every other, tested over the instances."""

from __future__ import annotations

from html import escape

from dsct_gym.benchmark.report.html import note, section
from dsct_gym.benchmark.report.results import Results
from dsct_gym.benchmark.statistics import Comparison

_SIGNIFICANT = 0.05


def pairs_chapter(results: Results) -> str:
    """A table of wins and losses; nothing for one solver or few instances."""
    if len(results.solvers) < 2 or results.few:
        return ""
    found = {(c.first, c.second): c for c in results.comparisons}
    heads = "".join(f"<th scope='col'>{escape(name)}</th>" for name in results.solvers)
    rows = ""
    for first in results.solvers:
        cells = "".join(_pair(found, first, second) for second in results.solvers)
        rows += f"<tr><th scope='row'>{escape(first)}</th>{cells}</tr>"
    told = (
        "Row against column: instances with a smaller and with a larger gap. ▲ on blue: better, "
        "▼ on orange: worse, significant at 5 % by a two-sided Wilcoxon signed-rank test on the "
        "instances, with Holm's correction over all pairs (p below)."
    )
    table = (
        "<div class='scroll'><table class='pairs'><thead><tr>"
        f"<td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    return section("pairs", "Pairs", table + note(told))


def _pair(found: dict[tuple[str, str], Comparison], first: str, second: str) -> str:
    if first == second:
        return "<td class='same'>·</td>"
    pair = found.get((first, second))
    if pair is None:
        pair = found[second, first]
        wins, losses = pair.losses, pair.wins
    else:
        wins, losses = pair.wins, pair.losses
    css, sign = "", ""
    if pair.p_value < _SIGNIFICANT:
        css, sign = (" class='better'", "▲ ") if wins > losses else (" class='worse'", "▼ ")
    p_value = "p < 0.001" if pair.p_value < 1e-3 else f"p = {pair.p_value:.3f}"
    return f"<td{css}>{sign}{wins} : {losses}<small>{p_value}</small></td>"
