"""``dsct-gym families``: the accuracy curves of the catalogue."""

from dataclasses import asdict

from dsct_gym.cli.arguments import Json
from dsct_gym.cli.console import Heading, print_json, print_table

EXAMPLE = """
dsct-gym families
dsct-gym generate --family efficientnet -o instance.json
"""


def families(json: Json = False) -> None:
    """List the real model families for --family.

    --json adds curves, models and sources.
    """
    from dsct_gym.catalog import families as catalogue

    found = catalogue()
    if json:
        print_json(
            [
                {
                    "name": family.name,
                    "title": family.title,
                    "work": family.curve[0].tolist(),
                    "accuracy": family.curve[1].tolist(),
                    "models": [asdict(model) for model in family.models],
                }
                for family in found
            ]
        )
        return
    columns = (
        Heading("family"),
        Heading("what it is", "prose", 3),
        Heading("models", "number", 1),
        Heading("breakpoints", "number", 2),
        Heading("GFLOP/image", "number"),
        Heading("accuracy", "number"),
    )
    rows = [
        (
            family.name,
            family.title,
            str(len(family.models)),
            str(family.curve[0].size),
            f"{family.curve[0][1]:.3g} to {family.curve[0][-1]:.3g}",
            f"{family.curve[1][1]:.3f} to {family.curve[1][-1]:.3f}",
        )
        for family in found
    ]
    caption = "work and accuracy: from the smallest to the largest model on the concave hull"
    print_table(columns, rows, caption=caption)
