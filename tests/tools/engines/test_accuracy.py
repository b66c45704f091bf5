"""How often the engine is right on messages that it never saw; the files say how they came to be."""

import re
from functools import cache
from pathlib import Path

import pytest

from agent.fast_yaml import parse_yaml
from agent.types import PageContext
from tests.tools.engines.conftest import words
from tests.tools.engines.shop import CATEGORIES
from tools.engines.local.ears.examples import load_examples
from tools.engines.local.ears.messages import load_messages
from tools.engines.local.engine import LocalEngine

FOLDER = Path(__file__).parent


def read_kinds(name: str) -> list[tuple[str, str, str]]:
    """Kind, language and text of each message of a file."""
    data = parse_yaml((FOLDER / name).read_text(encoding="utf-8"))
    return [(kind, lang, text) for kind, groups in data.items() for lang, group in groups.items() for text in group]


def read_categories() -> list[tuple[str, str]]:
    data = parse_yaml((FOLDER / "held_out_categories.yaml").read_text(encoding="utf-8"))
    return [(category, text) for category, group in data.items() for text in group]


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


@cache
def known_texts() -> frozenset[str]:
    """All that the engine is taught with."""
    data = load_examples().values()
    examples = {
        plain(text) for groups in data for langs in groups.values() for group in langs.values() for text in group
    }
    examples |= {plain(text) for category in CATEGORIES for text in category.examples}
    # "Hello" is said by everybody.
    return frozenset(examples | {plain(each.text) for each in load_messages() if " " in plain(each.text)})


async def right_kinds(engine: LocalEngine, name: str) -> dict[str, list[bool]]:
    right: dict[str, list[bool]] = {}
    for kind, language, text in read_kinds(name):
        heard = await engine.understand((words(text),), (), PageContext())
        right.setdefault(language, []).append(heard.kind == kind)
    return right


async def test_kinds_of_unseen_messages(engine: LocalEngine) -> None:
    right = await right_kinds(engine, "held_out_kinds.yaml")

    everything = [ok for group in right.values() for ok in group]
    assert sum(everything) / len(everything) >= 0.85
    for language, group in right.items():
        assert sum(group) / len(group) >= 0.75, language


async def test_kinds_of_messages_seen_while_it_was_made(engine: LocalEngine) -> None:
    right = await right_kinds(engine, "seen_kinds.yaml")

    everything = [ok for group in right.values() for ok in group]
    assert sum(everything) / len(everything) >= 0.88


async def test_categories_of_unseen_messages(engine: LocalEngine) -> None:
    right = []
    for category, text in read_categories():
        heard = await engine.understand((words(text),), (), PageContext())
        right.append(heard.category == category)

    assert sum(right) / len(right) >= 0.85


async def test_kinds_by_words_alone(by_words: LocalEngine) -> None:
    right = await right_kinds(by_words, "held_out_kinds.yaml")

    everything = [ok for group in right.values() for ok in group]
    assert sum(everything) / len(everything) >= 0.75


@pytest.mark.parametrize("name", ["held_out_kinds.yaml", "seen_kinds.yaml", "held_out_categories.yaml"])
def test_no_measured_message_is_an_example(name: str) -> None:
    examples = known_texts()
    measured = read_categories() if name == "held_out_categories.yaml" else [(k, t) for k, _, t in read_kinds(name)]

    assert [text for _, text in measured if plain(text) in examples] == []
