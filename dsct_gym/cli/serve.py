"""``dsct-gym serve``: requests batched and run on one GPU by an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dsct_gym.cli.arguments import Json, Seed
from dsct_gym.cli.console import print_fields, print_json, progress_bar
from dsct_gym.errors import InputError

if TYPE_CHECKING:
    from dsct_gym.serving.agent import Agent, Situation
    from dsct_gym.serving.outcome import Outcome
    from dsct_gym.serving.requests import Streams
    from dsct_gym.serving.table import Table

EXAMPLE = """
dsct-gym serve --gpu V100 --network resnet50 --agent eali --load 0.5
dsct-gym serve --gpu M40 --network vgg16 --agent static --rate 100 --slo 0.08
dsct-gym serve --load 0.5 --arrivals 'bursty[factor=4]' --switch-latency 0.001 --json
"""

MOST_REQUESTS = 10_000_000
LARGEST_BATCH = 64
LARGEST = 1e6


def serve(
    gpu: Annotated[
        str, typer.Option("--gpu", metavar="NAME", help="V100, V100-SXM2 or M40.")
    ] = "V100",
    network: Annotated[
        str,
        typer.Option(
            "--network",
            metavar="NAME",
            help="alexnet, vgg16, googlenet, resnet50 or mobilenet-v2.",
        ),
    ] = "resnet50",
    agent: Annotated[
        str,
        typer.Option("--agent", metavar="NAME", help="Any of docs/serving.md: eali, static, ..."),
    ] = "eali",
    rate: Annotated[
        float | None, typer.Option("--rate", metavar="R", help="Mean requests a second.")
    ] = None,
    load: Annotated[
        float | None,
        typer.Option(
            "--load",
            metavar="SHARE",
            help="In place of a rate: share of the highest Poisson rate that the best batch at "
            "the highest clock sustains.",
        ),
    ] = None,
    trace: Annotated[
        str | None,
        typer.Option(
            "--trace",
            metavar="FILE",
            help="Arrivals as recorded: the first fifth for the agent to try rules on, then "
            "what is served; with a rate or load, a stretch of it in that.",
        ),
    ] = None,
    arrivals: Annotated[
        str,
        typer.Option(
            "--arrivals", metavar="NAME", help="poisson, bursty, diurnal, azure-conv, ..."
        ),
    ] = "poisson",
    slo: Annotated[
        float | None,
        typer.Option(
            "--slo",
            metavar="S",
            help="What a request should take at most, s.",
            show_default="6 times that of one alone at the highest clock",
        ),
    ] = None,
    requests: Annotated[
        int,
        typer.Option("--requests", metavar="N", min=2, max=MOST_REQUESTS, help="About how many."),
    ] = 100_000,
    switch_latency: Annotated[
        float,
        typer.Option(
            "--switch-latency", metavar="S", help="From commanding a clock to its effect, s."
        ),
    ] = 0.01,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Serve requests on a GPU and tell latency and energy.

    Requests wait, are batched and run layer unit by layer unit, each at a clock;
    the agent decides, for the least energy with at most 1 % of the requests later
    than the objective. Violations are the share that is later, switches the number
    of changes of the clock, energies J a request, with and without standing idle.
    What it knows before are arrivals of an earlier time and what a predictor says
    of the network, never the truth that is simulated.
    """
    from dsct_gym.benchmark.spec import Spec
    from dsct_gym.serving.agent import Situation, make_agent
    from dsct_gym.serving.gpu import gpu as find_gpu
    from dsct_gym.serving.networks import network as find_network
    from dsct_gym.serving.prediction import predicted_table
    from dsct_gym.serving.profile import serving_clocks, table_of
    from dsct_gym.serving.table import batch_time

    named = Spec.parse(agent, "agent")
    chosen = make_agent(named.name, **named.options)
    late = _checked("switch-latency", switch_latency, least=0.0)
    card, served = find_gpu(gpu), find_network(network)
    clocks = serving_clocks(card)
    truth = table_of(card, served, LARGEST_BATCH, clocks)
    known = predicted_table(card, served, LARGEST_BATCH, clocks)
    alone = float(batch_time(truth)[0, -1])
    objective = 6.0 * alone if slo is None else _checked("slo", slo)
    asked = _rate(truth, objective, rate, load, trace)
    streams = _streams(trace, arrivals, asked, requests, seed or 0)
    situation = Situation(known, objective, streams.sample, late)
    outcome = _run(chosen, named.label, situation, truth, streams)
    _tell(f"{network} on {gpu}: {named.label}", objective, streams, outcome, json=json)


