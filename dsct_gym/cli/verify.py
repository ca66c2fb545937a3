"""``dsct-gym verify``: is a schedule feasible, and are its numbers right?"""

from pathlib import Path
from typing import Annotated

import typer

from dsct_gym.cli.arguments import InstanceArgument, Json, load_instance
from dsct_gym.cli.console import out, print_json
from dsct_gym.errors import InputError, located

EXAMPLE = "dsct-gym verify dc5-ofa60 schedule.json"


def verify(
    instance: InstanceArgument,
    schedule: Annotated[Path, typer.Argument(metavar="SCHEDULE", help="Schedule file.")],
    json: Json = False,
) -> None:
    """Check a schedule against its instance.

    Every limit and every number that it claims is recomputed.
    Exit status 0 when feasible and right, 1 with the reasons when not.
    """
    from dsct_gym.files import verify_schedule_file

    problem = load_instance(instance)
    try:
        verification = verify_schedule_file(schedule, problem)
    except InputError as error:
        raise located(schedule, error) from error
    if json:
        print_json({"ok": verification.ok, "reasons": list(verification.reasons)})
    else:
        for line in verification.reasons or ("feasible, and its numbers are right",):
            out().print(line)
    if not verification:
        raise typer.Exit(1)
