"""Real model families: what accuracy an image costs how much work."""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from dsct_gym.accuracy import concave_hull
from dsct_gym.arrays import Floats
from dsct_gym.catalog.sources import Source, sources
from dsct_gym.catalog.tables import by_name, find, read_table

CHANCE_ACCURACY: Final = 0.001
"""Top-1 accuracy of a random guess among the 1000 classes of ImageNet."""

_GFLOP_PER_GMAC = 2.0


@dataclass(frozen=True)
class Model:
    """One network of a family at one input resolution.

    Attributes:
        name: Its name in the source.
        resolution: Width and height of its input, pixels; None where the source is silent.
        work: Work per image, GFLOP (two per multiply-accumulate).
        accuracy: ImageNet-1k top-1 accuracy, in [0, 1].
        source: Where the figures come from.
    """

    name: str
    resolution: int | None
    work: float
    accuracy: float
    source: Source


@dataclass(frozen=True)
class ModelFamily:
    """Networks among which a request chooses how much work to spend.

    Attributes:
        name: Short unique key, such as ``ofa-resnet50``.
        title: Full name.
        models: All its networks, by work.
    """

    name: str
    title: str
    models: tuple[Model, ...]

    @cached_property
    def curve(self) -> tuple[Floats, Floats]:
        """Breakpoints of the family's accuracy curve: work (GFLOP per image) and accuracy.

        The concave hull of its networks from chance accuracy without work. A point between two
        networks is what a request of many images reaches that serves a share of them with each.
        """
        work, accuracy = concave_hull(
            [0.0, *(model.work for model in self.models)],
            [CHANCE_ACCURACY, *(model.accuracy for model in self.models)],
        )
        work.setflags(write=False)
        accuracy.setflags(write=False)
        return work, accuracy


@cache
def families() -> tuple[ModelFamily, ...]:
    """All model families of the catalogue."""
    networks: dict[str, list[Model]] = {}
    for row in read_table("models"):
        networks.setdefault(row["family"], []).append(_model(row))
    return tuple(
        ModelFamily(
            name=row["name"],
            title=row["title"],
            models=tuple(sorted(networks[row["name"]], key=lambda model: model.work)),
        )
        for row in read_table("families")
    )


def family(name: str) -> ModelFamily:
    """The model family of that name; letter case, spaces and underscores do not matter.

    Raises:
        InputError: If there is none, with the closest names.
    """
    return find("family", name, _by_name(), (entry.name for entry in families()))


@cache
def _by_name() -> dict[str, ModelFamily]:
    return by_name((entry.name, entry) for entry in families())


def _model(row: dict[str, str]) -> Model:
    # The source prints GMAC and percent in decimals: 12 digits undo what doubling and dividing add.
    return Model(
        name=row["model"],
        resolution=int(row["resolution"]) if row["resolution"] else None,
        work=float(f"{_GFLOP_PER_GMAC * float(row['gmacs']):.12g}"),
        accuracy=float(f"{float(row['top1_percent']) / 100.0:.12g}"),
        source=sources()[row["source"]],
    )