def _checked(option: str, value: float, least: float = 1e-9) -> float:
    """The value of an option.

    Raises:
        InputError: If it is out of range, naming the option.
    """
    if not least <= value <= LARGEST:
        wanted = "at least 0" if least == 0.0 else "positive"
        raise InputError(f"{option}: must be {wanted} and at most {LARGEST:g}, got {value:g}")
    return value


def _rate(
    truth: Table, objective: float, rate: float | None, load: float | None, trace: str | None
) -> float | None:
    """Mean rate of the requests; None for that of a trace."""
    from dsct_gym.serving.load import highest_rate

    if rate is not None and load is not None:
        raise InputError("load: a rate is given as well; give one of them")
    if rate is not None:
        return _checked("rate", rate)
    if load is None:
        if trace is not None:
            return None
        raise InputError("rate: needs one of --rate, --load and --trace")
    most = highest_rate(truth, objective)
    if most <= 0.0:
        raise InputError(f"slo: {objective:g} s is less than one request takes")
    return _checked("load", load) * most


def _streams(
    trace: str | None, arrivals: str, rate: float | None, requests: int, seed: int
) -> Streams:
    """What is served, and what agents may know before."""
    from dsct_gym.benchmark.spec import Spec
    from dsct_gym.online.arrivals import Replay, make_arrivals, read_trace
    from dsct_gym.serving.requests import draw_streams, recorded_streams

    if trace is not None:
        recorded = read_trace(trace)
        if rate is not None:
            return draw_streams(recorded, rate, requests, seed)
        if not isinstance(recorded, Replay):
            raise InputError("trace: holds rates, not times: needs --rate or --load")
        return recorded_streams(recorded, requests)
    named = Spec.parse(arrivals, "arrivals")
    assert rate is not None
    return draw_streams(make_arrivals(named.name, **named.options), rate, requests, seed)


def _run(agent: Agent, label: str, situation: Situation, truth: Table, streams: Streams) -> Outcome:
    """Serves, with a bar."""
    with progress_bar() as bar:
        task = bar.add_task(label, total=1.0, state="trying rules")

        def tell(share: float) -> None:
            bar.update(task, completed=share, state="")

        return agent.serve(situation, truth, streams.arrivals, tell)


def _tell(title: str, objective: float, streams: Streams, outcome: Outcome, *, json: bool) -> None:
    """Prints what came of it."""
    found = outcome.summary()
    rate = streams.arrivals.size / float(streams.arrivals[-1])
    if json:
        print_json({"rate": rate, "slo": objective, "requests": outcome.requests, **found})
        return
    print_fields(
        title,
        {
            "requests": f"{outcome.requests} at {rate:.4g} a second",
            "latency": f"mean {1e3 * found['mean_latency']:.4g} ms, "
            f"half within {1e3 * found['p50']:.4g}, 99 % within {1e3 * found['p99']:.4g}",
            "objective": f"{1e3 * objective:.4g} ms, {found['violations']:.2%} later",
            "energy": f"{1e3 * found['energy_per_request']:.4g} mJ a request, "
            f"{1e3 * found['busy_energy_per_request']:.4g} of it running",
            "throughput": f"{found['throughput']:.4g} a second",
            "mean batch": f"{found['mean_batch']:.3g}",
            "switches": f"{found['switches']}, {found['switches'] / outcome.seconds:.3g} a second",
        },
    )
