"""The optimizers: torch's own functions, applied to all of a network's weights as one tensor.

The classes of `torch.optim` call these functions too. They are not used, because creating one loads
torch's compiler, which takes 150 MB and a second, and their bookkeeping took a tenth of a step of
`fast_990`.
"""

from typing import Any

import torch
from torch import Tensor
from torch.optim.adadelta import adadelta
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from core.config import TrainConfig
from core.training import muon
from core.training.checkpoint import is_like
from core.training.flat import Flat

_MOMENTS = {  # the state that each optimizer keeps, by its names in torch's state dictionaries
    "sgd": ("momentum_buffer",),
    "adam": ("step", "exp_avg", "exp_avg_sq"),
    "adamw": ("step", "exp_avg", "exp_avg_sq"),
    "adadelta": ("step", "square_avg", "acc_delta"),
    "muon": ("momentum_buffer", "step", "exp_avg", "exp_avg_sq"),
}


class Optimizer:
    """A configuration's optimizer, with its state."""

    def __init__(self, config: TrainConfig, weights: Flat) -> None:
        self.config, self.weights = config, weights
        names = _MOMENTS[config.optimizer]
        if config.optimizer == "sgd" and not config.momentum:
            names = ()
        like = weights.trained
        self.moments = {
            name: torch.zeros((), device=like.device) if name == "step" else torch.zeros_like(like)
            for name in names
        }
        layers = [number for number, one in enumerate(weights.parameters) if one.ndim > 1]
        # Muon changes all layers but the last, and AdamW the last, biases and normalizations.
        self.matrices = layers[:-1] if config.optimizer == "muon" else []
        self.others = [n for n in range(len(weights.parameters)) if n not in self.matrices]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Update the weights by their gradients, with the learning rate `rate`."""
        config, moments = self.config, [[moment] for moment in self.moments.values()]
        given: Any = {"lr": rate, "weight_decay": config.weight_decay, "maximize": False}
        weights, gradients = [self.weights.trained], [self.weights.take_gradients()]
        match config.optimizer:
            case "sgd":
                buffers: list[Tensor | None] = [self.moments.get("momentum_buffer")]
                given |= {"momentum": config.momentum, "dampening": 0.0, "nesterov": False}
                sgd(weights, gradients, buffers, fused=True, **given)
            case "adadelta":
                step, squares, deltas = moments
                adadelta(weights, gradients, squares, deltas, step, rho=0.9, eps=1e-6, **given)
            case "muon":
                self._muon(gradients[0], rate, given)
            case _:
                step, means, squares = moments
                adam(weights, gradients, means, squares, [], step, **self._adam(), **given)

    def _adam(self) -> dict[str, Any]:
        """Return the arguments of Adam, and of AdamW, beside those that all optimizers take."""
        return {
            "beta1": 0.9,
            "beta2": self.config.beta2,
            "eps": 1e-8,
            "amsgrad": False,
            "decoupled_weight_decay": self.config.optimizer != "adam",
            "fused": True,
        }

    def _muon(self, gradient: Tensor, rate: float, given: dict[str, Any]) -> None:
        """Update `matrices` by Muon, and the other weights by AdamW."""
        moments = self.moments
        momenta = self._parts(moments["momentum_buffer"])
        rows = self.weights.trained, gradient, moments["exp_avg"], moments["exp_avg_sq"]
        parts = [self.weights.by_parameter(row) for row in rows]
        for number in self.matrices:
            layer = parts[0][number], parts[1][number], momenta[number]
            muon.update(*layer, rate, self.config)
        weights, gradients, means, squares = ([each[n] for n in self.others] for each in parts)
        steps = [moments["step"].clone() for _ in self.others]  # Adam counts each of them
        adam(weights, gradients, means, squares, [], steps, **self._adam(), **given)
        self.moments["step"] = steps[0]

    def state(self) -> dict[int, dict[str, Tensor]]:
        """Return a copy of the state by parameter, in the form of torch's state dictionaries."""
        parts = {name: self._parts(moment) for name, moment in self.moments.items()}
        return {
            number: {
                name: views[number].clone()
                for name, views in parts.items()
                if not self.matrices or (name == "momentum_buffer") == (number in self.matrices)
            }
            for number in range(len(self.weights.parameters) if parts else 0)
        }

    def fits(self, state: object) -> bool:
        """Return whether a checkpoint's state belongs to this optimizer and network."""
        own = self.state()
        return (
            isinstance(state, dict)
            and state.keys() == own.keys()
            and all(
                isinstance(state[number], dict)
                and state[number].keys() == kept.keys()
                and all(is_like(state[number][name], value) for name, value in kept.items())
                for number, kept in own.items()
            )
        )

    def restore(self, state: Any) -> None:
        """Restore a state that `fits`."""
        for name, moment in self.moments.items():
            for number, part in enumerate(self._parts(moment)):
                if name in state[number]:
                    part.copy_(state[number][name])

    def _parts(self, moment: Tensor) -> list[Tensor]:
        """Return a moment's view for each parameter; all parameters share the step count."""
        if moment.dim():
            return self.weights.by_parameter(moment)
        return [moment] * len(self.weights.parameters)
