"""The networks that are served, written once more as modules of PyTorch."""

import torch
from torch import nn


def conv(before, after, kernel, stride=1, padding=0, groups=1):
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )


def alexnet():
    relu, pool = nn.ReLU, lambda: nn.MaxPool2d(3, 2)
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 11, 4, 2), relu(), pool(), nn.Conv2d(64, 192, 5, 1, 2), relu(), pool()),
        *(nn.Conv2d(192, 384, 3, 1, 1), relu(), nn.Conv2d(384, 256, 3, 1, 1), relu()),
        *(nn.Conv2d(256, 256, 3, 1, 1), relu(), pool(), nn.Flatten()),
        *(nn.Linear(9216, 4096), nn.Linear(4096, 4096), nn.Linear(4096, 1000)),
    )


def vgg16():
    parts, before = [], 3
    for letter in (64, 64, "M", 128, 128, "M", *[256] * 3, "M", *[512] * 3, "M", *[512] * 3, "M"):
        if letter == "M":
            parts.append(nn.MaxPool2d(2, 2))
        else:
            parts.append(nn.Conv2d(before, letter, 3, 1, 1))
            before = letter
    parts += [nn.Flatten(), nn.Linear(25088, 4096), nn.Linear(4096, 4096), nn.Linear(4096, 1000)]
    return nn.Sequential(*parts)


class Inception(nn.Module):
    def __init__(self, before, single, narrow3, wide3, narrow5, wide5, pooled):
        super().__init__()
        self.paths = nn.ModuleList(
            [
                nn.Conv2d(before, single, 1),
                nn.Sequential(nn.Conv2d(before, narrow3, 1), nn.Conv2d(narrow3, wide3, 3, 1, 1)),
                nn.Sequential(nn.Conv2d(before, narrow5, 1), nn.Conv2d(narrow5, wide5, 5, 1, 2)),
                nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(before, pooled, 1)),
            ]
        )

    def forward(self, x):
        return torch.cat([path(x) for path in self.paths], 1)


def googlenet():
    def pool():
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    return nn.Sequential(
        *(nn.Conv2d(3, 64, 7, 2, 3), pool(), nn.Conv2d(64, 64, 1), nn.Conv2d(64, 192, 3, 1, 1)),
        *(pool(), Inception(192, 64, 96, 128, 16, 32, 32)),
        *(Inception(256, 128, 128, 192, 32, 96, 64), pool()),
        Inception(480, 192, 96, 208, 16, 48, 64),
        Inception(512, 160, 112, 224, 24, 64, 64),
        Inception(512, 128, 128, 256, 24, 64, 64),
        Inception(512, 112, 144, 288, 32, 64, 64),
        *(Inception(528, 256, 160, 320, 32, 128, 128), pool()),
        Inception(832, 256, 160, 320, 32, 128, 128),
        Inception(832, 384, 192, 384, 48, 128, 128),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1024, 1000)),
    )


class Residual(nn.Module):
    def __init__(self, path, shortcut):
        super().__init__()
        self.path, self.shortcut = path, shortcut

    def forward(self, x):
        return self.path(x) + self.shortcut(x)


def resnet50():
    parts, before = [conv(3, 64, 7, 2, 3), nn.MaxPool2d(3, 2, 1)], 64
    for width, repeats, first in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(repeats):
            stride = 1 if block else first
            path = [conv(before, width, 1), conv(width, width, 3, stride, 1)]
            shortcut = nn.Identity() if block else conv(before, 4 * width, 1, stride)
            parts.append(Residual(nn.Sequential(*path, conv(width, 4 * width, 1)), shortcut))
            before = 4 * width
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 1000))


def mobilenet_v2():
    parts, before = [conv(3, 32, 3, 2, 1)], 32
    for factor, after, repeats, first in (
        *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
        *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
    ):
        for block in range(repeats):
            stride, hidden = (1 if block else first), factor * before
            path = [conv(before, hidden, 1)] if factor > 1 else []
            path += [conv(hidden, hidden, 3, stride, 1, hidden), conv(hidden, after, 1)]
            whole = nn.Sequential(*path)
            parts.append(
                Residual(whole, nn.Identity()) if stride == 1 and after == before else whole
            )
            before = after
    head = [conv(320, 1280, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000)]
    return nn.Sequential(*parts, *head)
