"""``dsct-gym generate``: a random instance."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsct_gym.cli.arguments import InstanceName, InstanceOutput, check_writable
from dsct_gym.cli.console import err
from dsct_gym.errors import InputError

if TYPE_CHECKING:
    from dsct_gym.instance import Instance
    from dsct_gym.problem import Problem

EXAMPLE = """
dsct-gym generate -n 100 -m 5 --rho 0.35 --beta 0.5 -o instance.json
dsct-gym generate --devices T4,V100 --family ofa-resnet50 -o real.json
dsct-gym generate --devices V100,A40 --points 6 -o clocks.json
dsct-gym generate --arrivals 'bursty[factor=8]' -n 200 -o online.json
dsct-gym generate --arrivals azure-conv --tolerance 0.2,2 -o replay.json
dsct-gym generate --devices V100,M40 --points 6 --network resnet50 -o served.json
"""


def generate(
    tasks: Annotated[int, typer.Option("-n", "--tasks", metavar="N", help="Tasks.")] = 100,
    machines: Annotated[
        int | None,
        typer.Option(
            "-m",
            "--machines",
            metavar="M",
            help="Machines.",
            show_default="one for each device named, else 5",
        ),
    ] = None,
    mu: Annotated[
        float, typer.Option("--mu", metavar="X", help="Task heterogeneity θ_max / θ_min, from 1.")
    ] = 5.0,
    rho: Annotated[
        float,
        typer.Option("--rho", metavar="X", help="Deadline tolerance d_max Σ s_r / Σ f_j^max."),
    ] = 0.35,
    beta: Annotated[
        float, typer.Option("--beta", metavar="X", help="Energy budget ratio B / (d_max Σ P_r).")
    ] = 0.5,
    segments: Annotated[
        int, typer.Option("--segments", metavar="K", help="Segments of each accuracy curve.")
    ] = 5,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed, from 0.")] = 0,
    devices: Annotated[
        str | None,
        typer.Option("--devices", metavar="A,B,..", help="Catalogue devices as machines."),
    ] = None,
    family: Annotated[
        str | None,
        typer.Option("--family", metavar="A[,B,..]", help="Catalogue model families as curves."),
    ] = None,
    points: Annotated[
        int | None,
        typer.Option(
            "--points",
            metavar="N",
            help="Operating points of each machine: random, or measured of --devices.",
            show_default="none, machines have one clock",
        ),
    ] = None,
    arrivals: Annotated[
        str | None,
        typer.Option(
            "--arrivals",
            metavar="NAME",
            help="When tasks arrive: poisson, bursty, diurnal, a trace that ships, a .csv or .jsonl"
            " file, or name\\[option=value,...].",
            show_default="all are there from the start",
        ),
    ] = None,
    tolerance: Annotated[
        str | None,
        typer.Option(
            "--tolerance",
            metavar="LOW,HIGH",
            help="Latency of tasks that arrive, in mean times of a task in full.",
            show_default="0.15,1.5",
        ),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            "--network",
            metavar="NAME",
            help="With --points and --devices: points of a GPU that serves it.",
            show_default="those of arithmetic as measured",
        ),
    ] = None,
    name: InstanceName = None,
    output: InstanceOutput = None,
) -> None:
    """Generate a random instance.

    The same options give the same bytes on every machine.

    Without --devices and --family, machines and accuracy curves are random.

    With --arrivals, tasks arrive over a horizon: -n is the number expected, 1 / ρ
    the load offered, and d_max in ρ and β stands for the horizon. These traces
    ship: azure-code, azure-conv, mooncake, servegen.
    """
    from dsct_gym.files import instance_text, write_instance

    check_writable("--output", output)
    options: dict[str, Any] = {
        "mu": mu,
        "rho": rho,
        "beta": beta,
        "segments": segments,
        "seed": seed,
        "devices": devices,
        "family": family,
        "name": name,
    }
    problem: Problem
    with err().status(f"generating {tasks} tasks"):
        if arrivals is not None:
            _check_alone("--points", points, "not with --arrivals")
            _check_alone("--network", network, "not with --arrivals")
            problem = _with_arrivals(tasks, machines, arrivals, tolerance, options)
        else:
            _check_alone("--tolerance", tolerance, "needs --arrivals")
            problem = _with_points(tasks, machines, points, network, options)
        if output is not None:
            write_instance(problem, output)
    if output is None:
        sys.stdout.write(instance_text(problem))


def _check_alone(option: str, given: object, fault: str) -> None:
    if given is not None:
        raise InputError(f"{option}: {fault}")


def _with_points(
    tasks: int,
    machines: int | None,
    count: int | None,
    network: str | None,
    options: dict[str, Any],
) -> Problem:
    """An instance, or one on machines with so many operating points."""
    from dsct_gym.generator import generate

    instance = generate(tasks, machines, **options)
    if network is not None:
        return _served(instance, network, count, named=options["devices"] is not None)
    if count is None:
        return instance
    from dsct_gym.points.generator import draw_points, measured_points

    if options["devices"] is not None:
        return measured_points(instance, count)
    return draw_points(instance, count, seed=options["seed"])


def _served(instance: Instance, name: str, count: int | None, *, named: bool) -> Problem:
    """The instance on GPUs that serve a network, with the clocks that its profile tells."""
    from dsct_gym.serving.networks import network
    from dsct_gym.serving.operating import serving_points

    if count is None or not named:
        raise InputError("--network: needs --points and --devices")
    return serving_points(instance, network(name), count)


def _with_arrivals(
    tasks: int,
    machines: int | None,
    arrivals: str,
    tolerance: str | None,
    options: dict[str, Any],
) -> Problem:
    """A problem whose tasks arrive over time."""
    from dsct_gym.benchmark.spec import Spec
    from dsct_gym.online.arrivals import make_arrivals
    from dsct_gym.online.generator import TOLERANCE, generate_online

    named = Spec.parse(arrivals, "arrivals")
    process = make_arrivals(named.name, **named.options)
    latency = TOLERANCE if tolerance is None else _as_tolerance(tolerance)
    return generate_online(tasks, machines, arrivals=process, tolerance=latency, **options)


def _as_tolerance(text: str) -> tuple[float, float]:
    """One number or the two ends of a range."""
    try:
        ends = [float(part) for part in text.split(",")]
        low, high = ends * 2 if len(ends) == 1 else ends
    except ValueError as error:
        raise InputError(f"tolerance: must be LOW,HIGH, got {text!r}") from error
    return low, high
