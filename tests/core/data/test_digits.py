"""A data set as arrays: its checksum."""

from core.data import mnist
from core.data.digits import Digits


def test_the_checksum_tells_data_apart() -> None:
    """One pixel or one label that differs changes the checksum; equal data have the same."""
    sample = mnist.load("sample")
    parts = [sample.train_images, sample.train_labels, sample.test_images, sample.test_labels]
    assert Digits("copy", *(part.copy() for part in parts)).checksum == sample.checksum
    for position in range(4):
        changed = [part.copy() for part in parts]
        changed[position].flat[-1] ^= 1
        assert Digits("sample", *changed).checksum != sample.checksum
