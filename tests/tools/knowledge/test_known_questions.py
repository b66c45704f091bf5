"""Questions that articles are known to answer: attached at ingest, learnt from, asked beside the passages."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.tools.knowledge.arrange import ask, opened
from tools.embedding.minilm import MiniLmEmbedder
from tools.embedding.openai_compatible import OpenAiEmbedder
from tools.knowledge.ingest import workspace_prefix
from tools.knowledge.known import for_questions
from tools.knowledge.matching import Wording

KNOWN = {
    "late-parcel": (
        "Late parcels",
        [
            "my parcel has not arrived",
            "where is the thing I bought",
            "delivery is overdue",
            "still waiting for my package",
            "the courier never came",
        ],
    ),
    "refunds": (
        "Refunds",
        [
            "I want my money back",
            "can I return the shoes",
            "how long does a refund take",
            "reimburse me please",
            "the item is broken, refund",
        ],
    ),
    "sizes": (
        "Choosing a size",
        [
            "which size fits me",
            "are the shirts small",
            "is there a size chart",
            "I am between M and L",
            "do trousers shrink",
        ],
    ),
    "vouchers": (
        "Vouchers",
        [
            "my discount code is rejected",
            "how do I redeem a voucher",
            "gift card balance",
            "two coupons in one order",
            "promo code expired",
        ],
    ),
    "careers": (
        "Working here",
        [
            "are you hiring",
            "where do I send my CV",
            "internships at your shop",
            "open positions",
            "do you take apprentices",
        ],
    ),
}


def write(path: Path, known: dict[str, tuple[str, list[str]]] = KNOWN) -> Path:
    lines = [
        json.dumps({"id": i, "title": title, "content": title, "language": "en", "questions": questions})
        for i, (title, questions) in known.items()
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory, minilm: MiniLmEmbedder) -> Path:
    """The data folder of a base that has learnt the known questions; who changes it takes a copy."""

    async def ingest(folder: Path) -> None:
        async with opened(folder, minilm) as knowledge:
            await knowledge.ingest(write(folder / "articles.jsonl"))

    folder = tmp_path_factory.mktemp("learnt")
    asyncio.run(ingest(folder))
    return folder


@pytest.fixture
def learnt_copy(learnt: Path, tmp_path: Path) -> Path:
    return shutil.copytree(learnt, tmp_path / "data")


async def test_other_words_for_a_known_question_find_its_article(learnt: Path, minilm: MiniLmEmbedder) -> None:
    others = {
        "it is a week and the package isn't here": "late-parcel",
        "give me back what I paid": "refunds",
        "the coupon does not work": "vouchers",
    }
    async with opened(learnt, minilm) as knowledge:
        found = {question: (await knowledge.search(ask(question)))[0] for question in others}

    assert {question: first.article_id for question, first in found.items()} == others
    assert all((first.known or 0) > 0.15 for first in found.values())


async def test_what_nobody_asks_here_is_not_known(learnt: Path, minilm: MiniLmEmbedder) -> None:
    async with opened(learnt, minilm) as knowledge:
        asked = await knowledge.search(ask("where is my parcel, it has not arrived"))
        unasked = [await knowledge.search(ask(text)) for text in ("how tall is the Eiffel tower", "tell me a joke")]

    assert all((found[0].known or 0) < 0.2 < (asked[0].known or 0) for found in unasked)


async def test_of_what_was_learnt_from_other_questions_the_newest_stays(tmp_path: Path, minilm: MiniLmEmbedder) -> None:
    models = tmp_path / "models"
    models.mkdir()
    own = [models / f"matcher-{workspace_prefix('orrery')}-{number:016x}.npz" for number in range(12)]
    another = [models / f"matcher-{workspace_prefix('acme')}-{number:016x}.npz" for number in range(12)]
    for age, path in enumerate([*own, *another]):
        path.touch()
        os.utime(path, (1_700_000_000 - age, 1_700_000_000 - age))

    async with opened(tmp_path, minilm) as knowledge:
        await knowledge.ingest(write(tmp_path / "articles.jsonl"))

    assert [path for path in own if path.exists()] == own[:7]
    assert [path for path in another if path.exists()] == another
    assert len([*models.glob("matcher-*")]) == 7 + 1 + 12


async def test_what_was_learnt_is_read_back_and_a_damaged_file_is_made_again(
    learnt_copy: Path, minilm: MiniLmEmbedder
) -> None:
    (matcher,) = (learnt_copy / "models").glob("matcher-*.npz")
    written = matcher.stat().st_mtime_ns

    async with opened(learnt_copy, minilm) as knowledge:
        before = await knowledge.search(ask("the coupon does not work"))
    assert all(passage.known is not None for passage in before)
    assert matcher.stat().st_mtime_ns == written

    matcher.write_bytes(matcher.read_bytes()[:200])
    async with opened(learnt_copy, minilm) as knowledge:
        await knowledge.teach(None)
        assert await knowledge.search(ask("the coupon does not work")) == before


async def test_a_changed_question_is_learnt_at_the_next_ingest(learnt_copy: Path, minilm: MiniLmEmbedder) -> None:
    changed = {**KNOWN, "careers": ("Working here", ["feed the office hamster", *KNOWN["careers"][1]])}
    async with opened(learnt_copy, minilm) as knowledge:
        report = await knowledge.ingest(write(learnt_copy / "articles.jsonl", changed))

        first = (await knowledge.search(ask("who feeds the hamster in the office")))[0]

    assert report.changed == 1
    assert first.article_id == "careers"


async def test_a_handful_of_questions_teaches_nothing(tmp_path: Path, minilm: MiniLmEmbedder) -> None:
    few = {i: (title, questions[:1]) for i, (title, questions) in KNOWN.items()}
    async with opened(tmp_path, minilm) as knowledge:
        await knowledge.ingest(write(tmp_path / "articles.jsonl", few))

        found = await knowledge.search(ask("the coupon does not work"))

    assert found
    assert all(passage.known is None for passage in found)


async def test_questions_of_solved_tickets_count_and_can_be_taken_back(tmp_path: Path, minilm: MiniLmEmbedder) -> None:
    texts = [text for _, questions in KNOWN.values() for text in questions]
    owners = [article_id for article_id, (_, questions) in KNOWN.items() for _ in questions]
    vectors = await for_questions(minilm).embed(texts)
    taught = Wording().questions(texts, ["en"] * len(texts), owners, vectors)
    bare: dict[str, tuple[str, list[str]]] = {i: (title, []) for i, (title, _) in KNOWN.items()}
    async with opened(tmp_path, minilm) as knowledge:
        await knowledge.ingest(write(tmp_path / "articles.jsonl", bare))
        await knowledge.teach(taught)
        with_tickets = (await knowledge.search(ask("give me back what I paid")))[0]
        await knowledge.teach(None)
        without = (await knowledge.search(ask("give me back what I paid")))[0]

    assert (with_tickets.article_id, without.known) == ("refunds", None)
    assert (with_tickets.known or 0) > 0.2


async def test_without_an_embedder_known_questions_are_left_alone(tmp_path: Path) -> None:
    async with opened(tmp_path, None) as knowledge:
        await knowledge.ingest(write(tmp_path / "articles.jsonl"))

        found = await knowledge.search(ask("vouchers"))

    assert [passage.article_id for passage in found] == ["vouchers"]
    assert found[0].known is None


async def test_what_another_embedding_model_was_taught_is_left_alone(
    tmp_path: Path, minilm: MiniLmEmbedder, caplog: pytest.LogCaptureFixture
) -> None:
    texts = [text for _, questions in KNOWN.values() for text in questions]
    owners = [article_id for article_id, (_, questions) in KNOWN.items() for _ in questions]
    narrow = Wording().questions(texts, ["en"] * len(texts), owners, np.eye(len(texts), 16, dtype=np.float32))
    bare: dict[str, tuple[str, list[str]]] = {i: (title, []) for i, (title, _) in KNOWN.items()}
    async with opened(tmp_path, minilm) as knowledge:
        await knowledge.ingest(write(tmp_path / "articles.jsonl", bare))
        await knowledge.teach(narrow)
        found = (await knowledge.search(ask("give me back what I paid")))[0]

    assert (found.article_id, found.known) == ("refunds", None)
    assert "learn again" in caplog.text


async def test_what_was_taught_with_an_endpoint_is_searched_after_a_restart(
    tmp_path: Path, minilm: MiniLmEmbedder, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        rows = await minilm.embed(json.loads(request.content)["input"])
        data = [{"index": place, "embedding": row.tolist()} for place, row in enumerate(rows)]
        return httpx.Response(200, json={"data": data})

    def endpoint() -> OpenAiEmbedder:
        """As a process that starts has it: how long its vectors are isn't known yet."""
        return OpenAiEmbedder("http://embeddings.example/v1", model="small", transport=httpx.MockTransport(answer))

    texts = [text for _, questions in KNOWN.values() for text in questions]
    owners = [article_id for article_id, (_, questions) in KNOWN.items() for _ in questions]
    taught = Wording().questions(texts, ["en"] * len(texts), owners, await for_questions(endpoint()).embed(texts))
    bare: dict[str, tuple[str, list[str]]] = {i: (title, []) for i, (title, _) in KNOWN.items()}
    async with opened(tmp_path, endpoint(), taught=taught) as knowledge:
        await knowledge.ingest(write(tmp_path / "articles.jsonl", bare))
    async with opened(tmp_path, endpoint(), taught=taught) as knowledge:
        first = (await knowledge.search(ask("give me back what I paid")))[0]

    assert (first.article_id, caplog.text) == ("refunds", "")
    assert (first.known or 0) > 0.2
