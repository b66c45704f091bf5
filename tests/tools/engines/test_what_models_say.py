"""How many wrong sentences of a language model are stopped, and how many right ones, on sentences never trained on."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.fast_yaml import parse_yaml
from agent.policy import Policy
from agent.types import Passage, Sentence, Source, Untrusted
from tests.tools.engines.shop import passage
from tools.engines.local.engine import LocalEngine
from tools.engines.local.support.examples import Example
from tools.engines.local.support.learning import learn
from tools.engines.local.support.store import kept, open_support, probe, shipped_probe
from tools.engines.local.support.trees import Trees, grow

HELD_OUT = Path(__file__).parent / "answer_sentences.yaml"
# Of other products, by other hands; nothing is chosen by it, and no miss in it is read.
UNSEEN = Path(__file__).parent / "unseen_sentences.yaml"
RIGHT, INVENTED = "right", "made up"


@dataclass(frozen=True)
class Said:
    """A held-out sentence; `what` is "right", or "made up", or the one thing in which it differs from its source."""

    what: str
    text: str
    source: Passage


def held_out(file: Path = HELD_OUT) -> list[Said]:
    said: list[Said] = []
    for group in _sources(file):
        source = replace(passage("refund-policy", text=group["passage"]), title="", section="")
        said += [Said(RIGHT, text, source) for text in group["right"]]
        said += [Said(wrong["what"], wrong["text"], source) for wrong in group["wrong"]]
        said += [Said(INVENTED, text, source) for text in group["invented"]]
    return said


@cache
def _sources(file: Path) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = parse_yaml(file.read_text(encoding="utf-8"))
    return read


async def stopped(engine: LocalEngine, said: Iterable[Said]) -> dict[str, list[bool]]:
    """By kind, for each sentence whether it is stopped."""
    needed = Policy().sentence_support
    found: dict[str, list[bool]] = {}
    for each in said:
        value = await engine.support(Sentence(each.text, cites=(each.source.passage_id,)), (each.source,))
        found.setdefault(each.what, []).append(value < needed)
    return found


def share_of_wrong(found: dict[str, list[bool]]) -> float:
    """How many of those are stopped that differ from their source in one thing."""
    differing = [each for what, group in found.items() if what not in (RIGHT, INVENTED) for each in group]
    return sum(differing) / len(differing)


def table(found: dict[str, list[bool]]) -> str:
    return "\n".join(f"{what}: {sum(each)} of {len(each)} stopped" for what, each in sorted(found.items()))


async def test_most_wrong_sentences_are_stopped_and_most_right_ones_stand(engine: LocalEngine) -> None:
    found = await stopped(engine, held_out())

    print(table(found))
    # Reached: 0.904, 0.989 and 0.210. Another processor may round a few sentences to the other side.
    assert share_of_wrong(found) >= 0.89, table(found)
    assert sum(found[INVENTED]) / len(found[INVENTED]) >= 0.96, table(found)
    assert sum(found[RIGHT]) / len(found[RIGHT]) <= 0.24, table(found)
    for what, group in found.items():
        assert what == RIGHT or sum(group) / len(group) >= 0.6, table(found)


async def test_what_is_stopped_is_mostly_put_in_the_source_s_words(engine: LocalEngine) -> None:
    put = []
    for said in held_out():
        sentence = Sentence(said.text, cites=(said.source.passage_id,))
        if said.what == RIGHT and await engine.support(sentence, (said.source,)) < Policy().sentence_support:
            quoted = await engine.rewrite(sentence, (said.source,))
            put.append(quoted is not None and await engine.support(quoted, (said.source,)) >= 0.95)

    assert sum(put) / len(put) >= 0.9, f"{sum(put)} of {len(put)}"


async def test_it_needs_no_embedding_model(engine: LocalEngine, by_words: LocalEngine) -> None:
    some = held_out()[::25]

    assert await stopped(engine, some) == await stopped(by_words, some)


def test_no_held_out_sentence_is_an_example(support_examples: list[Example]) -> None:
    examples = {example.sentence for example in support_examples}

    assert not examples & {said.text for file in (HELD_OUT, UNSEEN) for said in held_out(file)}


@pytest.mark.usefixtures("parsed_once")
def test_what_is_shipped_was_learnt_from_the_shipped_examples_by_this_code(tmp_path: Path) -> None:
    shipped = open_support(tmp_path)

    assert not list(tmp_path.iterdir()), "examples or words were changed: make support"
    assert probe(shipped) == pytest.approx(shipped_probe(), abs=1e-6), "sentences are compared otherwise: make support"


@pytest.mark.usefixtures("few_trees")
def test_what_was_learnt_is_read_back_and_damage_is_made_again(tmp_path: Path, few_examples: list[Example]) -> None:
    some = few_examples
    fresh = kept(tmp_path, "some", examples=some)
    (path,) = tmp_path.glob("support-*.npz")
    written = path.stat().st_mtime_ns
    again = kept(tmp_path, "some", examples=some)
    assert path.stat().st_mtime_ns == written
    path.write_bytes(b"no arrays")
    repaired = kept(tmp_path, "some", examples=some)
    path.rename(tmp_path / "support-others.npz")
    other = kept(tmp_path, "others", examples=some[:30])

    said, source = "You can pay twice.", "You can pay once."
    assert fresh(said, source) == again(said, source) == repaired(said, source) != other(said, source)


def test_arrays_that_do_not_fit_are_not_trees() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(80, 30))
    grown = grow(rows, rows[:, 0] > 0, np.ones(80))
    kept = grown.to_arrays()

    again = Trees.from_arrays(kept)

    assert again is not None
    assert [again(row) for row in rows.astype(np.float32)] == [grown(row) for row in rows.astype(np.float32)]
    assert sum((grown(row) > 0) == (row[0] > 0) for row in rows.astype(np.float32)) >= 78
    assert Trees.from_arrays({**kept, "left": kept["left"][:3]}) is None


@pytest.mark.usefixtures("few_trees")
def test_learning_twice_gives_the_same(few_examples: list[Example]) -> None:
    one, other = learn(few_examples), learn(few_examples)

    for each in few_examples:
        assert one(each.sentence, each.passage) == other(each.sentence, each.passage)


@pytest.mark.parametrize("source", ["", "\n\n", "# Only a heading", "|a|b|\n|-|-|"])
async def test_nothing_is_said_by_a_source_without_sentences(engine: LocalEngine, source: str) -> None:
    said = Sentence("You can cancel at any time.", cites=("x",))

    assert await engine.support(said, (passage("refund-policy", text=source),)) < 0.5


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="ab =>*_[]()#|-–.,!?3%€\n'\"", max_size=80), st.text(max_size=80))
def test_any_text_can_be_compared_with_any(by_words: LocalEngine, said: str, source: str) -> None:
    article = replace(passage("refund-policy"), text=Untrusted.of(f"{source}\n{said[::-1]}", Source.ARTICLE))
    sentence = Sentence(said or "-", cites=("refund-policy#0",))

    assert 0 <= asyncio.run(by_words.support(sentence, (article,))) <= 1
