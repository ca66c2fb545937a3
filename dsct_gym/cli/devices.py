"""``dsct-gym devices``: the machines of the catalogue."""

from dataclasses import asdict

from dsct_gym.cli.arguments import Json
from dsct_gym.cli.console import Heading, print_json, print_table

EXAMPLE = """
dsct-gym devices
dsct-gym generate --devices T4,A100,H100 -o instance.json
"""


def devices(json: Json = False) -> None:
    """List the real devices for --devices.

    --json adds their products and sources.
    """
    from dsct_gym.catalog import UTILISATION
    from dsct_gym.catalog import devices as catalogue

    found = catalogue()
    if json:
        print_json(
            [
                {**asdict(device), "speed": device.speed, "efficiency": device.efficiency}
                for device in found
            ]
        )
        return
    columns = (
        Heading("device"),
        Heading("kind", priority=3),
        Heading("year", "number", 2),
        Heading("GFLOP/s", "number"),
        Heading("GFLOP/J", "number"),
        Heading("W", "number", 1),
    )
    rows = [
        (
            device.name,
            device.kind,
            str(device.year),
            f"{device.speed:.0f}",
            f"{device.efficiency:.1f}",
            f"{device.tdp_watts:g}",
        )
        for device in found
    ]
    caption = f"speeds are {UTILISATION:.0%} of the FP32 peak, what inference reaches in practice"
    print_table(columns, rows, caption=caption)
