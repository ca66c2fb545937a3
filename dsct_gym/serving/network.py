"""Convolutional networks as the layers that a GPU runs, and the units whose clocks are set.

Layers are counted by construction from the published architectures, for one picture of
224 x 224 x 3 in 32-bit floats: no weights and no deep learning library are needed. Batch
normalisation and activations are fused into the convolution before them, as inference engines do.

What is combined into a unit follows the rule that the abstract and a public summary of EALI give
(Yao et al., Neurocomputing 507, 2022): in networks that are a chain a convolution with what lies
around it, in networks of modules a module with what lies around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, TypeAlias

BYTES: Final = 4
"""Of a number."""

Kind: TypeAlias = Literal["convolution", "linear", "pooling", "addition"]
Units: TypeAlias = Literal["units", "network", "layers"]


@dataclass(frozen=True)
class Layer:
    """What one layer takes; counts are of one picture.

    Attributes:
        name: Its name in the network.
        kind: What it computes.
        multiplications: Multiply-add operations; of pooling and addition, operations.
        inputs: Numbers read that depend on the picture.
        outputs: Numbers written.
        parameters: Weights and biases, read once a batch.
        winograd: Whether Winograd's algorithm fits: 3 x 3, stride 1, not depthwise.
        module: The module that it is part of; None outside of all.
    """

    name: str
    kind: Kind
    multiplications: int
    inputs: int
    outputs: int
    parameters: int = 0
    winograd: bool = False
    module: str | None = None

    @property
    def flop(self) -> int:
        """Floating-point operations a picture: a multiply-add is two."""
        return self.multiplications * (2 if self.weighted else 1)

    @property
    def weighted(self) -> bool:
        """Whether it has weights: the layers whose operations are counted in publications."""
        return self.kind in ("convolution", "linear")

    @property
    def moved(self) -> int:
        """Bytes a picture that are read and written, weights apart."""
        return BYTES * (self.inputs + self.outputs)


@dataclass(frozen=True)
class Network:
    """A network as the sequence of its layers.

    Attributes:
        name: As on the command line.
        layers: In the order in which they run.
    """

    name: str
    layers: tuple[Layer, ...]

    @property
    def gflop(self) -> float:
        """GFLOP a picture of the layers that have weights, as publications count."""
        return sum(layer.flop for layer in self.layers if layer.weighted) / 1e9

    @property
    def parameters(self) -> int:
        """Weights and biases, those of batch normalisation apart: they are fused."""
        return sum(layer.parameters for layer in self.layers)

    @cached_property
    def units(self) -> tuple[tuple[int, ...], ...]:
        """Places of the layers of each unit.

        A module begins a unit, and so does each layer with weights outside of modules; what has
        none and lies between them goes with what it follows.
        """
        units: list[list[int]] = []
        before: str | None = None
        for place, layer in enumerate(self.layers):
            entered = layer.module is not None and layer.module != before
            if not units or entered or (layer.module is None and layer.weighted):
                units.append([])
            units[-1].append(place)
            before = layer.module
        return tuple(map(tuple, units))

    def parts(self, units: Units) -> tuple[tuple[int, ...], ...]:
        """Places of the layers of each part whose clock is set by itself.

        Args:
            units: ``"units"``, the whole ``"network"`` as one, or each of the ``"layers"``.
        """
        if units == "units":
            return self.units
        every = range(len(self.layers))
        return (tuple(every),) if units == "network" else tuple((place,) for place in every)

    def names(self, units: Units) -> Iterator[str]:
        """A name for each of the `parts`: that of its module or of its first layer."""
        for part in self.parts(units):
            first = self.layers[part[0]]
            if units == "network":
                yield self.name
            else:
                yield first.module if units == "units" and first.module else first.name
