"""Networks against what was published of them and against PyTorch's own counting."""

import pytest

from dsct_gym.errors import InputError
from dsct_gym.serving.networks import NETWORKS, network, networks

# Multiply-adds in millions, and weights and biases without those of batch normalisation
# (ResNet-50: 25,557,032 - 53,120; MobileNet-V2: 3,504,872 - 34,112), as torchvision's documentation
# and, for GoogLeNet with its 5 x 5 convolutions, the BVLC model of Caffe give them.
PUBLISHED = {
    "alexnet": (714, 61_100_840),
    "vgg16": (15_470, 138_357_544),
    "googlenet": (1_583, 6_998_552),
    "resnet50": (4_089, 25_503_912),
    "mobilenet-v2": (301, 3_470_760),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_totals_are_the_published_ones(name):
    millions, parameters = PUBLISHED[name]
    assert network(name).gflop / 2.0 * 1000.0 == pytest.approx(millions, abs=0.6)
    assert network(name).parameters == parameters


@pytest.mark.parametrize("name", NETWORKS)
def test_totals_are_those_that_torch_counts(name):
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    import torch_networks

    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        module = getattr(torch_networks, name.replace("-", "_"))().eval()
        module(torch.empty(1, 3, 224, 224))
    assert network(name).gflop * 1e9 == pytest.approx(counter.get_total_flops(), rel=1e-12)


def test_a_layer_by_hand():
    first, pool = network("resnet50").layers[:2]
    assert (first.inputs, first.outputs) == (3 * 224 * 224, 64 * 112 * 112)
    assert first.parameters == 7 * 7 * 3 * 64
    assert first.flop == 2 * 7 * 7 * 3 * 64 * 112 * 112
    assert (first.winograd, pool.weighted) == (False, False)
    assert pool.outputs == 64 * 56 * 56
    assert pool.flop == 9 * 64 * 56 * 56
    assert pool.moved == 4 * (64 * 112 * 112 + 64 * 56 * 56)


# A chain: each layer with weights. Modules: 9 inceptions, 16 and 17 residual blocks, and what lies
# outside of them (convolutions before and behind, the classifier).
UNITS = {
    "alexnet": 5 + 3,
    "vgg16": 13 + 3,
    "googlenet": 3 + 9 + 1,
    "resnet50": 1 + 16 + 1,
    "mobilenet-v2": 1 + 17 + 2,
}


@pytest.mark.parametrize("found", networks(), ids=lambda found: found.name)
def test_units_part_the_layers(found):
    assert len(found.units) == UNITS[found.name]
    for units in ("units", "network", "layers"):
        parts = found.parts(units)
        assert [place for part in parts for place in part] == list(range(len(found.layers)))
        names = [*found.names(units)]
        assert len(set(names)) == len(names) == len(parts)
    for unit in found.units:
        assert len({found.layers[place].module for place in unit} - {None}) <= 1
        assert any(found.layers[place].weighted for place in unit)


@pytest.mark.parametrize("spelled", ["ResNet50", "resnet-50", "RESNET_50"])
def test_names_are_found_as_people_write_them(spelled):
    assert network(spelled).name == "resnet50"


def test_an_unknown_network_is_refused_with_those_meant():
    with pytest.raises(InputError, match=r"^no network 'resnet5'; did you mean resnet50"):
        network("resnet5")
