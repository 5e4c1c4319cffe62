"""Find the network whose layers fit weights under other names, by order and shape."""

import re
from collections.abc import Iterator, Mapping

from torch import Tensor

from core.config import NETWORKS, TrainConfig
from core.errors import CheckpointError
from core.training import networks

Shapes = dict[str, tuple[int, ...]]  # of one layer's tensors: weight, bias, …
_WRAPPERS = ("module.", "_orig_mod.")  # the prefixes of DataParallel and of torch.compile
_UNUSED = "num_batches_tracked"  # BatchNorm keeps this count, but it has no effect here
_NAMED, _NAME = 5, 60  # most misfits in a message, and most characters of a layer's name in it


def fitted(weights: Mapping[str, Tensor]) -> tuple[TrainConfig, dict[str, Tensor]]:
    """Return a network's configuration, and the weights by its names, in float32.

    Names do not matter: layers of the same shapes are matched in the order of their names, with
    numbers compared as numbers. Raises CheckpointError with the layers and shapes that do not fit.
    """
    theirs = _by_layer(_unwrapped(weights))
    misfits: list[tuple[int, str]] = []
    for config in _candidates(theirs):
        own = networks.build(config).state_dict()
        pairs, ours_left, theirs_left = _paired(_by_layer(own), theirs)
        if not ours_left and not theirs_left:
            return config, _renamed(own, theirs, pairs)
        message = _misfit(config, own, theirs, ours_left, theirs_left)
        misfits.append((len(ours_left) + len(theirs_left), message))
    raise CheckpointError(min(misfits)[1])


def _unwrapped(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights without the prefixes that wrappers add to all names."""
    found = dict(weights)
    for prefix in _WRAPPERS:
        if all(name.startswith(prefix) for name in found):
            found = {name.removeprefix(prefix): value for name, value in found.items()}
    return found


def _by_layer(weights: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Return each layer's tensors, layers in the order of their names."""
    layers: dict[str, dict[str, Tensor]] = {}
    for name in sorted(weights, key=_natural):
        layer, _, part = name.rpartition(".")
        if part != _UNUSED:
            layers.setdefault(layer, {})[part] = weights[name]
    return layers


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a sort key that puts 9 before 10."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    ]


def _candidates(theirs: dict[str, dict[str, Tensor]]) -> Iterator[TrainConfig]:
    """Yield a configuration for each network; `quick_cnn` gets the width of their first layer."""
    first = next((one["weight"] for one in theirs.values() if "weight" in one), None)
    width = len(first) if first is not None and first.ndim == 4 else 16
    for network in NETWORKS:
        wide = {"width": width} if network == "quick_cnn" and 4 <= width <= 64 else {}
        yield TrainConfig().changed({"network": network} | wide)


def _shapes(layer: dict[str, Tensor]) -> Shapes:
    return {part: tuple(value.shape) for part, value in layer.items()}


def _paired(
    ours: dict[str, dict[str, Tensor]], theirs: dict[str, dict[str, Tensor]]
) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    """Return pairs of our and their layers of the same shapes, and the unpaired layers of each."""
    left, pairs, missing = list(theirs), [], []
    for name, layer in ours.items():
        same = next((one for one in left if _shapes(theirs[one]) == _shapes(layer)), None)
        if same is None:
            missing.append(name)
        else:
            left.remove(same)
            pairs.append((name, same))
    return pairs, missing, left


def _renamed(
    own: dict[str, Tensor], theirs: dict[str, dict[str, Tensor]], pairs: list[tuple[str, str]]
) -> dict[str, Tensor]:
    found = {
        f"{ours}.{part}": value.detach().float().clone()
        for ours, other in pairs
        for part, value in theirs[other].items()
    }
    return {name: found.get(name, value) for name, value in own.items()}


def _misfit(
    config: TrainConfig,
    own: dict[str, Tensor],
    theirs: dict[str, dict[str, Tensor]],
    ours_left: list[str],
    theirs_left: list[str],
) -> str:
    """Return a message about the layers that do not fit this network."""
    ours = _by_layer(own)
    misfits = []
    for at in range(max(len(ours_left), len(theirs_left))):
        wanted = _in_words(ours[ours_left[at]]) if at < len(ours_left) else "no such layer"
        if at < len(theirs_left):
            name = theirs_left[at][:_NAME] or "(without a name)"
            misfits.append(
                f"{name} has {_in_words(theirs[theirs_left[at]])}, where it has {wanted}"
            )
        else:
            misfits.append(f"a layer with {wanted} is missing")
    more = f"; and {len(misfits) - _NAMED} more" if len(misfits) > _NAMED else ""
    return (
        "These weights fit none of the networks here. The nearest, by its layers, is "
        f"{config.network}: {'; '.join(misfits[:_NAMED])}{more}. "
        f"Networks here: {', '.join(NETWORKS)}. Export a network with other layers as ONNX."
    )


def _in_words(layer: dict[str, Tensor]) -> str:
    parts = sorted(_shapes(layer).items(), key=lambda one: one[0] != "weight")
    return ", ".join(f"{part} {' × '.join(map(str, shape)) or 1}" for part, shape in parts)
