"""The complete plan, and what can be seen from it.

Tasks are decided one after the other in order of deadline, as in the Assign environment. A plan
(`Plan`, `begin`, `decide`) has the decided ones where they were put, and the rest where DSCT-APPROX
puts them; an optimum for the decided tasks alone would say little, as it leaves no time and no
energy to those still to come. The plan's exact optimum, kept up to date by the incremental kernels,
has prices of energy and of time on every machine (`Prices`). They tell, in O(log n), at most how
much a move or a swap can bring (`screen`); for the few machines that look best the change is
computed exactly. `look` writes it all as the columns `Context` and `Machine`, with what the
fractional relaxation adds: what the machines should share out in the end.
"""

from dsct_gym.plan.changes import screen
from dsct_gym.plan.columns import FINE, LIMIT, Column, Context, Machine
from dsct_gym.plan.options import Options, gain_above, weigh
from dsct_gym.plan.order import ORDERS, check_order, ranks_in
from dsct_gym.plan.outlook import Outlook
from dsct_gym.plan.plan import Loads, Plan, begin, begin_at, change, decide
from dsct_gym.plan.prices import Prices, begin_prices, renew_prices, update_prices
from dsct_gym.plan.view import look

__all__ = [
    "FINE",
    "LIMIT",
    "ORDERS",
    "Column",
    "Context",
    "Loads",
    "Machine",
    "Options",
    "Outlook",
    "Plan",
    "Prices",
    "begin",
    "begin_at",
    "begin_prices",
    "change",
    "check_order",
    "decide",
    "gain_above",
    "look",
    "ranks_in",
    "renew_prices",
    "screen",
    "update_prices",
    "weigh",
]
