"""``dsct-gym profile``: what a network costs on a GPU, by batch and clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dsct_gym.cli.arguments import Json
from dsct_gym.cli.console import Heading, print_json, print_table
from dsct_gym.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dsct_gym.serving.profile import Row

EXAMPLE = """
dsct-gym profile --gpu V100 --network resnet50
dsct-gym profile --gpu M40 --network vgg16 --batch 1,16 --clock 785,975,1114
dsct-gym profile --gpu V100-SXM2 --network alexnet --batch 8 --layers --json
"""

BATCHES = "1,2,4,8,16,32,64"


def profile(
    gpu: Annotated[str, typer.Option("--gpu", metavar="NAME", help="V100, V100-SXM2 or M40.")],
    network: Annotated[
        str,
        typer.Option(
            "--network",
            metavar="NAME",
            help="alexnet, vgg16, googlenet, resnet50 or mobilenet-v2.",
        ),
    ],
    batch: Annotated[
        str, typer.Option("--batch", metavar="B,..", help="Pictures in a batch.")
    ] = BATCHES,
    clock: Annotated[
        str | None,
        typer.Option(
            "--clock",
            metavar="MHZ,..",
            help="Core clocks.",
            show_default="the highest that the power cap allows",
        ),
    ] = None,
    layers: Annotated[
        bool, typer.Option("--layers", help="Also tell what each layer costs.")
    ] = False,
    json: Json = False,
) -> None:
    """Print time, power and energy of a network on a GPU.

    Figures are those of a model that is fitted to published measurements;
    docs/serving.md tells how far it is off.
    """
    from dsct_gym.serving import gpu as gpus
    from dsct_gym.serving import networks
    from dsct_gym.serving.profile import rows

    card, served = gpus.gpu(gpu), networks.network(network)
    batches = [int(each) for each in _numbers("batch", batch, int)]
    clocks = None if clock is None else _numbers("clock", clock, float)
    whole = rows(card, served, batches, clocks)
    parts = rows(card, served, batches, clocks, "layers") if layers else []
    if json:
        document = {
            "gpu": card.name,
            "network": served.name,
            "rows": [_document(row, "") for row in whole],
        }
        if layers:
            document["layers"] = [_document(row, "layer") for row in parts]
        print_json(document)
        return
    _print_networks(f"{served.name} on {card.title}", whole)
    if layers:
        _print_layers(parts)


def _numbers(option: str, text: str, kind: type[int] | type[float]) -> list[float]:
    """Numbers between commas, each once.

    Raises:
        InputError: Naming the option, if one is none.
    """
    try:
        return list(dict.fromkeys(kind(each) for each in text.split(",")))
    except ValueError:
        wanted = "whole numbers" if kind is int else "numbers"
        raise InputError(f"{option}: needs {wanted} between commas, got {text!r}") from None


def _document(row: Row, part: str) -> dict[str, object]:
    """A row for a program, with the name of its part under a key where it has one."""
    figures = {key: value for key, value in row._asdict().items() if key != "part"}
    return {part: row.part, **figures} if part else figures


def _print_networks(title: str, found: Sequence[Row]) -> None:
    """A table of whole batches."""
    columns = (*_COLUMNS, Heading("images/s", "number", 1), Heading("mJ/image", "number", 1))
    rates = ((f"{x.batch / x.time:.0f}", f"{1e3 * x.energy / x.batch:.4g}") for x in found)
    cells = [[*_cells(row), *rate] for row, rate in zip(found, rates, strict=True)]
    print_table(columns, cells, title=title, caption=_caption(found))


def _print_layers(found: Sequence[Row]) -> None:
    """A table of layers."""
    cells = [[row.part, *_cells(row)] for row in found]
    print_table((Heading("layer"), *_COLUMNS), cells, title="its layers", caption=_caption(found))


_COLUMNS = tuple(Heading(text, "number") for text in ("batch", "MHz", "ms", "W", "J"))


def _cells(row: Row) -> list[str]:
    """Cells of the `_COLUMNS`."""
    held = "*" if row.runs_at < row.clock else ""
    figures = (f"{1e3 * row.time:.4g}", f"{row.power:.1f}", f"{row.energy:.4g}")
    return [str(row.batch), f"{row.clock:g}{held}", *figures]


def _caption(found: Sequence[Row]) -> str | None:
    held = any(row.runs_at < row.clock for row in found)
    return "* held below that clock by the power cap" if held else None
