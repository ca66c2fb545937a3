"""``dsct-gym evaluate``: how much of what can be had a policy gets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsct_gym.cli.arguments import (
    LARGEST_SEED,
    MOST,
    Json,
    TimeLimit,
    check_writable,
    check_writable_folder,
)
from dsct_gym.cli.console import err, out, print_json, print_scores, progress_bar, warn
from dsct_gym.errors import InputError
from dsct_gym.streams import stdout_to_stderr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dsct_gym.benchmark.entrants import Entrant
    from dsct_gym.benchmark.evaluation import Group, Planned, Standings
    from dsct_gym.benchmark.execution import Run
    from dsct_gym.benchmark.record import Record
    from dsct_gym.benchmark.session import Session

EXAMPLE = """
dsct-gym evaluate rl-greedy rl --suite tiny
dsct-gym evaluate rl annealing --size 20x3,30x4 --count 4 -o out.csv
"""

_TOLD = 3


def evaluate(
    agents: Annotated[
        list[str],
        typer.Argument(
            metavar="AGENT",
            help="Solver: name, name\\[option=value,...] or module:Class. "
            "Policy: FILE.safetensors or FILE.zip.",
        ),
    ],
    suite: Annotated[
        str | None,
        typer.Option("--suite", metavar="A,B", help="Suites; see 'dsct-gym suites'."),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option("--size", metavar="NxM,...", help="Fresh instances of N tasks on M machines."),
    ] = None,
    count: Annotated[
        int,
        typer.Option("--count", metavar="N", min=1, max=MOST, help="Fresh instances of each size."),
    ] = 32,
    seed: Annotated[
        int,
        typer.Option(
            "--seed",
            metavar="N",
            min=0,
            max=LARGEST_SEED,
            help="Of fresh instances, and first seed of the agents.",
        ),
    ] = 0,
    seeds: Annotated[
        int,
        typer.Option(
            "--seeds", metavar="K", min=1, max=MOST, help="Seeds for agents that are random."
        ),
    ] = 1,
    decode: Annotated[
        str,
        typer.Option(
            "--decode",
            metavar="A,B",
            help="Solvers that play .safetensors: rl, rl-greedy, rl-sample, rl-beam.",
        ),
    ] = "rl-greedy",
    time_limit: TimeLimit = None,
    reference_moves: Annotated[
        int,
        typer.Option(
            "--reference-moves",
            metavar="N",
            min=0,
            max=MOST,
            help="Best known of fresh instances: the best of all agents and of 3 annealing runs "
            "of so many moves a task.",
        ),
    ] = 2_000,
    references: Annotated[
        Path | None,
        typer.Option(
            "--references", metavar="DIR", help="Keep those annealing runs; reuse what is there."
        ),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Run anew those of them that were made by other code."),
    ] = False,
    jobs: Annotated[
        int, typer.Option("--jobs", metavar="N", min=1, max=MOST, help="Processes to run in.")
    ] = 1,
    trust_pickle: Annotated[
        bool,
        typer.Option("--trust-pickle", help="Load .zip files, which run whatever code they hold."),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE.csv", help="Write every run as a CSV row."),
    ] = None,
    json: Json = False,
) -> None:
    """Compare agents with approx-refined and with the best that is known.

    A policy is FILE.safetensors, decoded as --decode says or as in FILE.safetensors+rl-sample;
    or FILE.zip of Stable-Baselines3, with --trust-pickle. FILE,FILE,... or a quoted pattern such
    as 'runs/mine-*/policy.safetensors' are the training seeds of one policy.

    Fresh instances (mu 1..20, rho 0.2..1, beta 0.1..1) are none that training ever sees. Each agent
    runs on one core; without --time-limit the same command gives the same schedules.
    """
    from dsct_gym.atomic import write_text
    from dsct_gym.benchmark.evaluation import plan, rank, rows_as_csv

    if fresh and references is None:
        raise InputError("--fresh: needs --references, the folder to resume")
    check_writable("--output", output)
    check_writable_folder("--references", references)
    groups = _groups(suite, size, count, seed)
    with stdout_to_stderr():
        planned = plan(
            groups,
            _entrants(agents, decode, trust_pickle=trust_pickle),
            seeds=range(seed, seed + seeds),
            time_limit=time_limit,
            reference_moves=reference_moves,
        )
        session = _run(planned, references, jobs, fresh=fresh)
    # What Ctrl-C cut short would stand for less than its agent can do.
    records = {key: record for key, record in session.found.items() if not record.interrupted}
    found = [rank(group, planned, records) for group in groups]
    standings = [each for each in found if each is not None]
    try:
        if session.unkept is not None:
            raise session.unkept
        if output is not None and standings:
            write_text(output, rows_as_csv(standings))
    finally:  # what was found is told even where it cannot be written
        _tell_all(standings, reference_moves, json=json)
        _tell_failures(planned, records)
    if output is not None and standings and not json:
        out().print(f"wrote {output}")
    if session.interrupted:
        raise KeyboardInterrupt
    ran = [records[each.job.key] for each in planned if each.job.key in records]
    if len(ran) < len(planned) or not all(record.ok for record in ran):
        raise typer.Exit(1)


def _groups(suite: str | None, size: str | None, count: int, seed: int) -> list[Group]:
    from dsct_gym.benchmark.evaluation import size_group, suite_group

    suites = [name.strip() for name in (suite or "").split(",") if name.strip()]
    sizes = [text.strip() for text in (size or "").split(",") if text.strip()]
    if not suites and not sizes:
        raise InputError("evaluate: needs instances: --suite NAME or --size NxM")
    groups = [suite_group(name) for name in suites]
    groups += [size_group(text, count, seed) for text in sizes]
    return list({group.name: group for group in groups}.values())


def _entrants(agents: list[str], decoders: str, *, trust_pickle: bool) -> list[Entrant]:
    """The agents, each of which can be made."""
    from dsct_gym.benchmark.entrants import parse_agents

    entrants = parse_agents(agents, decoders, trust_pickle=trust_pickle)
    for entrant in entrants:
        for solver in entrant.variants:
            solver.make()
    return entrants


def _run(planned: Sequence[Planned], folder: Path | None, workers: int, *, fresh: bool) -> Session:
    """Runs what is planned under a progress bar; the reference runs are kept and resumed."""
    from dsct_gym.benchmark.evaluation import jobs_of
    from dsct_gym.benchmark.guard import Limits
    from dsct_gym.benchmark.session import Conduct, Session
    from dsct_gym.benchmark.store import Store

    store = None if folder is None else Store(folder)
    kept = {each.job.key for each in planned if each.entrant is None}
    session = Session(jobs_of(planned), store, kept)
    conduct = Conduct(workers, Limits(threads=1))
    if (overload := conduct.overload(session.jobs)) is not None:
        warn(overload)
    with session.opened(), progress_bar() as bar:
        for line in session.resume(retry=True, fresh=fresh, threads=1):
            warn(line)
        number = len(session.missing)
        task = bar.add_task("evaluate", total=number, state=f"0/{number}")
        done = 0

        def hear(run: Run) -> None:
            nonlocal done
            done += 1
            bar.update(task, advance=1, state=f"{done}/{number} {run.job.label}")
            if run.record is None:
                err().print(f"{run.job.solver.label} on {run.job.label} was lost: {run.lost}")

        session.run(conduct, hear)
    return session


def _tell_failures(planned: Sequence[Planned], records: dict[str, Record]) -> None:
    """One line for each agent that gave no schedule somewhere."""
    failed: dict[str, list[Record]] = {}
    runs: dict[str, int] = {}
    for each in planned:
        record = records.get(each.job.key)
        if each.entrant is not None and record is not None:
            label = each.entrant.label
            runs[label] = runs.get(label, 0) + 1
            if not record.ok:
                failed.setdefault(label, []).append(record)
    for label, lost in failed.items():
        first = lost[0]
        err().print(
            f"{label} gave no schedule in {len(lost)} of {runs[label]} runs (empty ones count in "
            f"their place): on {first.instance}: {first.status}: {first.message}",
            soft_wrap=True,
        )


def _tell_all(standings: Sequence[Standings], moves: int, *, json: bool) -> None:
    """Prints whatever has been run."""
    for each in standings:
        for record in each.refuted:
            warn(f"{record.solver} claims a bound on {record.instance} that a schedule exceeds")
    if json:
        print_json([_document(each) for each in standings])
        return
    for each in standings:
        _print_standings(each)
    if standings:
        _print_legend(standings, moves)


def _print_standings(found: Standings) -> None:
    """The table of a group, and the best-known values that were raised."""
    from dsct_gym.benchmark.score_table import standing_columns

    print_scores(
        standing_columns(),
        found.entrants,
        title=_title(found),
        last=("best known", f"{found.best_accuracy:.5f}", f"{found.best_gap:.3%}"),
        dense=True,
    )
    for each in found.raised[:_TOLD]:
        change = f"from {each.before:.6f} to {each.after:.6f}"
        out().print(f"best known of {each.instance} raised {change} by {each.by}")
    if len(found.raised) > _TOLD:
        out().print(f"... and of {len(found.raised) - _TOLD} more")


def _title(found: Standings) -> str:
    done, planned = len(found.instances), len(found.group.instances)
    number = f"{done}" if done == planned else f"{done} of {planned}"
    instances = "instance" if planned == 1 else "instances"
    return f"{found.group.name}: {number} {instances}, {found.group.holds}"


def _print_legend(standings: Sequence[Standings], moves: int) -> None:
    """What the columns mean."""
    from rich.text import Text

    from dsct_gym.benchmark.evaluation import REFERENCE_SEEDS
    from dsct_gym.benchmark.statistics import CONFIDENCE

    seeds = any(row.training_seeds > 1 for each in standings for row in each.entrants)
    first = ", ".join(dict.fromkeys(each.group.baseline.label for each in standings))
    lines = [
        "gap: to the proven upper bound",
        f"closed: share of the gap from {first} to the best known",
        f"interval: {CONFIDENCE:.0%} bootstrap over instances{' and training seeds' * seeds}",
        f"W/T/L: instances on which it is better than {first}, the same, worse",
    ]
    if any(each.group.references for each in standings):
        lines.append("best known: of the suite, or of what ran here where that is better")
    if moves and not all(each.group.references for each in standings):
        runs = f"{REFERENCE_SEEDS} annealing runs of {moves:,} moves a task"
        lines.append(f"best known of fresh instances: of {runs} and of what ran here")
    out().print(Text("\n".join(lines), style="dim"))


def _document(found: Standings) -> dict[str, object]:
    """The standings as JSON."""
    from dataclasses import asdict

    return {
        "group": found.group.name,
        "instances": list(found.instances),
        "best_known": found.best_accuracy,
        "best_known_gap": found.best_gap,
        "agents": [asdict(row) for row in found.entrants],
        "raised": [asdict(each) for each in found.raised],
        "rows": list(found.rows),
    }
