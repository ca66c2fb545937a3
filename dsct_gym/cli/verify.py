"""``dsct-gym verify``: is a schedule feasible, are its numbers right, does a bound hold?"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsct_gym.cli.arguments import InstanceArgument, Json, load_instance
from dsct_gym.cli.console import out, print_json
from dsct_gym.errors import InputError, located

if TYPE_CHECKING:
    from dsct_gym.certificate import Certificate
    from dsct_gym.problem import Problem

EXAMPLE = """
dsct-gym verify dc5-ofa60 schedule.json
dsct-gym bound dc5-ofa60 --method columns --time-limit 2 -o certificate.json
dsct-gym verify dc5-ofa60 certificate.json
dsct-gym verify dc5-ofa60 schedule.json --certificate certificate.json
"""


def verify(
    instance: InstanceArgument,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Schedule file, or certificate of a bound.")
    ],
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--certificate", metavar="FILE", help="What proves the upper bound of a schedule."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Check a schedule, or the certificate of a bound, against its instance.

    Every limit and every number that a schedule claims is recomputed. An upper bound
    below the fractional one needs a certificate: without, it is told as not checked.
    Of a certificate, the bound that its prices prove is worked out anew.
    Exit status 0 when all is right, 1 with the reasons when not.
    """
    from dsct_gym.certificate import is_certificate
    from dsct_gym.files import read_json

    problem = load_instance(instance)
    if is_certificate(read_json(file)):
        if certificate is not None:
            raise InputError(f"certificate: {file} is one itself")
        _verify_certificate(problem, file, json)
    else:
        _verify_schedule(problem, file, certificate, json)


def _verify_certificate(problem: Problem, path: Path, json: bool) -> None:
    certificate = _load(path, problem)
    try:
        bound = certificate.prove(problem.core)
    except InputError as error:
        if json:
            print_json({"ok": False, "reasons": error.lines})
        else:
            out().print(str(error), highlight=False, markup=False)
        raise typer.Exit(1) from error
    mean = bound / problem.core.num_tasks
    if json:
        proven = {"total_accuracy": bound, "mean_accuracy": mean}
        print_json({"ok": True, "reasons": [], "upper_bound": proven})
    else:
        out().print(f"no schedule exceeds a total accuracy of {bound:.9g}, a mean of {mean:.6f}")


def _verify_schedule(problem: Problem, path: Path, certificate: Path | None, json: bool) -> None:
    from dsct_gym.files import verify_schedule_file

    proven = math.inf
    if certificate is not None:
        proof = _load(certificate, problem)
        try:
            proven = proof.check(problem.core)
        except InputError as error:
            raise located(certificate, error) from error
    try:
        verification = verify_schedule_file(path, problem, proven)
    except InputError as error:
        raise located(path, error) from error
    unchecked = list(verification.unchecked)
    if json:
        told = {"ok": verification.ok, "reasons": list(verification.reasons)}
        print_json({**told, **({"unchecked": unchecked} if unchecked else {})})
    else:
        for line in verification.reasons or ("feasible, and its numbers are right",):
            out().print(line)
        for claim in unchecked:
            out().print(f"{claim}: claimed, not checked")
    if not verification:
        raise typer.Exit(1)


def _load(path: Path, problem: Problem) -> Certificate:
    """A certificate, which only an instance of DSCT-EA itself can have."""
    from dsct_gym.certificate import Certificate
    from dsct_gym.instance import Instance

    if not isinstance(problem, Instance):
        raise InputError("certificate: there is none for a variant of DSCT-EA")
    try:
        return Certificate.load(path)
    except InputError as error:
        raise located(path, error) from error
