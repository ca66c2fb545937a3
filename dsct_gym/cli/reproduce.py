"""``dsct-gym reproduce``: the papers' experiments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsct_gym.cli.arguments import Json, check_writable_folder
from dsct_gym.cli.console import Heading, out, print_json, print_table, progress_bar, warn
from dsct_gym.errors import InputError

if TYPE_CHECKING:
    from dsct_gym.benchmark.reproduce.experiment import Effort, Experiment, Outcome

EXAMPLE = """
dsct-gym reproduce gap-by-mu --quick
dsct-gym reproduce accuracy-by-rho --quick -o figures
"""

ALL = "all"


def reproduce(
    figure: Annotated[
        str,
        typer.Argument(
            metavar="FIGURE",
            help="gap-by-mu, runtime, accuracy-by-rho, accuracy-by-energy, serving, timeliness,"
            " or all.",
        ),
    ],
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer and smaller instances: seconds, not minutes.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Write figure (png, svg) and tables."),
    ] = None,
    json: Json = False,
) -> None:
    """Repeat an experiment of the papers, their claims beside what was measured.

    docs/reproduction.md holds the results of full runs and where they differ from the papers.
    """
    from dsct_gym.benchmark.reproduce import EXPERIMENTS, find_experiment

    names = list(EXPERIMENTS) if figure == ALL else [figure]
    effort: Effort = "quick" if quick else "full"
    experiments = [find_experiment(name) for name in names]
    check_writable_folder("--output", output)
    told = []
    try:
        for experiment in experiments:
            outcome = _run(experiment, effort, output)
            told.append({"figure": experiment.name, "claims": [vars(c) for c in outcome.claims]})
            if not json:
                _print(experiment, outcome)
            _write(experiment, outcome, output, quiet=json)
    except InputError:  # what was found is told even where it cannot be written
        if json and told:
            print_json(told)
        raise
    if json:
        print_json(told)


def _run(experiment: Experiment, effort: Effort, folder: Path | None) -> Outcome:
    with progress_bar() as bar:
        task = bar.add_task(experiment.name, total=experiment.steps(effort), state="")

        def advance(state: str) -> None:
            bar.update(task, advance=1, state=state)

        if folder is None or experiment.resume is None:
            return experiment.run(effort, advance)
        try:
            return experiment.resume(effort, advance, folder)
        except KeyboardInterrupt:
            warn(f"what was found is kept in {folder}/; the same command goes on")
            raise


def _print(experiment: Experiment, outcome: Outcome) -> None:
    columns = (Heading("claim", "prose"), Heading("paper", "prose"), Heading("measured", "prose"))
    rows = [(claim.what, claim.paper, claim.measured) for claim in outcome.claims]
    print_table(columns, rows, title=f"{experiment.name}: {experiment.title}")


def _write(experiment: Experiment, outcome: Outcome, folder: Path | None, *, quiet: bool) -> None:
    if folder is None:
        return
    from dsct_gym.benchmark.reproduce.experiment import write_outcome

    written = write_outcome(experiment.name, outcome, folder)
    if not quiet:
        out().print(f"wrote {', '.join(written)} into {folder}/")
