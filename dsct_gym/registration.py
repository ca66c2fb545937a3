"""Makes the environments known to Gymnasium.

Gymnasium takes a quarter of a second to import, which a command line that plays no episode should
not pay. So ``import dsct_gym`` registers at once where Gymnasium is imported already, and otherwise
as soon as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

ENVIRONMENTS = {
    "DSCT-EA-v0": "Joint",
    "DSCT-EA-Assign-v0": "Assign",
    "DSCT-EA-Continuous-v0": "Continuous",
}


def register_envs() -> None:
    """Registers the environments that are not registered yet."""
    import gymnasium

    for name, mode in ENVIRONMENTS.items():
        if name not in gymnasium.registry:
            gymnasium.register(
                id=name,
                entry_point=f"dsct_gym.envs.single:{mode}Env",
                vector_entry_point=f"dsct_gym.envs.vector:{mode}VectorEnv",
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
