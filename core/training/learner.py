"""The network in training, its optimizer and schedule, and the state for checkpoints."""

import copy

import torch
from torch import Tensor, nn

from core.config import TrainConfig, config_from
from core.errors import CheckpointError
from core.training import networks
from core.training.checkpoint import Checkpoint, load_weights
from core.training.flat import Flat
from core.training.forming import Moment, packed
from core.training.hardness import Hardness
from core.training.optimizer import Optimizer
from core.training.schedule import rate_factor


class Learner:
    """A network with its optimizer, its learning-rate schedule and its random generator.

    `model` is trained; `reader` reads digits: the same network, or the running mean of its weights.
    """

    def __init__(self, config: TrainConfig, place: torch.device, start: Checkpoint | None) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.generator = torch.Generator().manual_seed(config.seed)
        self.model = networks.build(config)
        if start:
            load_weights(self.model, start["model_state_dict"])
        self.model.to(place).to(memory_format=torch.channels_last)
        self.reader = copy.deepcopy(self.model) if config.ema else self.model
        self.weights = Flat(self.model)
        self.mean_weights = Flat(self.reader) if config.ema else self.weights
        self.optimizer = Optimizer(config, self.weights)
        self.hardness: Hardness | None = None

    def schedule(self, steps_per_epoch: int) -> None:
        """Set the number of steps in an epoch, on which the learning rate depends."""
        self.steps, self.steps_per_epoch = 0, steps_per_epoch

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        factor = rate_factor(self.config, self.steps, self.steps_per_epoch)
        return self.config.learning_rate * factor

    def step(self, loss: Tensor) -> None:
        """Learn from the loss of one batch."""
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
        self.optimizer.step(self.rate)
        self.steps += 1
        if self.reader is not self.model:
            average(self.mean_weights, self.weights, self.config.ema, self.steps)

    def checkpoint(
        self, epoch: int, best_epoch: int, best_accuracy: float, seconds: float
    ) -> Checkpoint:
        """Return a copy of the whole state, which later steps do not change."""
        random_state = {"torch": torch.get_rng_state(), "batches": self.generator.get_state()}
        if torch.cuda.is_available():
            random_state["cuda"] = torch.cuda.get_rng_state()
        content = Checkpoint(
            config=self.config.to_dict(),
            epoch=epoch,
            best_epoch=best_epoch,
            best_accuracy=best_accuracy,
            train_seconds=seconds,
            model_state_dict=_copied(self.reader),
            optimizer_state_dict={"state": self.optimizer.state()},
            scheduler_state_dict={"last_epoch": self.steps},
            random_state=random_state,
        )
        if self.reader is not self.model:
            content["raw_state_dict"] = _copied(self.model)
        if self.hardness:
            content["hardness"] = self.hardness.counts.clone()
        return content

    def moment(self, step: int) -> Moment:
        """Return a packed copy of the weights that read digits."""
        return Moment(step, packed(self.reader))

    def restore(self, checkpoint: Checkpoint) -> None:
        """Restore a checkpoint of the same configuration. Raises CheckpointError."""
        if config_from(checkpoint["config"]) != self.config:
            raise CheckpointError(
                "The checkpoint was made with another configuration. "
                "Resume with the run's own, or start a new run."
            )
        load_weights(self.reader, checkpoint["model_state_dict"])
        if self.reader is not self.model:
            load_weights(self.model, checkpoint.get("raw_state_dict"))
        if self.hardness:
            self.hardness.restore(checkpoint.get("hardness"), checkpoint["epoch"])
        steps = checkpoint["epoch"] * self.steps_per_epoch
        moments = checkpoint["optimizer_state_dict"].get("state")
        step = checkpoint["scheduler_state_dict"].get("last_epoch")
        if not isinstance(step, int) or step != steps or not self.optimizer.fits(moments):
            raise CheckpointError(f"{_NO_RESUME}: its optimizer is at another step. {_ADVICE}")
        self.optimizer.restore(moments)
        self.steps = steps
        self._restore_randomness(checkpoint["random_state"])

    def _restore_randomness(self, states: dict[str, Tensor]) -> None:
        """Restore the random generators; a GPU's only if checkpoint and machine both have one."""
        try:
            torch.set_rng_state(states["torch"])
            self.generator.set_state(states["batches"])
            if "cuda" in states and torch.cuda.is_available():
                torch.cuda.set_rng_state(states["cuda"])
        except (KeyError, RuntimeError, TypeError, AttributeError) as error:
            raise CheckpointError(
                f"{_NO_RESUME}: its random numbers are damaged. {_ADVICE}"
            ) from error


_NO_RESUME, _ADVICE = "The checkpoint cannot be resumed", "Start a new run."


def _copied(model: nn.Module) -> dict[str, Tensor]:
    """Return copies of a network's tensors by name."""
    return {name: value.clone() for name, value in model.state_dict().items()}


@torch.no_grad()
def average(mean: Flat, model: Flat, decay: float, step: int) -> None:
    """Move `mean`'s weights and running statistics towards `model`'s after a step, counted from 1.

    The first steps have more weight, so that the initial weights are soon forgotten: the decay is
    at most (1 + step) / (10 + step), as in TensorFlow's ExponentialMovingAverage.
    """
    share = 1 - min(decay, (1 + step) / (10 + step))
    mean.values.lerp_(model.values, share)
    for old, new in zip(mean.counts, model.counts, strict=True):
        old.copy_(new)
