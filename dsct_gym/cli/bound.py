"""``dsct-gym bound``: what no schedule can exceed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dsct_gym.cli.arguments import InstanceArgument, Json, TimeLimit, load_instance
from dsct_gym.cli.console import diverted, listener, print_fields, print_json, progress_bar

if TYPE_CHECKING:
    from dsct_gym.benchmark.spec import Spec
    from dsct_gym.problem import Problem
    from dsct_gym.relaxation import Relaxation
    from dsct_gym.solver import Progress

EXAMPLE = """
dsct-gym bound dc5-ofa60
dsct-gym bound dc5-ofa60 --method 'columns[threads=1]' --time-limit 10
dsct-gym bound instance.json --json
"""


def bound(
    instance: InstanceArgument,
    method: Annotated[
        str,
        typer.Option(
            "--method", metavar="NAME", help="fractional, columns or name\\[option=value,...]."
        ),
    ] = "fractional",
    time_limit: TimeLimit = None,
    json: Json = False,
) -> None:
    """Print an upper bound on the accuracy.

    By default that of the fractional relaxation, where a task may be split over
    machines. The price of energy is what one more joule would earn in it.

    The method columns takes longer and comes far closer: it generates schedules
    of single machines (column generation). On Ctrl-C or at the time limit it
    prints the bound proven until then.
    """
    import time

    from dsct_gym.benchmark.spec import Spec
    from dsct_gym.benchmark.wording import show_seconds
    from dsct_gym.bounds import FRACTIONAL, warm_up_bound
    from dsct_gym.relaxation import relax

    problem = load_instance(instance)
    named = Spec.parse(method, "method")
    with diverted():
        warm_up_bound(named.name)
        started = time.perf_counter()
        relaxation = relax(problem)
        total, interrupted = _bound(problem, named, time_limit, relaxation)
        seconds = time.perf_counter() - started
    fractional = named.name == FRACTIONAL
    mean = total / problem.core.num_tasks
    if json:
        document: dict[str, object] = {
            "instance": problem.name,
            "method": named.label,
            "total_accuracy": total,
            "mean_accuracy": mean,
            "seconds": seconds,
        }
        if fractional:
            document["energy_price"] = relaxation.energy_price
        print_json(document)
    else:
        fields = {"mean accuracy": f"{mean:.6f}", "total accuracy": f"{total:.6f}"}
        if fractional:
            fields["price of energy"] = f"{relaxation.energy_price:.3g} accuracy per J"
        else:
            fields["fractional bound"] = f"{relaxation.bound / problem.core.num_tasks:.6f} mean"
            fields["seconds"] = show_seconds(seconds)
        print_fields(f"{problem.name or instance}: {named.label} upper bound", fields)
    if interrupted:
        raise KeyboardInterrupt


def _bound(
    problem: Problem, method: Spec, time_limit: float | None, relaxation: Relaxation
) -> tuple[float, bool]:
    """The bound on the total accuracy, and whether Ctrl-C cut the search for it short."""
    from dsct_gym.bounds import bound_for
    from dsct_gym.running import run_bound

    find = bound_for(problem, method.name, **method.options)
    heard = [relaxation.bound]
    with progress_bar() as bar:
        show = listener(bar, method.label, problem.core.num_tasks, time_limit)

        def hear(news: Progress) -> None:
            if news.bound is not None:
                heard.append(news.bound)
            show(news)

        try:
            bound = run_bound(find, problem, method.label, time_limit=time_limit, progress=hear)
            heard.append(bound)
        except KeyboardInterrupt:
            return min(heard), True
    return min(heard), False
