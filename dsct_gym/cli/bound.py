"""``dsct-gym bound``: what no schedule can exceed."""

from dsct_gym.cli.arguments import InstanceArgument, Json, load_instance
from dsct_gym.cli.console import err, print_fields, print_json

EXAMPLE = """
dsct-gym bound dc5-ofa60
dsct-gym bound instance.json --json
"""


def bound(instance: InstanceArgument, json: Json = False) -> None:
    """Print the upper bound on the accuracy.

    It is that of the fractional relaxation, where a task may be split over machines. The price of
    energy is what one more joule would earn in it.
    """
    from dsct_gym.relaxation import relax

    problem = load_instance(instance)
    with err().status("solving the fractional relaxation"):
        relaxation = relax(problem)
    mean = relaxation.bound / problem.num_tasks
    if json:
        print_json(
            {
                "instance": problem.name,
                "method": "fractional",
                "total_accuracy": relaxation.bound,
                "mean_accuracy": mean,
                "energy_price": relaxation.energy_price,
            }
        )
        return
    print_fields(
        f"{problem.name or instance}: fractional upper bound",
        {
            "mean accuracy": f"{mean:.6f}",
            "total accuracy": f"{relaxation.bound:.6f}",
            "price of energy": f"{relaxation.energy_price:.3g} accuracy per J",
        },
    )
