"""What holds for every text."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.ports import AnswerBrief
from agent.types import LANGUAGES, PageContext, Sentence, Source, Untrusted
from tests.tools.engines.conftest import said, words
from tests.tools.engines.shop import CATEGORIES, HashedEmbedder, passage
from tools.engines.local.engine import LocalEngine

relaxed = settings(max_examples=50)

# Letters of any script, and pieces of what people and articles really write.
_PIECES = st.sampled_from(
    ["how do I", "1. ", "- ", "\n\n", "```", "| a | b |\n|---|---|", "**", "# ", "invoice", "not", "30 days", ": ",
     "e.g. ", "It is. ", "¿", "ß", "😀", "\u202e", "http://x", "nein", "gracias", "[1](x)", "> ", ". ", "!", "? "]
)  # fmt: skip
anything = st.one_of(st.text(max_size=300), st.lists(_PIECES, max_size=25).map("".join))


@pytest.fixture(scope="module")
def quick(warm: Path) -> LocalEngine:
    """An engine with an embedder that takes no time."""
    return asyncio.run(LocalEngine.open(HashedEmbedder(), CATEGORIES, cache_dir=warm))


@relaxed
@given(texts=st.lists(anything, min_size=1, max_size=3), before=st.lists(anything, max_size=3), title=anything)
def test_every_text_is_understood_the_same_way_twice(
    quick: LocalEngine, texts: list[str], before: list[str], title: str
) -> None:
    page = PageContext(title=Untrusted.of(title, Source.PAGE))
    history = said(*before)

    async def understand() -> object:
        return await quick.understand(tuple(words(text) for text in texts), history, page)

    heard = asyncio.run(quick.understand(tuple(words(text) for text in texts), history, page))

    assert heard == asyncio.run(understand())
    assert heard.language in LANGUAGES
    for name in ("kind_confidence", "category_confidence", "language_confidence", "wish_for_person", "risk"):
        assert 0.0 <= getattr(heard, name) <= 1.0
    for name in ("says_unsolved", "says_solved"):
        assert 0.0 <= getattr(heard, name) <= 1.0
    assert -1.0 <= heard.sentiment <= 1.0
    assert -2.0 <= heard.sentiment_trend <= 2.0


@relaxed
@given(question=anything, articles=st.lists(anything, min_size=1, max_size=3), score=st.floats(0, 1))
def test_every_claim_stands_word_for_word_in_the_passage_it_cites(
    quick: LocalEngine, question: str, articles: list[str], score: float
) -> None:
    ids = ["reset-password", "download-invoices", "de-rechnungen"]
    found = tuple(passage(ids[rank], text=text, score=score, rank=rank) for rank, text in enumerate(articles))

    async def run() -> None:
        heard = await quick.understand((words(question),), (), PageContext())
        evidence = await quick.assess(heard, found, ())
        assert 0.0 <= evidence.probability <= 1.0
        brief = AnswerBrief(heard.question, heard, found, PageContext(), None, (), (), ())
        first = [part async for part in quick.answer(brief)]
        assert first == [part async for part in quick.answer(brief)]
        for part in first:
            assert isinstance(part, Sentence)
            assert part.text.strip()
            if part.claim:
                (cited,) = [source for source in found if source.passage_id in part.cites]
                assert part.text in cited.text.render_plain()
                assert await quick.support(part, (cited,)) >= 0.5 or not any(c.isalnum() for c in part.text)

    asyncio.run(run())


@relaxed
@given(sentence=anything, source=anything)
def test_every_support_is_a_probability(quick: LocalEngine, sentence: str, source: str) -> None:
    value = asyncio.run(quick.support(Sentence(sentence, cites=("x",)), (passage("refund-policy", text=source),)))

    assert 0.0 <= value <= 1.0


@relaxed
@given(texts=st.lists(anything, min_size=1, max_size=3), before=st.lists(anything, max_size=3), error=anything)
def test_every_report_makes_a_bug_and_a_summary(
    quick: LocalEngine, texts: list[str], before: list[str], error: str
) -> None:
    page = PageContext(route="/x", errors=(Untrusted.of(error, Source.PAGE),))
    history, reported = said(*before), tuple(words(text) for text in texts)

    async def run() -> None:
        heard = await quick.understand(reported, history, page)
        bug = await quick.draft_bug(reported, history, page, heard)
        assert bug.title.strip()
        assert len(bug.title) <= 80
        assert set(bug.missing) <= {"doing", "expected", "actual", "steps", "environment"}
        assert len(await quick.summarise(reported, history, heard)) <= 520

    asyncio.run(run())
