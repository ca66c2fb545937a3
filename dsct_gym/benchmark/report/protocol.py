"""How the runs were made."""

from __future__ import annotations

from dsct_gym.benchmark.report.html import section, terms
from dsct_gym.benchmark.report.results import Results, environments
from dsct_gym.benchmark.wording import show_limit


def protocol_chapter(results: Results) -> str:
    """Limits, seeds, threads, versions and machines."""
    limits = sorted({show_limit(r.time_limit) for r in results.records})
    threads = sorted({str(run.environment.get("threads", "its own")) for run in results.runs})
    facts = [
        ("time limit", ", ".join(limits)),
        ("seeds", _seeds(results)),
        ("threads for each solver", ", ".join(threads)),
    ]
    for described in environments(results.runs):
        facts += [(str(name), str(value)) for name, value in described.items()]
    return section("protocol", "Protocol", terms(facts))


def _seeds(results: Results) -> str:
    """How many seeds each solver had; one number where all had as many."""
    counts = {
        solver: len({run.record.seed for run in results.runs_of(solver)})
        for solver in results.solvers
    }
    if len(set(counts.values())) == 1:
        return f"{next(iter(counts.values()))} for each solver"
    return ", ".join(f"{solver} {count}" for solver, count in counts.items())
