"""The table of environments, and what makes them known to Gymnasium.

Gymnasium takes a quarter of a second to import, which a command line that plays no episode should
not pay. So ``import dsct_gym`` registers at once where Gymnasium is imported already, and otherwise
as soon as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final, Literal, NamedTuple


class Environment(NamedTuple):
    """What all others have to know of an environment; its module says the rest.

    Attributes:
        module: Module below `dsct_gym.envs`: one for each id.
        stem: What the names of its classes begin with: ``JointEnv``, ``JointVectorEnv`` and
            ``JointEpisodes``, for example.
        actions: What kind of actions it takes.
        works: Whether actions choose the work of a task or it is the exact optimum for the
            machines chosen.
        knows: What its problems may need beyond DSCT-EA (see `dsct_gym.problem`).
    """

    module: str
    stem: str
    actions: Literal["discrete", "continuous"]
    works: Literal["chosen", "optimal"]
    knows: frozenset[str] = frozenset()

    @property
    def single(self) -> str:
        """Entry point of the environment that plays one episode at a time."""
        return f"dsct_gym.envs.{self.module}:{self.stem}Env"

    @property
    def batched(self) -> str:
        """Entry point of the one that plays many side by side."""
        return f"dsct_gym.envs.{self.module}:{self.stem}VectorEnv"

    @property
    def episodes(self) -> str:
        """Entry point of the episodes that both play."""
        return f"dsct_gym.envs.{self.module}:{self.stem}Episodes"


ENVIRONMENTS: Final[Mapping[str, Environment]] = {
    "DSCT-EA-v0": Environment(module="joint", stem="Joint", actions="discrete", works="chosen"),
    "DSCT-EA-Assign-v0": Environment(
        module="assign",
        stem="Assign",
        actions="discrete",
        works="optimal",
        knows=frozenset({"points"}),
    ),
    "DSCT-EA-Continuous-v0": Environment(
        module="continuous", stem="Continuous", actions="continuous", works="chosen"
    ),
    "DSCT-EA-Plan-v0": Environment(module="plan", stem="Plan", actions="discrete", works="optimal"),
    "DSCT-EA-Online-v0": Environment(
        module="online",
        stem="Online",
        actions="discrete",
        works="chosen",
        knows=frozenset({"arrivals"}),
    ),
    "DSCT-EA-Queue-v0": Environment(
        module="queue",
        stem="Queue",
        actions="discrete",
        works="chosen",
        knows=frozenset({"arrivals"}),
    ),
    "DSCT-EA-Soft-v0": Environment(
        module="soft",
        stem="Soft",
        actions="discrete",
        works="chosen",
        knows=frozenset({"soft"}),
    ),
}
"""Every id that the package has."""


SERVICE: Final = "DSCT-EA-Service-v0"
"""The environment of `dsct_gym.serving`: its episodes are no instances, so it is not in the table
above, whose ids all solve problems."""


def register_envs() -> None:
    """Registers the environments that are not registered yet."""
    import gymnasium

    for name, environment in ENVIRONMENTS.items():
        if name not in gymnasium.registry:
            gymnasium.register(
                id=name,
                entry_point=environment.single,
                vector_entry_point=environment.batched,
            )
    if SERVICE not in gymnasium.registry:
        gymnasium.register(
            id=SERVICE,
            entry_point="dsct_gym.envs.service:ServiceEnv",
            vector_entry_point="dsct_gym.envs.service:ServiceVectorEnv",
        )


def register_when_imported() -> None:
    """Registers the environments now, or when Gymnasium is imported."""
    if hasattr(sys.modules.get("gymnasium"), "register"):
        register_envs()
    elif not any(isinstance(finder, _Watch) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Watch())


class _Watch(MetaPathFinder):
    """Waits for the import of Gymnasium, lets it happen, and registers."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The specification of Gymnasium with the registration added to its loading."""
        if fullname != "gymnasium":
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def load_and_register(module: ModuleType) -> None:
            load(module)
            sys.meta_path.remove(self)
            register_envs()

        spec.loader.exec_module = load_and_register  # type: ignore[method-assign]
        return spec
