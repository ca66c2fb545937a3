"""``dsct-gym devices``: the machines of the catalogue."""

from dataclasses import asdict
from typing import Annotated

import typer

from dsct_gym.cli.arguments import Json
from dsct_gym.cli.console import Heading, print_json, print_table

EXAMPLE = """
dsct-gym devices
dsct-gym devices --family vit
dsct-gym generate --devices T4,A100,H100 -o instance.json
"""


def devices(
    family: Annotated[
        str | None,
        typer.Option(
            "--family", metavar="A[,B,..]", help="Speeds on these families, where measured."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the real devices for --devices, and what their figures are.

    Speeds are predicted from the peak rate, but where rates of the model
    families were measured. --json adds products, sources and the families that
    were measured.
    """
    from dsct_gym.catalog import UTILISATION, measured_speed, prediction_interval, sustained_speed
    from dsct_gym.catalog import devices as catalogue
    from dsct_gym.catalog import family as find_family

    wanted = [] if family is None else [find_family(name).name for name in family.split(",")]
    found = catalogue()
    if json:
        print_json([_described(device.name, wanted) for device in found])
        return
    columns = (
        Heading("device"),
        Heading("kind", priority=3),
        Heading("year", "number", 2),
        Heading("GFLOP/s", "number"),
        Heading("speed is"),
        Heading("GFLOP/J", "number"),
        Heading("W", "number", 1),
        Heading("W is", priority=4),
    )
    rows = [
        (
            device.name,
            device.kind,
            str(device.year),
            f"{sustained_speed(device, wanted):.0f}",
            "predicted" if measured_speed(device.name, wanted) is None else "measured",
            f"{sustained_speed(device, wanted) / device.tdp_watts:.1f}",
            f"{device.tdp_watts:g}",
            device.power_is,
        )
        for device in found
    ]
    low, high = prediction_interval()
    caption = (
        f"predicted: {UTILISATION:.0%} of the FP32 peak; where both are known it is {low:.2f} to"
        f" {high:.2f} of the measured speed. measured: median over networks at a large batch. W:"
        " thermal design power, a limit and not a measurement"
    )
    print_table(columns, rows, caption=caption)


def _described(name: str, wanted: list[str]) -> dict[str, object]:
    """All that is known of a device."""
    from dsct_gym.catalog import (
        device,
        measured_families,
        measured_speed,
        prediction_interval,
        sustained_speed,
    )

    found = device(name)
    predicted = measured_speed(name, wanted) is None
    speed = sustained_speed(found, wanted)
    return {
        **asdict(found),
        "speed": speed,
        "efficiency": speed / found.tdp_watts,
        "speed_is": "predicted" if predicted else "measured",
        "predicted_over_measured": list(prediction_interval()) if predicted else None,
        "power_is": found.power_is,
        "measured_families": measured_families(name),
    }
