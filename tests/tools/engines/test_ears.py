"""The shipped ears: taught with the shipped examples, not learnt again, able to tell faults from other trouble."""

from pathlib import Path

import pytest

from agent.types import PageContext
from tests.tools.engines.conftest import Hear, words
from tests.tools.engines.shop import CATEGORIES
from tools.embedding.minilm import MiniLmEmbedder
from tools.engines.local.ears import store as module
from tools.engines.local.ears.examples import SETS, by_language, load_examples
from tools.engines.local.ears.messages import load_messages
from tools.engines.local.ears.store import packed, shipped_ears
from tools.engines.local.engine import LocalEngine
from tools.engines.local.tongue import LANGUAGE, Tongue

FAULTS = [
    "the page stays white since your update",
    "Error 500 whenever I press save",
    "the sum at the bottom is wrong, 3 times 20 isn't 61",
    "die App stürzt ab sobald ich auf Drucken tippe",
    "seit dem Update wird alles doppelt gespeichert",
    "la app se cierra sola al abrir el calendario",
]
ORDINARY = [
    "the link says expired",
    "she never got the mail to join",
    "the button is grey, I can't press it",
    "it says I don't have permission for that",
    "der Link ist abgelaufen",
    "das Feld ist ausgegraut bei mir",
    "dice que no tengo permiso",
]


def classifiers_in(folder: Path) -> set[str]:
    """What was learnt into a folder."""
    return {path.name.split("-")[1] for path in folder.glob("classifier-*.npz")}


def test_they_were_taught_with_the_examples_that_there_are(minilm: MiniLmEmbedder) -> None:
    """Else every installation learns at its first start, from a fifth of them: `make ears`."""
    ears = dict(shipped_ears())

    assert set(ears) == {"", minilm.name, f"{minilm.name}+beside"}
    # Languages are told by words alone.
    assert set(ears.pop("")) == {*SETS, LANGUAGE}
    assert all(set(classifiers) == set(SETS) for classifiers in ears.values())


def test_eight_bits_are_enough(minilm: MiniLmEmbedder) -> None:
    kind = shipped_ears()[minilm.name]["kind"]
    again = packed({"": {"kind": kind}}, "key")

    assert (abs(again["/kind/weights"] * again["/kind/scale"] - kind.weights) < 1e-6).all()


async def test_a_first_start_learns_the_categories_alone(minilm: MiniLmEmbedder, tmp_path: Path) -> None:
    await LocalEngine.open(minilm, CATEGORIES[:2], cache_dir=tmp_path)

    assert classifiers_in(tmp_path) == {"category"}


def test_languages_are_told_as_by_what_is_learnt_at_a_start(model_cache: Path) -> None:
    texts = by_language(load_examples())
    shipped = Tongue.train(texts, model_cache, shipped_ears()[""][LANGUAGE])
    learnt = Tongue.train(texts, model_cache)

    for language, group in texts.items():
        # Every seventh, so that it takes a moment only.
        for text in group[::7]:
            one, other = shipped.identify(text), learnt.identify(text)
            assert one.language == other.language, (language, text)
            assert one.confidence == pytest.approx(other.confidence, abs=0.02)


async def test_german_is_heard_by_both_models_without_any_category(
    engine: LocalEngine, minilm: MiniLmEmbedder, model_cache: Path
) -> None:
    bare = await LocalEngine.open(minilm, (), cache_dir=model_cache)
    text = words("Die Schichten sind weg, seit ich sie verschoben habe")

    expected = await engine.understand((text,), (), PageContext())
    heard = await bare.understand((text,), (), PageContext())

    assert expected.language == "de"
    assert (heard.kind_confidence, heard.fault, heard.risk) == (
        expected.kind_confidence,
        expected.fault,
        expected.risk,
    )


@pytest.mark.usefixtures("few_texts")
async def test_other_examples_are_learnt_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "digest_of_examples", lambda: "of other examples")

    await LocalEngine.open(None, CATEGORIES[:2], cache_dir=tmp_path)

    assert classifiers_in(tmp_path) == {*SETS, "category", "language"}


def test_a_damaged_file_is_learnt_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "ears.npz"
    broken.write_bytes(b"no archive")
    monkeypatch.setattr(module, "SHIPPED", broken)

    assert shipped_ears() == {}


@pytest.mark.parametrize("text", FAULTS)
async def test_what_only_its_makers_can_mend_is_a_fault(hear: Hear, text: str) -> None:
    assert (await hear(text)).fault > 0.5


@pytest.mark.parametrize("text", ORDINARY)
async def test_what_articles_explain_is_no_fault(hear: Hear, text: str) -> None:
    assert (await hear(text)).fault < 0.5


def test_messages_are_whole() -> None:
    messages = load_messages()

    assert {each.language for each in messages} == {"en", "de", "es"}
    assert {each.stands for each in messages} == {"alone", "leans", "solved", "unsolved"}
    assert {each.mood for each in messages} == {-2, -1, 0, 1, 2}
    assert len({(each.language, each.text.casefold()) for each in messages}) == len(messages)
