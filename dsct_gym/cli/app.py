"""Puts the commands together: a command is a file here and its name in `COMMANDS`.

The file holds a function of the same name, whose signature is the command line and whose docstring
is the help, and ``EXAMPLE``, the command lines shown below the help. It imports what is heavy
inside the function.
"""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

COMMANDS = {
    "Problems": ("generate", "orlib", "build", "describe", "devices", "families", "schema"),
    "Schedules": ("solve", "verify", "bound"),
    "Questions": ("sweep", "explain"),
    "Serving": ("profile", "serve"),
    "Policies": ("train", "evaluate"),
    "Benchmarks": (
        "bench",
        "report",
        "reproduce",
        "leaderboard",
        "suites",
        "improve",
        "solvers",
        "warm-up",
    ),
}


def build_app() -> typer.Typer:
    """The command line with all commands."""
    app = typer.Typer(
        name="dsct-gym",
        no_args_is_help=False,
        invoke_without_command=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        callback=root,
        epilog=_examples("dsct-gym solve dc5-ofa60 --solver approx-refined\n\ndsct-gym bench"),
    )
    for panel, names in COMMANDS.items():
        for name in names:
            module = import_module(f"dsct_gym.cli.{name.replace('-', '_')}")
            app.command(name, rich_help_panel=panel, epilog=_examples(module.EXAMPLE))(
                getattr(module, name.replace("-", "_"))
            )
    return app


def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Schedule compressible ML inference under deadlines and one energy budget (DSCT-EA).

    INSTANCE is an instance file or the name of one that ships.
    Exit status: 0 done, 1 negative answer, 2 bad input or usage.
    """
    from dsct_gym.cli.console import out

    if version:
        from importlib.metadata import version as installed

        out().print(f"dsct-gym {installed('dsct-gym')}")
    elif context.invoked_subcommand is None:
        context.get_help()  # with Rich, asking for it prints it


def _examples(lines: str) -> str:
    """An epilog that Typer sets one line below the other."""
    shown = lines.replace("[", r"\[")  # otherwise Rich takes it for markup
    return "\n\n".join(["Example:", *("  " + line for line in shown.splitlines() if line)])
