"""Fit a network to one person's handwriting: retrain its last layer on a few of their digits.

The other layers do not change, so their outputs are computed only once, and fitting takes seconds.
The fitted network reads what that person draws; the run itself does not change.
"""

import copy
import threading
from contextlib import suppress
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from core.config import TrainConfig, config_from
from core.errors import RunError
from core.jobs import limits
from core.my_digits.collection import Collection
from core.my_digits.fitted import NEEDED, missing, path_for
from core.runs import files
from core.runs.person import Person
from core.runs.run import Run
from core.training import checkpoint
from core.training.augmentation import augmented
from core.training.batches import normalize

_COPIES = 100  # of each of the person's digits, each changed a little
_CHANGES = TrainConfig(rotation=8, shear=12, scale=0.1, thickness=0.8)
_KNOWN = 5_000  # training images whose answers should not change
_STEPS, _OWN, _OTHERS = 200, 32, 96  # gradient steps; the person's and other images in each
_RATE = 0.005  # AdamW's learning rate, which falls to 0
_CHUNK = 500  # images at once
_one_at_a_time = threading.Lock()  # fitting uses all cores


def fit(run: Run, digits: Collection, images: NDArray[np.uint8], by: Person) -> None:
    """Fit the run's network to a person's handwriting with `learn`, and save it for them.

    Raises what `learn` raises, CheckpointError, and RunError in a public demo.
    """
    if limits.is_demo():
        raise RunError(
            "The public demo cannot learn your handwriting. Run Digit Lab on your own machine."
        )
    content = learn(run, digits, images)
    path = path_for(run, by)
    with suppress(OSError):  # then `save` fails, and says so
        path.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.save(content, path)


def learn(run: Run, digits: Collection, images: NDArray[np.uint8]) -> checkpoint.Checkpoint:
    """Return the run's best network with its last layer fitted to a person's digits.

    `images (N, 28, 28)` are MNIST's training images. The answers to them should stay the same
    (distillation: Hinton, Vinyals and Dean, 2015), so no labels are needed. Raises RunError if
    digits are missing or the network does not end in a linear layer, and CheckpointError.
    """
    if run.why_sealed:
        raise RunError(run.why_sealed)
    if needed := missing(digits.labels):
        raise RunError(f"{NEEDED} of each digit are needed. Save these too: {needed}.")
    content = checkpoint.load(files.path(run, files.BEST))
    model = checkpoint.network(content).eval()
    if not isinstance(model[-1], nn.Linear):
        raise RunError(f"{run.name} does not end in a linear layer. Choose another run.")
    config = config_from(content["config"])
    own = [augmented(image, _CHANGES, _COPIES, place) for place, image in enumerate(digits.images)]
    chosen = np.random.default_rng(0).permutation(len(images))[:_KNOWN]
    with _one_at_a_time:
        last = _last_layer(
            model,
            _features(model[:-1], torch.tensor(np.concatenate(own)), config),
            torch.tensor(np.repeat(digits.labels, _COPIES)).long(),
            _features(model[:-1], torch.tensor(images[chosen]), config),
        )
    model[-1] = last
    no_state: dict[str, Any] = {"optimizer_state_dict": {}, "scheduler_state_dict": {}}
    content |= {**no_state, "model_state_dict": model.state_dict()}  # type: ignore[typeddict-item]
    content.pop("raw_state_dict", None)
    return content


def _features(body: nn.Sequential, images: Tensor, config: TrainConfig) -> Tensor:
    """Return the last layer's input, `(N, F)`, for `(N, 28, 28)` images."""
    with torch.no_grad():
        return torch.cat([body(normalize(part, config)) for part in torch.split(images, _CHUNK)])


def _last_layer(model: nn.Sequential, own: Tensor, labels: Tensor, known: Tensor) -> nn.Linear:
    """Train the last layer on features `own` with `labels`, and on its own answers to `known`."""
    last: nn.Linear = copy.deepcopy(model[-1])  # type: ignore[assignment]  # checked by the caller
    with torch.no_grad():
        answers = last(known).softmax(dim=1)
    wanted = F.one_hot(labels, 10).float()
    random = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(last.parameters(), _RATE, weight_decay=0)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, _STEPS)
    for _ in range(_STEPS):
        mine = torch.randint(len(own), (_OWN,), generator=random)
        others = torch.randint(len(known), (_OTHERS,), generator=random)
        logits = last(torch.cat([own[mine], known[others]]))
        loss = F.cross_entropy(logits, torch.cat([wanted[mine], answers[others]]))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        falling.step()
    return last
