"""The networks that are served: AlexNet, VGG-16, GoogLeNet, ResNet-50 and MobileNet-V2."""

from __future__ import annotations

from functools import cache
from typing import Final

from dsct_gym.catalog.tables import find, normalised
from dsct_gym.serving.construction import Construction
from dsct_gym.serving.network import Network

CLASSES: Final = 1000
"""Of ImageNet."""


def _alexnet() -> Network:
    """In one tower: Krizhevsky, "One weird trick", arXiv:1404.5997, as PyTorch builds it."""
    at = Construction()
    at.convolve(64, 11, stride=4, padding=2).pool(3, stride=2)
    at.convolve(192, 5, padding=2).pool(3, stride=2)
    at.convolve(384, 3, padding=1).convolve(256, 3, padding=1)
    at.convolve(256, 3, padding=1).pool(3, stride=2)
    return at.connect(4096).connect(4096).connect(CLASSES).finish("alexnet")


def _vgg16() -> Network:
    """Configuration D of Simonyan and Zisserman, arXiv:1409.1556."""
    at = Construction()
    for channels, repeats in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(repeats):
            at.convolve(channels, 3, padding=1)
        at.pool(2, stride=2)
    return at.connect(4096).connect(4096).connect(CLASSES).finish("vgg16")


INCEPTIONS: Final = {
    "3a": (64, (96, 128), (16, 32), 32),
    "3b": (128, (128, 192), (32, 96), 64),
    "4a": (192, (96, 208), (16, 48), 64),
    "4b": (160, (112, 224), (24, 64), 64),
    "4c": (128, (128, 256), (24, 64), 64),
    "4d": (112, (144, 288), (32, 64), 64),
    "4e": (256, (160, 320), (32, 128), 128),
    "5a": (256, (160, 320), (32, 128), 128),
    "5b": (384, (192, 384), (48, 128), 128),
}
"""Channels of each inception module: 1 x 1, 3 x 3 with its reduction, 5 x 5 likewise, pooling."""


def _googlenet() -> Network:
    """Szegedy et al., arXiv:1409.4842, table 1; without the heads that only training uses."""
    at = Construction()
    at.convolve(64, 7, stride=2, padding=3).pool(3, stride=2, ceiling=True)
    at.convolve(64, 1).convolve(192, 3, padding=1).pool(3, stride=2, ceiling=True)
    for name, (single, (narrow3, wide3), (narrow5, wide5), pooled) in INCEPTIONS.items():
        at.module = f"inception{name}"
        at.branch().convolve(single, 1)
        at.branch().convolve(narrow3, 1).convolve(wide3, 3, padding=1)
        at.branch().convolve(narrow5, 1).convolve(wide5, 5, padding=2)
        at.branch().pool(3, stride=1, padding=1).convolve(pooled, 1)
        at.channels = single + wide3 + wide5 + pooled
        if name in ("3b", "4e"):
            at.pool(3, stride=2, ceiling=True)
    at.module = None
    return at.average().connect(CLASSES).finish("googlenet")


def _resnet50() -> Network:
    """He et al., arXiv:1512.03385, the stride in the 3 x 3 convolution as PyTorch builds it."""
    at = Construction(biased=False)
    at.convolve(64, 7, stride=2, padding=3).pool(3, stride=2, padding=1)
    for stage, (width, repeats) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), start=1):
        for block in range(repeats):
            at.module = f"stage{stage}.{block + 1}"
            stride = 2 if block == 0 and stage > 1 else 1
            shortcut = at.branch()
            at.convolve(width, 1).convolve(width, 3, stride=stride, padding=1)
            at.convolve(4 * width, 1)
            if block == 0:
                shortcut.convolve(4 * width, 1, stride=stride)
            at.add()
    at.module = None
    return at.average().connect(CLASSES).finish("resnet50")


def _mobilenet_v2() -> Network:
    """Sandler et al., arXiv:1801.04381, table 2."""
    at = Construction(biased=False).convolve(32, 3, stride=2, padding=1)
    rows = (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    )
    for stage, (factor, channels, repeats, first) in enumerate(rows, start=1):
        for block in range(repeats):
            at.module = f"block{stage}.{block + 1}"
            before, hidden, stride = at.channels, factor * at.channels, 1 if block else first
            if factor > 1:
                at.convolve(hidden, 1)
            at.convolve(hidden, 3, stride=stride, padding=1, groups=hidden).convolve(channels, 1)
            if stride == 1 and channels == before:
                at.add()
    at.module = None
    return at.convolve(1280, 1).average().connect(CLASSES).finish("mobilenet-v2")


_BUILDERS: Final = {
    "alexnet": _alexnet,
    "vgg16": _vgg16,
    "googlenet": _googlenet,
    "resnet50": _resnet50,
    "mobilenet-v2": _mobilenet_v2,
}

NETWORKS: Final = tuple(_BUILDERS)
"""Their names."""


def network(name: str) -> Network:
    """The network of that name; letter case, hyphens and underscores do not matter.

    Raises:
        InputError: If there is none, with the closest names.
    """
    written = normalised(name).replace("-", "")
    if written in _spelled():
        return _build(_spelled()[written])
    return _build(find("network", name, {each: each for each in NETWORKS}, NETWORKS))


def networks() -> tuple[Network, ...]:
    """All of them."""
    return tuple(map(_build, NETWORKS))


@cache
def _build(name: str) -> Network:
    return _BUILDERS[name]()


@cache
def _spelled() -> dict[str, str]:
    """The names by how they are compared, without hyphens."""
    return {normalised(name).replace("-", ""): name for name in NETWORKS}
