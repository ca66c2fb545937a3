"""Building a network layer by layer while the shape of what flows is kept."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from dsct_gym.serving.network import Layer, Network

PICTURE: Final = (3, 224, 224)
"""Channels, rows and columns of a picture."""


@dataclass
class Construction:
    """A network as far as it is built.

    Attributes:
        channels: Of what the next layer reads.
        rows: Of what the next layer reads.
        columns: Of what the next layer reads.
        biased: Whether convolutions have biases: not where batch normalisation follows.
        module: The module that the next layers are part of; None for none.
        layers: What was built.
    """

    channels: int = PICTURE[0]
    rows: int = PICTURE[1]
    columns: int = PICTURE[2]
    biased: bool = True
    module: str | None = None
    layers: list[Layer] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Numbers of a picture that the next layer reads."""
        return self.channels * self.rows * self.columns

    def branch(self) -> Construction:
        """A second path from here, whose layers join the same network."""
        return replace(self)

    def convolve(
        self, channels: int, kernel: int, *, stride: int = 1, padding: int = 0, groups: int = 1
    ) -> Construction:
        """A convolution with a square kernel; what normalises and activates is fused into it."""
        inputs = self.size
        weights = kernel * kernel * (self.channels // groups) * channels
        self._shrink(kernel, stride, padding)
        self._add(
            Layer(
                name=self._name("conv"),
                kind="convolution",
                multiplications=weights * self.rows * self.columns,
                inputs=inputs,
                outputs=channels * self.rows * self.columns,
                parameters=weights + (channels if self.biased else 0),
                winograd=kernel == 3 and stride == 1 and groups == 1,
                module=self.module,
            )
        )
        self.channels = channels
        return self

    def pool(
        self, kernel: int, *, stride: int, padding: int = 0, ceiling: bool = False
    ) -> Construction:
        """Pooling over squares, of maxima or means; ``ceiling`` keeps squares that stick out."""
        inputs = self.size
        self._shrink(kernel, stride, padding, stride - 1 if ceiling else 0)
        self._add(
            Layer(
                name=self._name("pool"),
                kind="pooling",
                multiplications=kernel * kernel * self.size,
                inputs=inputs,
                outputs=self.size,
                module=self.module,
            )
        )
        return self

    def average(self, rows: int = 1) -> Construction:
        """The mean over squares so that a square of so many rows is left."""
        inputs = self.size
        self.rows = self.columns = rows
        self._add(
            Layer(
                name=self._name("pool"),
                kind="pooling",
                multiplications=inputs,
                inputs=inputs,
                outputs=self.size,
                module=self.module,
            )
        )
        return self

    def add(self) -> Construction:
        """The sum of what flows here and of a shortcut of the same shape."""
        self._add(
            Layer(
                name=self._name("add"),
                kind="addition",
                multiplications=self.size,
                inputs=2 * self.size,
                outputs=self.size,
                module=self.module,
            )
        )
        return self

    def connect(self, outputs: int) -> Construction:
        """A fully connected layer."""
        self._add(
            Layer(
                name=self._name("fc"),
                kind="linear",
                multiplications=self.size * outputs,
                inputs=self.size,
                outputs=outputs,
                parameters=(self.size + 1) * outputs,
                module=self.module,
            )
        )
        self.channels, self.rows, self.columns = outputs, 1, 1
        return self

    def finish(self, name: str) -> Network:
        """The network."""
        return Network(name, tuple(self.layers))

    def _shrink(self, kernel: int, stride: int, padding: int, extra: int = 0) -> None:
        """What is left of rows and columns; pictures are square."""
        self.rows = (self.rows + 2 * padding - kernel + extra) // stride + 1
        self.columns = (self.columns + 2 * padding - kernel + extra) // stride + 1

    def _name(self, kind: str) -> str:
        """The next name of a kind, within its module where it has one."""
        prefix = f"{self.module}." if self.module else ""
        start = f"{prefix}{kind}"
        names = [layer.name for layer in self.layers if layer.module == self.module]
        return f"{start}{1 + sum(name.startswith(start) for name in names)}"

    def _add(self, layer: Layer) -> None:
        self.layers.append(layer)
