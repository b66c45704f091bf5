"""The encoder behind search: it finds what customers ask for better than the model that it was taught from."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.fast_yaml import parse_yaml
from agent.ports import Embedder
from tests.help_centres.__main__ import conversations
from tools.embedding import search_encoder
from tools.embedding.by_language import searching
from tools.embedding.minilm import MiniLmEmbedder
from tools.embedding.remembered import RememberedEmbedder
from tools.embedding.weights import find_weights
from tools.knowledge.ingest import embedded_text
from tools.knowledge.sources import read_source

_CENTRES = Path(__file__).parents[2] / "help_centres"
_ASKED = Path(search_encoder.__file__).parents[1] / "knowledge" / "data" / "asked"


async def right_first(embedder: Embedder, name: str) -> list[bool]:
    """Of the answerable first questions of a help centre: whether the nearest passage is of a right article."""
    read = read_source(_CENTRES / name / "articles")
    titles = {article.article_id: article.title for article in read.articles}
    opening = [conversation["turns"][0] for conversation in conversations(name)]
    asked = [turn for turn in opening if turn["expect"] == ["answer"]]
    questions = await embedder.embed([turn["user"] for turn in asked])
    passages = await embedder.embed([embedded_text(titles[p.article_id], p.section, p.text) for p in read.pieces])
    nearest: NDArray[np.int64] = (questions @ passages.T).argmax(axis=1)
    return [read.pieces[at].article_id in turn["article"] for at, turn in zip(nearest, asked, strict=True)]


async def test_of_products_that_it_never_saw_it_finds_more_than_the_model_that_it_was_taught_from(
    minilm: MiniLmEmbedder,
) -> None:
    names = ("book", "vault")
    plain = [right for name in names for right in await right_first(minilm, name)]
    taught = [right for name in names for right in await right_first(searching(minilm), name)]

    # Reached: 0.807 of 135, where the published weights have 0.711. Three more centres say the same.
    assert np.mean(taught) >= np.mean(plain) + 0.04


def test_a_model_has_it_and_others_search_as_they_are(minilm: MiniLmEmbedder) -> None:
    assert searching(minilm) is searching(RememberedEmbedder(minilm))
    assert searching(minilm).name.startswith("minilm-search-")
    assert searching(searching(minilm)) is searching(minilm)


@pytest.mark.parametrize("content", [None, b"no arrays"])
def test_without_what_is_shipped_the_model_itself_searches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_cache: Path, content: bytes | None
) -> None:
    path = tmp_path / "search.npz"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(search_encoder, "SHIPPED", path)
    weights = find_weights()
    assert weights is not None

    embedder = MiniLmEmbedder.open(weights, model_cache)

    assert searching(embedder) is embedder


def test_what_it_was_taught_with_names_passages_that_there_are() -> None:
    files = sorted(_ASKED.glob("*.yaml"))
    assert len(files) == 96
    for path in files:
        passages = parse_yaml(path.read_text(encoding="utf-8"))["passages"]
        ids = [passage["id"] for passage in passages]
        assert len(ids) == len(set(ids)) >= 18, path.name
        for passage in passages:
            assert passage["title"], path.name
            assert passage["text"], path.name
            assert all(isinstance(asked, str) for asked in passage["asked"]), path.name
            for asked, others in (passage.get("also") or {}).items():
                assert asked in passage["asked"], (path.name, asked)
                assert set(others) <= set(ids), (path.name, asked)
