"""What the words of the page mean."""

from __future__ import annotations

from collections.abc import Iterator

from dsct_gym.benchmark.report.html import section, terms
from dsct_gym.benchmark.report.results import Results
from dsct_gym.benchmark.score_table import PAGE

_ALWAYS = (
    ("best known", "the best schedule that any run here, or the suite, knows"),
    ("bound", "no schedule exceeds it; the least that was proven"),
    ("open gap", "share missing of the best known to the bound"),
    ("Pareto front", "the solvers that no other beats in both time and gap"),
    ("anytime", "the mean gap of the best schedule so far, while a solver goes on searching"),
    ("run", "one solver on one instance with one seed"),
)
_OF_FEW = (
    ("utilisation", "time that a machine works, as a share of the time until the last deadline"),
)
_OF_MANY = (
    ("interval", "95 % percentile bootstrap over instances, 2,000 resamples"),
    ("performance profile", "share of the instances within a gap of the best known"),
    ("p", "of a two-sided Wilcoxon signed-rank test, after Holm's correction over all pairs"),
)
_OF_ARRIVALS = (
    ("load", "work that arrives until the horizon, over what all machines can do in that time"),
    ("burstiness", "standard deviation of the times between arrivals, over their mean; 1: Poisson"),
    ("share of bound", "value over the proven bound: what a competitive ratio compares"),
    ("hindsight", "the best schedule known, made with full knowledge of what arrives"),
    ("wait", "time from a task's arrival to its start, as a share of that to its deadline"),
)
_OF_SOFT = (
    ("value", "accuracies less penalties of lateness less the price of energy"),
    ("on time", "share of the tasks that end by their deadlines"),
    ("refused", "share of the tasks that are given no work"),
    ("lateness", "time from a late task's deadline to its end"),
)


def glossary_chapter(results: Results) -> str:
    """The words that this report uses."""
    return section("glossary", "Glossary", terms(_terms(results)))


def _terms(results: Results) -> Iterator[tuple[str, str]]:
    yield from ((column.heading, column.told) for column in PAGE if column.told)
    yield from _ALWAYS
    yield from _OF_FEW if results.few else _OF_MANY
    if results.with_need("arrivals"):
        yield from _OF_ARRIVALS
    if results.with_need("soft"):
        yield from _OF_SOFT
