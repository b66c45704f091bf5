"""Learnt models: what goes into a folder comes back, a damaged one is refused, and there is a way back."""

import json
import logging
import os
import time
from pathlib import Path

import numpy as np
import pytest

from agent.errors import BadTurn
from tools.knowledge.matching import Wording
from tools.learned.classifier import LearnedClassifier, learn_classifier
from tools.learned.model import DamagedModel, LearnedModel, Trust, read, write
from tools.learned.shelf import SHIPPED, ModelShelf
from tools.learned.texts import TicketText

BUGS = [
    f"The {thing} crashes\nerror when I press save on the {thing}"
    for thing in ("board", "report", "timer", "list", "chart", "form")
]
WISHES = [
    f"Please add a {thing}\nit would be great to have a {thing}"
    for thing in ("calendar", "dark mode", "widget", "map", "chat", "theme")
]
TEXTS = [TicketText.of(text) for text in [*BUGS, *WISHES]]
LABELS = ["bug"] * len(BUGS) + ["feature_request"] * len(WISHES)


def classifier() -> LearnedClassifier:
    learnt = learn_classifier(TEXTS, LABELS, [])
    assert learnt is not None
    return learnt


def model(**changes: object) -> LearnedModel:
    texts = ["where is my parcel", "parcel missing"]
    questions = Wording().questions(texts, ["en", "en"], ["late", "late"], np.eye(2, 4, dtype=np.float32))
    given = {"embedder": "", "kind": classifier(), "questions": questions, "trust": Trust(0.8, -0.1), **changes}
    return LearnedModel(**given)  # type: ignore[arg-type]  # The tests pass what the fields take.


def test_it_tells_what_it_learnt_apart() -> None:
    learnt = classifier()

    found = learnt([TicketText.of("The invoice crashes\nerror when I press send")], [])

    assert learnt.labels[int(found[0].argmax())] == "bug"
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize("labels", [["bug"] * 12, ["bug"] * 9 + ["feature_request"] * 3, []])
def test_one_class_or_too_few_examples_teach_nothing(labels: list[str]) -> None:
    assert learn_classifier(TEXTS[: len(labels)], labels, []) is None


def test_a_model_comes_back_as_it_was_written(tmp_path: Path) -> None:
    written = model()
    back = read(tmp_path / write(written, tmp_path))

    assert back.trust == written.trust
    assert back.questions is not None
    assert written.questions is not None
    assert back.questions.article_ids == ("late", "late")
    assert back.questions.stems == written.questions.stems
    assert (back.questions.wording != written.questions.wording).nnz == 0
    assert back.kind is not None
    assert np.array_equal(back.kind(TEXTS, []), classifier()(TEXTS, []))


def test_no_word_of_a_ticket_stands_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / write(model(), tmp_path)

    content = b"".join(path.read_bytes() for path in folder.iterdir())

    assert not any(word in content.lower() for word in (b"parcel", b"crashes", b"calendar"))
    assert {path.suffix for path in folder.iterdir()} == {".json", ".npz"}


def test_the_same_model_has_the_same_name(tmp_path: Path) -> None:
    assert write(model(), tmp_path / "a") == write(model(report={"n": 1}), tmp_path / "b")
    assert write(model(), tmp_path / "a") != write(model(trust=Trust()), tmp_path / "a")


def test_what_a_killed_process_left_half_written_is_removed(tmp_path: Path) -> None:
    old, young = tmp_path / "writing-old", tmp_path / "writing-young"
    for left in (old, young):
        (left / "model").mkdir(parents=True)
    an_hour_and_a_minute_ago = time.time() - 3660
    os.utime(old, (an_hour_and_a_minute_ago, an_hour_and_a_minute_ago))

    model_id = write(model(), tmp_path)

    # Another process may be writing now.
    assert {path.name for path in tmp_path.iterdir()} == {"writing-young", model_id}


def _cut(folder: Path) -> None:
    (folder / "kind.npz").write_bytes((folder / "kind.npz").read_bytes()[:100])


def _remove(folder: Path) -> None:
    (folder / "questions.npz").unlink()


def _retune(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["trust"]["slope"] = 9
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _scribble(folder: Path) -> None:
    (folder / "manifest.json").write_text("{}")


@pytest.mark.parametrize("damage", [_cut, _remove, _retune, _scribble])
def test_a_damaged_folder_is_refused_loudly_and_the_shipped_engine_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: object
) -> None:
    shelf = ModelShelf(tmp_path, "shop")
    model_id = shelf.add(model())
    shelf.use(model_id)
    assert callable(damage)
    damage(shelf.folder / model_id)

    with pytest.raises(DamagedModel):
        read(shelf.folder / model_id)
    with caplog.at_level(logging.ERROR):
        in_use = shelf.in_use()

    assert (in_use.model_id, in_use.model) == (SHIPPED, None)
    assert "NOT used" in caplog.text
    with pytest.raises(BadTurn, match="damaged"):
        shelf.use(model_id)


def test_rolling_back_goes_through_what_was_used_before(tmp_path: Path) -> None:
    shelf = ModelShelf(tmp_path, "shop")
    first, second = shelf.add(model()), shelf.add(model(trust=Trust()))
    shelf.use(first)
    shelf.use(second)

    assert shelf.rollback() == first
    assert shelf.in_use().model_id == first
    assert shelf.rollback() == SHIPPED
    with pytest.raises(BadTurn, match="nothing to go back to"):
        shelf.rollback()
    assert sorted(shelf.kept()) == sorted([first, second])


@pytest.mark.parametrize("name", ["nope", "../../etc", "0123456789abcdef"])
def test_only_kept_models_can_be_used(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadTurn, match="no model"):
        ModelShelf(tmp_path, "shop").use(name)


def test_workspaces_keep_their_models_apart(tmp_path: Path) -> None:
    ours, theirs = ModelShelf(tmp_path, "ours"), ModelShelf(tmp_path, "theirs")
    ours.use(ours.add(model()))

    assert theirs.in_use().model_id == SHIPPED
    assert theirs.kept() == []


def test_trust_moves_probabilities_and_keeps_their_order() -> None:
    trust = Trust(0.7, -0.4)

    moved = [trust(p) for p in (0.0, 0.1, 0.5, 0.9, 1.0)]

    assert moved == sorted(moved)
    assert moved[3] < 0.9
    assert Trust()(0.3) == pytest.approx(0.3)
