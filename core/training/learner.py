"""The network that learns, its optimiser and schedule, and the state that a checkpoint keeps."""

import copy

import torch
from torch import Tensor, nn

from core.config import TrainConfig, config_from
from core.errors import CheckpointError
from core.training import networks
from core.training.checkpoint import Checkpoint, is_like, load_weights
from core.training.forming import Moment, packed
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
            load_weights(self.model, start["model_state_dict"])
        self.model.to(place).to(memory_format=torch.channels_last)
        self.reader = copy.deepcopy(self.model) if config.ema else self.model
        self.optimizer = _optimizer(self.model, config)

    def schedule(self, steps_per_epoch: int) -> None:
        """Set the learning rate's course, which depends on the steps in an epoch."""
        self.steps_per_epoch = steps_per_epoch
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

    def moment(self, step: int) -> Moment:
        """Return a packed copy of the weights that read digits."""
        return Moment(step, packed(self.reader))

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to a checkpoint of the same configuration. Raises CheckpointError."""
        if config_from(checkpoint["config"]) != self.config:
            raise CheckpointError(
                "The checkpoint was made with another configuration. "
                "Resume with the run's own, or start a new run."
            )
        load_weights(self.reader, checkpoint["model_state_dict"])
        if self.reader is not self.model:
            load_weights(self.model, checkpoint.get("raw_state_dict"))
        steps = checkpoint["epoch"] * self.steps_per_epoch
        moments = checkpoint["optimizer_state_dict"].get("state")
        step = checkpoint["scheduler_state_dict"].get("last_epoch")
        if not isinstance(step, int) or step != steps or not self._fits(moments):
            raise CheckpointError(f"{_NO_RESUME}: its optimiser is at another step. {_ADVICE}")
        # Everything else in the two dictionaries follows from the configuration and the step.
        rate = self.config.learning_rate * rate_factor(self.config, steps, self.steps_per_epoch)
        course = {"last_epoch": steps, "_step_count": steps + 1, "_last_lr": [rate]}
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        self.optimizer.param_groups[0]["lr"] = rate
        self.scheduler.load_state_dict({**self.scheduler.state_dict(), **course})
        self._restore_randomness(checkpoint["random_state"])

    def _fits(self, moments: object) -> bool:
        """Return whether a checkpoint's optimiser state is of this network and optimiser."""
        names = _MOMENTS[self.config.optimizer]
        if self.config.optimizer == "sgd" and not self.config.momentum:
            names = ()
        parameters = dict(enumerate(self.model.parameters()))
        if not isinstance(moments, dict) or moments.keys() != (
            parameters.keys() if names else set()
        ):
            return False
        step = torch.zeros(())
        return all(
            isinstance(moment, dict)
            and moment.keys() == set(names)
            and all(
                is_like(value, step if name == "step" else parameters[number])
                for name, value in moment.items()
            )
            for number, moment in moments.items()
        )

    def _restore_randomness(self, states: dict[str, Tensor]) -> None:
        """Set the generators; that of a GPU only where the checkpoint and this machine have one."""
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
_MOMENTS = {  # what each optimiser keeps of a parameter, in torch's words
    "sgd": ("momentum_buffer",),
    "adam": ("step", "exp_avg", "exp_avg_sq"),
    "adamw": ("step", "exp_avg", "exp_avg_sq"),
    "adadelta": ("step", "square_avg", "acc_delta"),
}


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
