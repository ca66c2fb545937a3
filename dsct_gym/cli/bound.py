"""``dsct-gym bound``: what no schedule can exceed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsct_gym.cli.arguments import (
    InstanceArgument,
    Json,
    TimeLimit,
    check_writable,
    load_instance,
)
from dsct_gym.cli.console import listener, print_fields, print_json, progress_bar
from dsct_gym.errors import InputError
from dsct_gym.streams import stdout_to_stderr

if TYPE_CHECKING:
    from dsct_gym.benchmark.spec import Spec
    from dsct_gym.bounds import BoundMethod
    from dsct_gym.problem import Problem
    from dsct_gym.relaxation import Relaxation
    from dsct_gym.solver import Progress

EXAMPLE = """
dsct-gym bound dc5-ofa60
dsct-gym bound dc5-ofa60 --method 'columns[threads=1]' --time-limit 10 -o certificate.json
dsct-gym bound instance.json --json
"""


def bound(
    instance: InstanceArgument,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="NAME",
            help="fractional, columns, capped or name\\[option=value,...].",
        ),
    ] = "fractional",
    time_limit: TimeLimit = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write its certificate."),
    ] = None,
    json: Json = False,
) -> None:
    """Print an upper bound on the accuracy.

    By default that of the fractional relaxation, where a task may be split over
    machines and, where tasks arrive over time, all of them are known and work on
    one may be interrupted. The price of energy is what one more joule would earn in it.

    The method capped is as fast and closer where latencies are short: no task does
    more than the fastest machine can within its window.

    The method columns takes longer and comes far closer: it generates schedules
    of single machines (column generation). What it prints is what the prices that
    it ends with prove, checked anew; dsct-gym verify checks the file that holds
    them. On Ctrl-C or at the time limit it prints the bound until then.
    """
    import time

    from dsct_gym.benchmark.spec import Spec
    from dsct_gym.bounds import FRACTIONAL, bound_for, warm_up_bound
    from dsct_gym.relaxation import relax
    from dsct_gym.toy import toy_like

    check_writable("output", output)
    problem = load_instance(instance)
    named = Spec.parse(method, "method")
    if output is not None and named.name == FRACTIONAL:
        raise InputError(
            "output: the fractional bound needs no certificate, anyone can work it out"
        )
    with stdout_to_stderr():
        find = bound_for(problem, named.name, **named.options)
        warm_up_bound(named.name)
        relax(toy_like(problem))
        started = time.perf_counter()
        relaxation = relax(problem)
        total, interrupted = _bound(find, problem, named.label, time_limit, relaxation)
        seconds = time.perf_counter() - started
    certificate = getattr(total, "certificate", None)
    if output is not None and certificate is None:
        raise InputError(f"output: {named.label} gave no certificate of its bound")
    try:
        if output is not None and certificate is not None:
            certificate.save(output)
    finally:  # what was found is told even where it cannot be written
        _tell(problem, instance, named, total, relaxation, seconds, json=json)
    if interrupted:
        raise KeyboardInterrupt


def _tell(
    problem: Problem,
    argument: str,
    method: Spec,
    total: float,
    relaxation: Relaxation,
    seconds: float,
    *,
    json: bool,
) -> None:
    """Prints a bound, what proves it and how long it took."""
    from dsct_gym.benchmark.wording import show_seconds
    from dsct_gym.bounds import FRACTIONAL

    fractional, certified = method.name == FRACTIONAL, hasattr(total, "certificate")
    mean = total / problem.core.num_tasks
    if json:
        document: dict[str, object] = {
            "instance": problem.name,
            "method": method.label,
            "total_accuracy": total,
            "mean_accuracy": mean,
            "seconds": seconds,
        }
        if fractional:
            document["energy_price"] = relaxation.energy_price
        else:
            document["certified"] = certified
        print_json(document)
        return
    fields = {"mean accuracy": f"{mean:.6f}", "total accuracy": f"{total:.6f}"}
    if fractional:
        fields["price of energy"] = f"{relaxation.energy_price:.3g} accuracy per J"
    else:
        fields["fractional bound"] = f"{relaxation.bound / problem.core.num_tasks:.6f} mean"
        fields["proof"] = "its certificate" if certified else "claimed, not checked"
        fields["seconds"] = show_seconds(seconds)
    print_fields(f"{problem.name or argument}: {method.label} upper bound", fields)


def _bound(
    find: BoundMethod,
    problem: Problem,
    label: str,
    time_limit: float | None,
    relaxation: Relaxation,
) -> tuple[float, bool]:
    """The bound on the total accuracy, and whether Ctrl-C cut the search for it short."""
    from dsct_gym.certificate import CertifiedBound
    from dsct_gym.running import run_bound

    heard = [relaxation.bound]
    with progress_bar() as bar:
        show = listener(bar, label, problem.core.num_tasks, time_limit)

        def hear(news: Progress) -> None:
            if news.bound is not None:
                heard.append(news.bound)
            show(news)

        try:
            bound = run_bound(find, problem, label, time_limit=time_limit, progress=hear)
        except KeyboardInterrupt:
            return min(heard), True
    if isinstance(bound, CertifiedBound):
        return bound, bound.interrupted
    return min(*heard, bound), False
