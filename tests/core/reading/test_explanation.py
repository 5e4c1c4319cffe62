"""The evidence for an answer, and the most similar training digits."""

import numpy as np
import pytest
import torch

from core.data import mnist
from core.reading import explanation
from core.reading.reader import Reader
from core.runs import builtin
from core.training.batches import normalize


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The built-in network."""
    return Reader(builtin.run())


def logits(reader: Reader, image: np.ndarray) -> torch.Tensor:
    """Return the ten logits of a (28, 28) image."""
    with torch.inference_mode():
        return reader.model(normalize(torch.tensor(image[None]), reader.config))[0]


def test_evidence_adds_up_to_the_difference_it_explains(reader: Reader) -> None:
    """The pixels' shares sum to the margin's increase from baseline to image (axiom)."""
    digits = mnist.load("sample")
    image = digits.test_images[0].astype(np.float32) / 255
    answer = int(digits.test_labels[0])
    rival = (answer + 1) % 10
    baseline = digits.train_images.mean(axis=0).astype(np.float32) / 255
    there, here = logits(reader, baseline), logits(reader, image)
    grown = float((here[answer] - here[rival]) - (there[answer] - there[rival]))
    values = explanation.evidence(reader, image, baseline, answer, rival)
    assert values.shape == (28, 28)
    assert float(values.sum()) == pytest.approx(grown, rel=0.05)


def test_evidence_changes_sign_with_the_question(reader: Reader) -> None:
    """What speaks for a 3 against a 5 speaks as much against the 5 as for the 3."""
    image = mnist.load("sample").test_images[3].astype(np.float32) / 255
    paper = np.zeros_like(image)
    one, other = (explanation.evidence(reader, image, paper, *pair) for pair in ((3, 5), (5, 3)))
    np.testing.assert_allclose(one, -other, atol=1e-5)


@pytest.mark.slow
def test_nearest_is_what_a_full_comparison_finds(reader: Reader) -> None:
    """The five of the largest cosine between all features, computed here the long way."""
    digits = mnist.load("sample")
    images, wanted = digits.train_images, digits.test_images[:20].astype(np.float32) / 255

    def features(pictures: np.ndarray) -> torch.Tensor:
        with torch.inference_mode():
            raw = reader.model[:-1](normalize(torch.tensor(pictures), reader.config))
        return torch.nn.functional.normalize(raw)

    everything = features(images) @ features(wanted).T
    alike = explanation.SimilarDigits(reader, images, np.arange(len(images)))
    for number, image in enumerate(wanted):
        positions, cosines = alike.nearest(image)
        best = everything[:, number].topk(5)
        assert len(set(positions) & set(best.indices.tolist())) >= 4  # bfloat16 may swap equals
        assert cosines[0] == pytest.approx(float(best.values[0]), abs=0.01)


def test_an_image_is_most_alike_to_itself_if_it_was_learned(reader: Reader) -> None:
    """A training image's nearest is that image, at a cosine of 1; one held out is never found."""
    images = mnist.load("sample").train_images[:300]
    alike = explanation.SimilarDigits(reader, images, np.arange(1, 300, 2))
    indices, cosines = alike.nearest(images[7].astype(np.float32) / 255)
    assert indices[0] == 7 and cosines[0] == pytest.approx(1, abs=0.01)
    indices, _ = alike.nearest(images[8].astype(np.float32) / 255)
    assert len(indices) == 5 and (indices % 2 == 1).all()


def test_sentence_names_where_the_evidence_is() -> None:
    """The gap at the top of an open 4 is named as evidence for a 4, and so is counterevidence."""
    image, values = np.zeros((28, 28), np.float32), np.zeros((28, 28), np.float32)
    image[4:24, 6] = image[14, 6:22] = image[4:24, 21] = 1  # an open 4, in a box of 20 × 16
    values[5, 10:18] = 1
    said = explanation.sentence(image, values, 4, 9)
    assert said == "The gap at the top makes it a 4 rather than a 9."
    values[22, 21] = -6
    said = explanation.sentence(image, values, 4, 8)
    assert said.endswith(
        "rather than an 8. The ink at the bottom right would rather belong to an 8."
    )
    values[14, 14] = 20
    assert explanation.sentence(image, values, 4, 8) == (
        "The ink in the middle makes it a 4 rather than an 8."
    )
