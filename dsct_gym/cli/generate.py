"""``dsct-gym generate``: a random instance."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsct_gym.cli.arguments import check_writable
from dsct_gym.cli.console import err
from dsct_gym.errors import InputError

if TYPE_CHECKING:
    from dsct_gym.instance import Instance
    from dsct_gym.problem import Problem

EXAMPLE = """
dsct-gym generate -n 100 -m 5 --rho 0.35 --beta 0.5 -o instance.json
dsct-gym generate --devices T4,V100 --family ofa-resnet50 -o real.json
dsct-gym generate --devices V100,A40 --points 6 -o clocks.json
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
    network: Annotated[
        str | None,
        typer.Option(
            "--network",
            metavar="NAME",
            help="With --points and --devices: points of a GPU that serves it.",
            show_default="those of arithmetic as measured",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="TEXT", help="Name of the instance.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Instance file.", show_default="stdout"
        ),
    ] = None,
) -> None:
    """Generate a random instance.

    The same options give the same bytes on every machine.

    Without --devices and --family, machines and accuracy curves are random.
    """
    from dsct_gym.files import instance_text, write_instance
    from dsct_gym.generator import generate

    check_writable("--output", output)
    with err().status(f"generating {tasks} tasks"):
        instance = generate(
            tasks,
            machines,
            mu=mu,
            rho=rho,
            beta=beta,
            segments=segments,
            seed=seed,
            devices=devices,
            family=family,
            name=name,
        )
        if network is not None:
            problem: Problem = _served(instance, network, points, named=devices is not None)
        else:
            problem = _with_points(instance, points, seed=seed, measured=devices is not None)
        if output is not None:
            write_instance(problem, output)
    if output is None:
        sys.stdout.write(instance_text(problem))


def _with_points(instance: Instance, count: int | None, *, seed: int, measured: bool) -> Problem:
    """The instance itself, or on machines with so many operating points."""
    if count is None:
        return instance
    from dsct_gym.points.generator import draw_points, measured_points

    return measured_points(instance, count) if measured else draw_points(instance, count, seed=seed)


def _served(instance: Instance, network: str, count: int | None, *, named: bool) -> Problem:
    """The instance on GPUs that serve a network, with the clocks that its profile tells."""
    from dsct_gym.serving.networks import network as find
    from dsct_gym.serving.operating import serving_points

    if count is None or not named:
        raise InputError("--network: needs --points and --devices")
    return serving_points(instance, find(network), count)
