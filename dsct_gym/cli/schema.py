"""``dsct-gym schema``: the file formats for other programs."""

from enum import StrEnum
from typing import Annotated

import typer

from dsct_gym.cli.console import print_json

EXAMPLE = """
dsct-gym schema > instance.schema.json
dsct-gym schema schedule
"""


class FileFormat(StrEnum):
    """The kinds of file."""

    INSTANCE = "instance"
    SCHEDULE = "schedule"
    CERTIFICATE = "certificate"


_FORMATS = {
    FileFormat.INSTANCE: "dsct-ea/1",
    FileFormat.SCHEDULE: "dsct-ea-schedule/1",
    FileFormat.CERTIFICATE: "dsct-ea-certificate/1",
}


def schema(
    file: Annotated[
        FileFormat, typer.Argument(help="Which file's schema.", show_default=True)
    ] = FileFormat.INSTANCE,
) -> None:
    """Print the JSON Schema of a file format."""
    from dsct_gym.loading import schemas

    print_json(schemas()[_FORMATS[file]])
