"""An embedder that is told the texts' language."""

import numpy as np

from tests.tools.engines.shop import HashedEmbedder
from tools.embedding.by_language import beyond_english, by_language, searching
from tools.embedding.minilm import MiniLmEmbedder
from tools.embedding.remembered import RememberedEmbedder


async def test_english_alone_is_read_by_the_model_for_search(minilm: MiniLmEmbedder) -> None:
    reading = by_language(minilm, {"en"})

    rows = await reading.embed(["how do I cancel"], "en")

    assert reading.name == searching(minilm).name
    assert reading.stretch("de") == 1.0
    assert np.array_equal(rows, await searching(minilm).embed(["how do I cancel"]))


async def test_beside_other_languages_english_keeps_its_cosines(minilm: MiniLmEmbedder) -> None:
    reading = by_language(minilm, {"en", "de"})
    texts = ["how do I cancel", "Ending a subscription"]

    rows, alone = await reading.embed(texts, "en"), await searching(minilm).embed(texts)

    assert rows.shape == (2, reading.dimensions)
    assert np.isclose(rows[0] @ rows[1], alone[0] @ alone[1], atol=1e-5)
    assert reading.stretch("en") == 1.0


async def test_another_language_is_read_by_both(minilm: MiniLmEmbedder) -> None:
    reading = by_language(minilm, {"en", "de"})
    asked = "kein wlan in der halle, geht die app trotzdem?"
    offline, other = "Ohne Netz bucht die App weiter.", "Ein Platz mit Bestand kann nicht gelöscht werden."

    rows = await reading.embed([asked, offline, other], "de")
    alone = await minilm.embed([asked, offline, other])

    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
    assert rows[0] @ rows[1] - rows[0] @ rows[2] > alone[0] @ alone[1] - alone[0] @ alone[2]
    assert reading.stretch("de") > 1.0


async def test_where_nothing_is_english_an_english_question_is_read_by_both(minilm: MiniLmEmbedder) -> None:
    reading = by_language(minilm, {"de"})

    rows = await reading.embed(["cancel my subscription", "Abo kündigen", "Etiketten drucken"], "en")

    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.1
    assert reading.name != by_language(minilm, {"de", "en"}).name


async def test_a_model_of_many_languages_has_none_beside_it() -> None:
    many = HashedEmbedder()

    assert by_language(many, {"de", "es"}).name == many.name
    assert beyond_english(many) is many


async def test_a_memory_in_front_of_a_model_changes_nothing(minilm: MiniLmEmbedder) -> None:
    assert by_language(RememberedEmbedder(minilm), {"es"}).name == by_language(minilm, {"es"}).name
