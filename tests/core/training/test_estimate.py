"""The measurement from which a run's time is estimated."""

import pytest
from torch import Tensor, nn

from core.config import TrainConfig
from core.training import estimate, networks


def test_large_batch_is_timed_by_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than 256 images are computed at once, and the time is that of the whole batch."""
    build, seen = networks.build, set()

    def watched(config: TrainConfig) -> nn.Sequential:
        model = build(config)
        model.register_forward_pre_hook(lambda _, inputs: note(inputs[0]))
        return model

    def note(images: Tensor) -> None:
        seen.add(len(images))

    monkeypatch.setattr(networks, "build", watched)
    small = estimate.step_seconds(TrainConfig(network="digit_cnn", batch_size=64))
    large = estimate.step_seconds(TrainConfig(network="digit_cnn", batch_size=4096))
    assert seen == {64, 256}
    assert all(a < b for a, b in zip(small, large, strict=True))
    config = TrainConfig(network="digit_cnn", batch_size=4096, epochs=1)
    images = 8 * 4096
    expected = estimate.seconds(config, (images, 0), large)
    assert expected == pytest.approx(8 * large[0])
