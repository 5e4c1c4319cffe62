"""Near-duplicates: altered copies are found, and the search is that over all pairs."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from core.data import duplicates, mnist
from core.data.digits import Digits
from core.data.duplicates import Neighbors


@pytest.fixture(scope="module")
def digits() -> Digits:
    """1,500 training digits, and 300 test digits of which the first 100 are altered copies."""
    sample = mnist.load("sample")
    copies = sample.train_images[:100].copy()
    copies[:40] = np.roll(copies[:40], (1, -1), axis=(1, 2))
    copies[40:70] = ndimage.gaussian_filter(copies[40:70].astype(float), (0, 0.5, 0.5))
    copies[70:] = [ndimage.rotate(one, 2, reshape=False, order=1) for one in copies[70:]]
    images = np.concatenate([copies, sample.test_images[:200]])
    labels = np.concatenate([sample.train_labels[:100], sample.test_labels[:200]])
    return replace(
        sample,
        train_images=sample.train_images[:1_500],
        train_labels=sample.train_labels[:1_500],
        test_images=images,
        test_labels=labels,
    )


@pytest.fixture(scope="module")
def found(digits: Digits) -> Neighbors:
    """What the search finds among them."""
    *shares, result = duplicates.search(digits)
    assert isinstance(result, Neighbors)
    assert shares == sorted(shares) and all(0 <= float(share) <= 1 for share in shares)  # type: ignore[arg-type]
    return result


def test_altered_copies_are_found(found: Neighbors) -> None:
    """The nearest image of a moved, blurred or turned copy is its original."""
    number, difference = found.number[1_500:1_600, 0], found.difference[1_500:1_600, 0]
    assert (number == np.arange(100)).mean() >= 0.97
    assert (difference < duplicates.ALIKE).mean() >= 0.95


def test_other_digits_are_seldom_alike(digits: Digits, found: Neighbors) -> None:
    """Of the test digits that are not copies, only ones, which are single strokes, are similar."""
    alike = found.difference[1_600:, 0] < duplicates.ALIKE
    assert (digits.test_labels[100:][alike] == 1).all()


@pytest.mark.slow
def test_search_is_scikit_learns(digits: Digits, found: Neighbors) -> None:
    """The nearest image is the one that scikit-learn finds, and never the image itself."""
    from sklearn.neighbors import NearestNeighbors

    shapes = duplicates.shapes(np.concatenate([digits.train_images, digits.test_images]))
    shapes -= shapes.mean(axis=0)
    _, directions = np.linalg.eigh(shapes.T @ shapes)
    points = shapes @ directions[:, -duplicates.COMPONENTS :]
    gaps, near = NearestNeighbors(n_neighbors=2).fit(points[1_500:]).kneighbors(points)
    own = near[:, 0] + 1_500 == np.arange(1_800)
    expected = np.where(own, gaps[:, 1], gaps[:, 0])
    np.testing.assert_allclose(found.difference[:, 1], expected, atol=1e-3)
    assert (found.number != np.arange(1_800)[:, None]).all()
    assert (found.number[:, 0] < 1_500).all() and (found.number[:, 1] >= 1_500).all()


def test_pairs_come_once_the_most_alike_first(found: Neighbors) -> None:
    """Each pair within a split is listed once; a pair across splits begins with the test image."""
    for place in duplicates.PLACES:
        couples, gaps = duplicates.pairs(found, 1_500, place, 0.3)
        assert len(couples) and (np.diff(gaps) >= 0).all() and gaps[-1] <= 0.3
        assert len({tuple(sorted(couple)) for couple in couples.tolist()}) == len(couples)
        inside = couples >= 1_500
        expected = {"between": [True, False], "train": [False] * 2, "test": [True] * 2}[place]
        assert (inside == expected).all()
    assert len(duplicates.pairs(found, 1_500, "train", -1.0)[0]) == 0
