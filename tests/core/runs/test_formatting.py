"""Numbers as people read them."""

import torch

from core.runs import formatting
from core.training import device


def test_one_of_a_kind_has_no_plural() -> None:
    """One image is 1 image, none and many are images, and large numbers have commas."""
    shown = [formatting.counted(number, "image") for number in (0, 1, 2, 1_200)]
    assert shown == ["0 images", "1 image", "2 images", "1,200 images"]


def test_processor_with_one_thread_is_called_so() -> None:
    """The device's name counts its threads: one is a thread."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert device.choose("cpu").name.endswith(", 1 thread")
        torch.set_num_threads(2)
        assert device.choose("cpu").name.endswith(", 2 threads")
    finally:
        torch.set_num_threads(before)
