"""Local search over assignments on the exact incremental allocation.

`Search` is a walk driven from Python, for whoever wants to improve an assignment: agents and their
training use it too. `Walk`, `begin_walk` and `step_walk` are what it is made of, for callers that
keep the state themselves. `OrderSearch` walks over orders of tasks that arrive as well. `cool`
leads a walk from hot to cold, by a `Clock`; a `Run` says how long. `descend` improves a plan for as
long as single changes do; `descended` is an assignment that has been, to search from,
and `completed` one that was given.
"""

from dsct_gym.baselines.local_search.cooling import Clock, Cooled, cool
from dsct_gym.baselines.local_search.descent import descend
from dsct_gym.baselines.local_search.metropolis import Walk, begin_walk, step_walk
from dsct_gym.baselines.local_search.order_search import OrderSearch
from dsct_gym.baselines.local_search.run import Run, as_moves
from dsct_gym.baselines.local_search.search import Search
from dsct_gym.baselines.local_search.start import Start, completed, descended

__all__ = [
    "Clock",
    "Cooled",
    "OrderSearch",
    "Run",
    "Search",
    "Start",
    "Walk",
    "as_moves",
    "begin_walk",
    "completed",
    "cool",
    "descend",
    "descended",
    "step_walk",
]
