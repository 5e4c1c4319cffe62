"""The training loop, on the 5,000 sample digits."""

import copy
import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from core.config import TrainConfig
from core.data import mnist
from core.data.digits import Digits
from core.data.splits import split_for
from core.errors import CheckpointError, ConfigError, DeviceError
from core.recipes import RECIPES
from core.training.checkpoint import Checkpoint
from core.training.events import Ended, Epoch, Event, Started, Step
from core.training.flat import Flat
from core.training.learner import Learner, average
from core.training.loop import train

SMALL = TrainConfig(
    network="mlp", epochs=3, batch_size=64, train_size=600, validation_size=200, dropout=0.3,
    shift=1, rotation=5, schedule="cosine", precision="float32",
)  # fmt: skip


@pytest.fixture(scope="module")
def digits() -> Digits:
    """Return the sample."""
    return mnist.load("sample")


def epochs(events: Iterator[Event]) -> list[Epoch]:
    """Drain a training; return its epochs."""
    return [event for event in events if isinstance(event, Epoch)]


def weights(checkpoint: Checkpoint) -> list[torch.Tensor]:
    """Return a checkpoint's weights in order."""
    return list(checkpoint["model_state_dict"].values())


@pytest.mark.slow
def test_default_recipe_learns_the_sample(digits: Digits) -> None:
    """The app's default network passes 95 % of the sample's validation digits."""
    config = RECIPES["fast_cnn"].config.changed({"epochs": 10, "batch_size": 64})
    best = max(event.validation_accuracy for event in epochs(train(config, digits)))
    assert best >= 0.95


def test_events_come_in_order_and_add_up(digits: Digits) -> None:
    """A Started, then Steps up to the last, an Epoch after each epoch's, one Ended at the end."""
    events = list(train(SMALL, digits))
    started, *between, ended = events
    assert isinstance(started, Started) and isinstance(ended, Ended)
    assert (started.steps, started.steps_per_epoch) == (30, 10)
    assert ended == Ended("finished", "")
    steps = [event.step for event in between if isinstance(event, Step)]
    assert steps == sorted(set(steps)) and steps[0] == 1 and steps[-1] == 30
    assert [event.epoch for event in epochs(iter(between))] == [1, 2, 3]


def test_images_left_out_are_not_learned_from(digits: Digits) -> None:
    """Of 600 images 100 are left out: fewer steps, the same validation images, other weights."""
    split = split_for(digits, SMALL.validation_size, SMALL.train_size, SMALL.seed)
    one = SMALL.changed({"epochs": 1})
    started, *_, last, _ = train(one, digits, left_out=split.train[:100])
    assert isinstance(started, Started) and isinstance(last, Epoch)
    assert started.steps_per_epoch == 8  # 500 images by 64
    assert last.probabilities.shape == (len(split.validation), 10)


def test_epoch_reports_what_its_probabilities_say(digits: Digits) -> None:
    """Validation accuracy and loss are those of the probabilities that come with it."""
    split = split_for(digits, SMALL.validation_size, SMALL.train_size, SMALL.seed)
    labels = digits.train_labels[split.validation]
    event = epochs(train(SMALL, digits))[0]
    assert event.probabilities.shape == (200, 10)
    assert event.validation_accuracy == np.mean(event.probabilities.argmax(1) == labels)
    true = event.probabilities[np.arange(200), labels]
    assert event.validation_loss == pytest.approx(-np.log(true).mean(), rel=1e-5)


def test_same_seed_same_numbers(digits: Digits) -> None:
    """Two runs of one configuration end in the same weights; another seed does not."""
    first, second = (epochs(train(SMALL, digits))[-1] for _ in range(2))
    other = epochs(train(SMALL.changed({"seed": 1}), digits))[-1]
    assert all(map(torch.equal, weights(first.checkpoint), weights(second.checkpoint)))
    assert not all(map(torch.equal, weights(first.checkpoint), weights(other.checkpoint)))


def test_resumed_run_ends_in_the_same_numbers(digits: Digits) -> None:
    """Stopping after an epoch and going on, dropout and augmentation included, changes nothing."""
    whole = epochs(train(SMALL, digits))
    rest = epochs(train(SMALL, digits, resume=whole[0].checkpoint))
    assert [event.epoch for event in rest] == [2, 3]
    assert rest[-1].validation_loss == whole[-1].validation_loss
    assert all(map(torch.equal, weights(whole[-1].checkpoint), weights(rest[-1].checkpoint)))
    assert rest[-1].total_seconds > rest[-1].seconds


