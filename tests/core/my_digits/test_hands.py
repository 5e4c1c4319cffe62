"""Everybody's digits: whose they are, who may see them, and whose are read worst."""

import numpy as np
import pytest

from core.errors import InkError
from core.my_digits import collection, hands
from core.my_digits.hands import Hand
from core.runs.person import OWNER, Person, tag_for

ANNA, BEN = (Person(name, tag_for(f"the secret of {name}")) for name in ("Anna", "Ben"))
ADMIN = Person("Teacher", tag_for("the teacher's"), owns_all=True)


def keep(person: Person, *labels: int) -> list[str]:
    """Save a digit of a person's for each label; return their names."""
    return [collection.keep(np.eye(28, dtype=np.float32), label, person) for label in labels]


def test_each_has_their_own() -> None:
    """Anna's digits are not Ben's or the owner's; a download uploaded by Ben is his as well."""
    names = keep(ANNA, 1, 2)
    keep(BEN, 7)
    assert set(collection.names(ANNA.tag)) == set(names)
    assert collection.load(BEN.tag).labels.tolist() == [7]
    assert collection.names() == ()
    assert collection.restore(collection.archive(ANNA.tag), BEN) == 2
    assert len(collection.names(ANNA.tag)) == 2
    assert len(collection.names(BEN.tag)) == 3


@pytest.mark.parametrize("stranger", [BEN, ADMIN, OWNER])
def test_strangers_delete_nothing(stranger: Person) -> None:
    """Another person's digit cannot be deleted, by whatever name."""
    [name] = keep(ANNA, 1)
    for asked in (name, f"{ANNA.tag}/{name}", f"../{ANNA.tag}/{name}"):
        collection.forget(asked, stranger)
    assert collection.names(ANNA.tag) == (name,)
    collection.forget(name, ANNA)
    assert collection.names(ANNA.tag) == ()


def test_limit_is_each_persons(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full collection takes no place from another person's."""
    monkeypatch.setattr(collection, "MOST", 1)
    keep(ANNA, 1)
    keep(BEN, 1)
    with pytest.raises(InkError, match="Delete some first"):
        keep(ANNA, 2)


def seen(person: Person) -> dict[str, int]:
    """Return the owners whose digits a person may see, and how many."""
    return {hand.name: len(hand.digits) for hand in hands.seen_by(person)}


def test_everybody_sees_everybodys_digits_except_withheld_ones() -> None:
    """Everybody sees Anna's digits until she makes them private; then only she does."""
    keep(ANNA, 1, 2)
    keep(BEN, 7)
    for person in (ANNA, BEN, ADMIN, OWNER):
        assert seen(person) == {"Anna": 2, "Ben": 1}
    hands.withhold(ANNA, True)
    hands.withhold(ANNA, True)
    assert seen(ANNA) == {"Anna": 2, "Ben": 1}
    for person in (BEN, ADMIN, OWNER):
        assert seen(person) == {"Ben": 1}
    hands.withhold(ANNA, False)
    assert seen(BEN) == {"Anna": 2, "Ben": 1}


def test_who_withholds_before_the_first_digit_is_never_seen() -> None:
    """Digits can be made private before the first one is saved."""
    hands.withhold(ANNA, True)
    keep(ANNA, 1)
    assert seen(BEN) == {}


def test_strangers_in_a_demo_see_their_own_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a public demo, nobody sees another visitor's digits."""
    keep(ANNA, 1)
    keep(BEN, 7)
    monkeypatch.setenv("DIGITLAB_DEMO", "1")
    assert seen(ANNA) == {"Anna": 1}
    assert seen(BEN) == {"Ben": 1}


def test_owners_digits_stay_on_their_machine() -> None:
    """Digits saved without a name, before there was a class, are seen only by the owner."""
    keep(OWNER, 3)
    assert seen(OWNER) == {"you": 1}
    assert seen(ANNA) == seen(ADMIN) == {}


def test_new_name_is_the_name_of_all() -> None:
    """A person who gives another name later has it for all their digits."""
    keep(ANNA, 1)
    keep(Person("Anna Z.", ANNA.tag), 2)
    assert seen(BEN) == {"Anna Z.": 2}


def test_foreign_folders_are_nobodys() -> None:
    """A folder whose name is not a tag, and a file, are not taken for a person."""
    keep(ANNA, 1)
    (collection.folder() / "backup").mkdir()
    (collection.folder() / ("0" * 31)).mkdir()
    assert seen(BEN) == {"Anna": 1}


def test_all_together_are_told_apart() -> None:
    """The digits of several people come in order, each with the number of its writer."""
    keep(ANNA, 1, 2)
    keep(BEN, 7)
    found, whose = hands.load(hands.seen_by(OWNER))
    assert sorted(found.labels[whose == 0]) == [1, 2]
    assert found.labels[whose == 1].tolist() == [7]
    assert found.images.shape == (3, 28, 28)


def test_digits_deleted_meanwhile_are_reported() -> None:
    """If a listed digit is gone when it is read, the message says what to do."""
    [name] = keep(ANNA, 1)
    listed = hands.seen_by(OWNER)
    collection.forget(name, ANNA)
    with pytest.raises(InkError, match="Choose others"):
        hands.load(listed)


def test_worst_hand_is_first() -> None:
    """Accuracies, intervals and the most frequent mistake are each person's own."""
    people = [Hand(str(number), name, ()) for number, name in enumerate(("all right", "half", "-"))]
    whose = np.array([0, 0, 1, 1, 1, 1], np.intp)
    labels = np.array([1, 2, 7, 7, 3, 4], np.uint8)
    answers = np.array([1, 2, 1, 1, 3, 4])
    table = hands.table(people, whose, np.eye(10, dtype=np.float32)[answers], labels)
    assert table["name"].tolist() == ["half", "all right"]
    assert table["accuracy"].tolist() == [0.5, 1.0]
    assert table["count"].tolist() == [4, 2]
    assert table["mistake"].tolist() == ["7 → 1", ""]
    low, high = table.iloc[0][["low", "high"]]
    assert (round(low, 3), round(high, 3)) == (0.150, 0.850)  # Wilson's interval of 2 in 4
