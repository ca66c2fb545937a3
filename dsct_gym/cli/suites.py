"""``dsct-gym suites``: the benchmark suites and what is known of them."""

from dsct_gym.cli.arguments import Json
from dsct_gym.cli.console import Heading, print_json, print_table

EXAMPLE = """
dsct-gym suites
dsct-gym bench --suite small --solvers approx-refined,greedy
"""


def suites(json: Json = False) -> None:
    """List the benchmark suites.

    --json adds each instance with its best-known value and proven bound.
    """
    from dsct_gym.gaps import PROVEN
    from dsct_gym.suites.suite import load_suite
    from dsct_gym.suites.suite import suites as names

    loaded = [load_suite(name) for name in names()]
    if json:
        print_json(
            [
                {
                    "name": suite.name,
                    "description": suite.description,
                    "instances": [
                        {
                            "name": known.instance.name,
                            "tasks": known.instance.core.num_tasks,
                            "machines": known.instance.core.num_machines,
                            "total_accuracy": known.total_accuracy,
                            "mean_accuracy": known.mean_accuracy,
                            "found_by": known.found_by,
                            "upper_bound": known.upper_bound,
                            "bound_by": known.bound_by,
                            "gap": known.gap,
                        }
                        for known in suite.references
                    ],
                }
                for suite in loaded
            ]
        )
        return
    columns = (
        Heading("suite"),
        Heading("what it holds", "prose", 2),
        Heading("instances", "number"),
        Heading("proven optimal", "number"),
        Heading("mean gap", "number", 1),
    )
    rows = [
        (
            suite.name,
            suite.description,
            str(len(suite)),
            str(sum(known.proven for known in suite.references)),
            f"{sum(known.gap for known in suite.references) / len(suite):.4%}",
        )
        for suite in loaded
    ]
    caption = f"gap: best known to proven bound; at most {PROVEN:g} counts as proven"
    print_table(columns, rows, caption=caption)