def test_run_with_averaged_weights_resumes_to_the_same_numbers(digits: Digits) -> None:
    """The weights that are trained, and their running mean, which reads, both continue."""
    config = SMALL.changed({"ema": 0.9})
    whole = epochs(train(config, digits))
    rest = epochs(train(config, digits, resume=whole[0].checkpoint))
    assert rest[-1].validation_loss == whole[-1].validation_loss
    for kind in ("model_state_dict", "raw_state_dict"):
        ends = [list(event.checkpoint[kind].values()) for event in (whole[-1], rest[-1])]  # type: ignore[literal-required]
        assert all(map(torch.equal, *ends))
    raw = list(whole[-1].checkpoint["raw_state_dict"].values())
    assert not all(map(torch.equal, weights(whole[-1].checkpoint), raw))


def test_averaged_weights_equal_a_slow_reference() -> None:
    """The mean is the sum of all weights so far, each with its share written out."""
    torch.manual_seed(0)
    decay, model = 0.8, nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    mean = copy.deepcopy(model)
    flat_mean, flat_model = Flat(mean), Flat(model)
    kept = [min(decay, (1 + step) / (10 + step)) for step in range(1, 31)]
    history = [[value.double() for value in model.state_dict().values()]]
    for step in range(1, 31):
        model.load_state_dict({k: v + torch.rand(v.shape) for k, v in model.state_dict().items()})
        history.append([value.double() for value in model.state_dict().values()])
        average(flat_mean, flat_model, decay, step)
    shares = [math.prod(kept)]
    shares += [(1 - kept[i]) * math.prod(kept[i + 1 :]) for i in range(30)]
    assert sum(shares) == pytest.approx(1)
    *averages, batches = mean.state_dict().values()
    for position, value in enumerate(averages):
        slow = sum(share * values[position] for share, values in zip(shares, history, strict=True))
        torch.testing.assert_close(value.double(), slow, rtol=1e-5, atol=1e-6)
    assert batches == history[-1][-1]  # a count has no mean


def test_small_images_come_first(digits: Digits) -> None:
    """The network sees 14×14 in the first share of the steps, 28×28 in the others and to read."""
    config = SMALL.changed({"network": "fast_cnn", "small_share": 0.5, "epochs": 2})
    sizes = []

    def note(_: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        sizes.append((*inputs[0].shape[1:], torch.is_inference_mode_enabled()))

    with nn.modules.module.register_module_forward_pre_hook(note):  # type: ignore[no-untyped-call]
        list(train(config, digits))
    seen = [size for size in sizes if size[0] == 1 and len(size) == 4]
    small, large, reading = (1, 14, 14, False), (1, 28, 28, False), (1, 28, 28, True)
    kept = [size for i, size in enumerate(seen) if i == 0 or size != seen[i - 1]]
    assert kept == [small, reading, large, reading]
    assert {seen.count(small), seen.count(large)} == {20}  # 10 steps, for the network and a layer


def test_resume_refuses_another_configuration(digits: Digits) -> None:
    """A checkpoint can be resumed only with its own settings."""
    checkpoint = epochs(train(SMALL, digits))[0].checkpoint
    with pytest.raises(CheckpointError, match="another configuration"):
        list(train(SMALL.changed({"batch_size": 32}), digits, resume=checkpoint))


def test_checkpoint_is_a_copy(digits: Digits) -> None:
    """An epoch's checkpoint keeps that epoch's weights while training goes on."""
    first, *_, last = epochs(train(SMALL, digits))
    assert not all(map(torch.equal, weights(first.checkpoint), weights(last.checkpoint)))
    assert (first.checkpoint["epoch"], last.checkpoint["epoch"]) == (1, 3)


def test_stop_is_asked_after_every_step(digits: Digits) -> None:
    """The loop ends at the first step after the request, with a reason that names the epoch."""
    asked = iter([False] * 12 + [True])
    events = list(train(SMALL, digits, should_stop=lambda: next(asked)))
    assert events[-1] == Ended("stopped", "in epoch 2 of 3")
    assert len(epochs(iter(events))) == 1


def test_divergence_names_step_and_learning_rate(digits: Digits) -> None:
    """A loss that is no longer finite ends the run, and says where and at what rate."""
    # Such a decay at such a rate multiplies every weight by -9 at each step.
    config = SMALL.changed(
        {"network": "digit_cnn", "optimizer": "sgd", "learning_rate": 10, "weight_decay": 1}
    ).changed({"schedule": "constant", "epochs": 10})
    ended = list(train(config, digits))[-1]
    assert isinstance(ended, Ended) and ended.state == "diverged"
    assert "step" in ended.reason and "learning rate of 10" in ended.reason


def test_patience_ends_a_run_that_no_longer_improves(digits: Digits) -> None:
    """With a patience of 1, the first epoch with a lower accuracy is the last."""
    config = SMALL.changed({"epochs": 50, "patience": 1, "schedule": "constant"})
    *_, last, ended = list(train(config, digits))
    assert isinstance(last, Epoch) and isinstance(ended, Ended)
    assert ended.state == "finished" and "below the best for an epoch" in ended.reason
    assert last.epoch == last.checkpoint["best_epoch"] + 1 < 50


def test_best_epoch_is_the_last_of_the_highest_validation_accuracy(digits: Digits) -> None:
    """`is_best` and the checkpoints' best epoch follow the validation accuracy."""
    # So slow that the accuracy stays the same from epoch to epoch: there are equals.
    slow = {"epochs": 6, "schedule": "constant", "learning_rate": 1e-6, "optimizer": "sgd"}
    for changes in ({"epochs": 6, "schedule": "constant"}, slow):
        run = epochs(train(SMALL.changed(changes), digits))
        accuracies = [event.validation_accuracy for event in run]
        last = len(accuracies) - accuracies[::-1].index(max(accuracies))
        assert run[-1].checkpoint["best_epoch"] == last
        assert [event.is_best for event in run] == [
            accuracy >= max(accuracies[:i], default=0) for i, accuracy in enumerate(accuracies)
        ]
    assert len(set(accuracies)) < 6


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "adadelta"])
def test_every_optimizer_lowers_the_loss(digits: Digits, optimizer: str) -> None:
    """Three short epochs with each are enough to learn something."""
    rate = {"adadelta": 1.0, "sgd": 0.05}.get(optimizer, 0.003)
    run = epochs(train(SMALL.changed({"optimizer": optimizer, "learning_rate": rate}), digits))
    assert run[-1].validation_loss < 0.8 * math.log(10)


