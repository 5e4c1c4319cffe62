"""The network that learns, its optimiser and schedule, and the state that a checkpoint keeps."""

import copy

import torch
from torch import Tensor, nn

from core.config import TrainConfig, config_from
from core.errors import CheckpointError
from core.training import networks
from core.training.checkpoint import Checkpoint, load_weights
from core.training.schedule import rate_factor


class Learner:
    """A network with its optimiser, its learning-rate schedule and its source of randomness.

    `model` learns; `reader` reads digits: the same network, or the running mean of its weights.
    """

    def __init__(self, config: TrainConfig, place: torch.device, start: Checkpoint | None) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.generator = torch.Generator().manual_seed(config.seed)
        self.model = networks.build(config)
        if start:
            load_weights(self.model, start)
        self.model.to(place).to(memory_format=torch.channels_last)
        self.reader = copy.deepcopy(self.model) if config.ema else self.model
        self.optimizer = _optimizer(self.model, config)

    def schedule(self, steps_per_epoch: int) -> None:
        """Set the learning rate's course, which depends on the steps in an epoch."""
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: rate_factor(self.config, step, steps_per_epoch)
        )

    def step(self, loss: Tensor) -> None:
        """Learn from the loss of one batch."""
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
        self.optimizer.step()
        self.scheduler.step()
        if self.reader is not self.model:
            average(self.reader, self.model, self.config.ema, self.scheduler.last_epoch)

    def checkpoint(
        self, epoch: int, best_epoch: int, best_accuracy: float, seconds: float
    ) -> Checkpoint:
        """Return a deep copy of the whole state, which later steps cannot change."""
        random_state = {"torch": torch.get_rng_state(), "batches": self.generator.get_state()}
        if torch.cuda.is_available():
            random_state["cuda"] = torch.cuda.get_rng_state()
        content = Checkpoint(
            config=self.config.to_dict(),
            epoch=epoch,
            best_epoch=best_epoch,
            best_accuracy=best_accuracy,
            train_seconds=seconds,
            model_state_dict=self.reader.state_dict(),
            optimizer_state_dict=self.optimizer.state_dict(),
            scheduler_state_dict=self.scheduler.state_dict(),
            random_state=random_state,
        )
        if self.reader is not self.model:
            content["raw_state_dict"] = self.model.state_dict()
        return copy.deepcopy(content)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to a checkpoint of the same configuration. Raises CheckpointError."""
        if config_from(checkpoint["config"]) != self.config:
            raise CheckpointError(
                "The checkpoint was made with another configuration. "
                "Resume with the run's own, or start a new run."
            )
        load_weights(self.reader, checkpoint)
        try:
            if self.reader is not self.model:
                self.model.load_state_dict(checkpoint["raw_state_dict"])
            self.optimizer.load_state_dict(checkpoint["optimizer_state_dict"])
            self.scheduler.load_state_dict(checkpoint["scheduler_state_dict"])
            torch.set_rng_state(checkpoint["random_state"]["torch"])
            self.generator.set_state(checkpoint["random_state"]["batches"])
            if torch.cuda.is_available():
                torch.cuda.set_rng_state(checkpoint["random_state"]["cuda"])
        except (KeyError, ValueError, RuntimeError, TypeError) as error:
            raise CheckpointError(
                f"The checkpoint cannot be resumed: {error}. Start a new run."
            ) from error


@torch.no_grad()
def average(mean: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """Move `mean`'s weights and running statistics towards `model`'s, after a step, from 1.

    The first steps count for more, so that the initial weights are soon forgotten: decay is at most
    (1 + step) / (10 + step), as TensorFlow's ExponentialMovingAverage has it.
    """
    share = 1 - min(decay, (1 + step) / (10 + step))
    for old, new in zip(mean.state_dict().values(), model.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, share)
        else:
            old.copy_(new)


def _optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    parameters, rate, decay = model.parameters(), config.learning_rate, config.weight_decay
    betas = (0.9, config.beta2)
    match config.optimizer:
        case "sgd":
            return torch.optim.SGD(
                parameters, rate, config.momentum, weight_decay=decay, fused=True
            )
        case "adam":
            return torch.optim.Adam(parameters, rate, betas, weight_decay=decay, fused=True)
        case "adamw":
            return torch.optim.AdamW(parameters, rate, betas, weight_decay=decay, fused=True)
        case _:
            return torch.optim.Adadelta(parameters, rate, weight_decay=decay)
