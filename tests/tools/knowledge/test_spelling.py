"""Misspelt questions, read by the articles' own words."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.knowledge.arrange import ask, opened, write_articles
from tools.embedding.minilm import MiniLmEmbedder
from tools.knowledge.spelling import KnownWords, Spelling

TEXTS = {
    "Download your invoices": "This is how. Every invoice is under Settings: Download. A receipt shows the address.",
    "Change your password": "Change the password under Settings. Two-factor login asks for a code after the password.",
    "Cancel your subscription": "You can cancel the subscription or the business plan. Export the report before.",
    "Rechnungen herunterladen": "Jede Rechnung steht unter Einstellungen. Mitglieder sehen die Rechnung nicht.",
    "Descargar facturas": "Las facturas están en Ajustes. Se puede exportar cada factura.",
    "Webhooks for Zyntra": "Zyntra sends a webhook for each event. The webhook is signed; Zyntra tries again.",
}


@pytest.fixture(scope="module")
def spelling(model_cache: Path) -> Spelling:
    return Spelling(TEXTS, TEXTS.values(), KnownWords.open(model_cache))


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("hwo do i dowload my invocies", "how do i download my invoices"),
        ("how do i chagne my pasword?", "how do i change my password?"),
        ("Cancle my subscripton, please.", "Cancel my subscription, please."),
        ("rechung herunterlden", "rechnung herunterladen"),
        ("descargar la factua", "descargar la factura"),
        ("the zyntar webhoks are late", "the zyntra webhooks are late"),
    ],
)
def test_a_misspelt_word_is_read_as_the_articles_spell_it(spelling: Spelling, asked: str, meant: str) -> None:
    assert spelling.mended(asked) == meant


@pytest.mark.parametrize(
    "asked",
    [
        "How do I change a colleague's report?",  # A word of the dictionary, and none of the articles.
        "is there a plane from here, and who pays the cancellation",
        "my name is Pasword and I work for Recept",  # Names.
        "see pasword@example.com or https://x.example/invocie or invocie.pdf or invocie-2",
        "PASWORD",
        "the invo and the fooo",  # Too short to tell, and near to nothing.
        "xqzzkw",
        "",
    ],
)
def test_what_is_right_or_a_name_stays(spelling: Spelling, asked: str) -> None:
    assert spelling.mended(asked) == asked


def test_a_word_that_only_one_article_misspells_is_nobodys_model(model_cache: Path) -> None:
    assert Spelling([], ["The pasword."], KnownWords.open(model_cache)).mended("my paswort") == "my paswort"


@given(
    text=st.text(max_size=200)
    | st.lists(st.sampled_from(["invocie", "pasword", "4x", "Cancle", "¿", "\n", "@", ".", "download"])).map(" ".join)
)
def test_nothing_but_words_is_touched_and_once_is_enough(spelling: Spelling, text: str) -> None:
    once = spelling.mended(text)

    assert spelling.mended(once) == once
    assert len(once.split()) == len(text.split())


def test_a_message_of_unknown_words_is_not_searched_for_each(spelling: Spelling) -> None:
    unknown = ["qqzx" + "abcdefghij"[n] * 4 for n in range(10)]

    assert spelling.mended(" ".join([*unknown[:7], "pasword", "pasword"])).endswith("password password")
    assert spelling.mended(" ".join([*unknown, "pasword"])).endswith(" pasword")


def test_the_dictionary_is_made_once_and_read_back(tmp_path: Path) -> None:
    made = KnownWords.read(tmp_path)
    (path,) = tmp_path.iterdir()
    at = path.stat().st_mtime_ns
    read = KnownWords.read(tmp_path)
    path.write_bytes(b"damaged")
    again = KnownWords.read(tmp_path)

    assert path.stat().st_mtime_ns != at
    for words in (made, read, again):
        assert all(word in words for word in ("colleague", "kündigen", "contraseña"))
        assert "pasword" not in words


async def test_a_base_mends_by_what_it_holds_now(tmp_path: Path, minilm: MiniLmEmbedder) -> None:
    async with opened(tmp_path, minilm) as store:
        before = store.mended("the termnial is offline")
        await store.ingest(write_articles(tmp_path / "kb"))
        after = store.mended("the termnial is offline")
        found = await store.search(ask(store.mended("conect the termnial")))

    assert before == "the termnial is offline"
    assert after == "the terminal is offline"
    assert found[0].article_id == "pair-terminal"