def test_missing_device_is_named(digits: Digits) -> None:
    """If a requested GPU is missing, the message says which devices there are."""
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(DeviceError, match="device cuda is not available: this machine has cpu"):
        next(iter(train(SMALL.changed({"device": "cuda"}), digits)))


def test_cuda_trains_too(digits: Digits) -> None:
    """The same configuration runs on an NVIDIA GPU unchanged."""
    if not torch.cuda.is_available():
        pytest.skip("this machine has no CUDA device")
    run = epochs(train(SMALL.changed({"device": "cuda"}), digits))
    assert run[-1].validation_loss < math.log(10)


@pytest.mark.parametrize("network", ["mlp", "fast_cnn", "strong_cnn"])
@pytest.mark.parametrize(("count", "batch_size"), [(2, 256), (3, 2), (9, 4), (9, 9), (12, 256)])
def test_a_handful_of_images_is_enough_to_train(
    digits: Digits, network: str, count: int, batch_size: int
) -> None:
    """Less than a batch, a last batch of one, missing digits, ten validation images: all work."""
    config = SMALL.changed(
        {"network": network, "train_size": count, "batch_size": batch_size, "epochs": 2}
    ).changed({"validation_size": 10, "schedule": "one_cycle"})
    *_, last, ended = list(train(config, digits))
    assert isinstance(last, Epoch) and isinstance(ended, Ended)
    assert ended.state == "finished"
    assert last.probabilities.shape == (10, 10)


def test_one_image_is_too_few(digits: Digits) -> None:
    """A batch of one has no deviation to normalize by; a data set of three has no validation."""
    with pytest.raises(ConfigError, match=r"leave 1 images .* set train_size to 0"):
        list(train(SMALL.changed({"train_size": 1}), digits))
    for count in range(5):
        parts = (digits.train_images[:count], digits.train_labels[:count])
        tiny = Digits("sample", *parts, digits.test_images, digits.test_labels)
        if count < 4:
            with pytest.raises(ConfigError, match="At least 2 and 1 are needed"):
                list(train(SMALL.changed({"train_size": 0}), tiny))
        else:
            assert len(epochs(train(SMALL.changed({"train_size": 0}), tiny))) == 3


def test_run_goes_on_where_there_is_a_gpu_and_where_there_is_none(
    digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint without a GPU's state is resumed beside a GPU, and one with it without any.

    The GPU's functions are replaced, for the machine that runs this may have none.
    """
    checkpoint, restored = epochs(train(SMALL, digits))[0].checkpoint, []
    learner = Learner(SMALL, torch.device("cpu"), None)
    learner.schedule(10)
    monkeypatch.setattr(torch.cuda, "set_rng_state", restored.append)
    for is_there in (False, True):
        monkeypatch.setattr(torch.cuda, "is_available", lambda is_there=is_there: is_there)
        checkpoint["random_state"].pop("cuda", None)
        learner.restore(checkpoint)
        assert restored == []
        checkpoint["random_state"]["cuda"] = torch.zeros(16, dtype=torch.uint8)
        learner.restore(checkpoint)
    assert restored == [checkpoint["random_state"]["cuda"]]
