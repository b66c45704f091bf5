"""Sister articles, one per product: which of them is meant is said by a name, and nobody lists the names."""

from pathlib import Path

import pytest

from tests.tools.knowledge.arrange import ask, opened, write_articles
from tools.embedding.minilm import MiniLmEmbedder
from tools.knowledge.articles import Article
from tools.knowledge.split import split
from tools.knowledge.subjects import Subjects
from tools.storage.knowledge import ArticleRow, PassageRow

PRODUCTS = ("Purple", "Cobalt", "Evergreen", "Beige")


def base() -> dict[str, tuple[str, str]]:
    articles = {
        f"{name.lower()}-{what}": (
            f"{name} Account: {title}",
            f"With the {name} Account you pay {fee} for this. The fee of your {name} Account is on the statement.",
        )
        for number, name in enumerate(PRODUCTS)
        for what, title, fee in (
            ("cash", "Cash machine fees", f"{number + 1} dollars"),
            ("wire", "Wire transfer fees", f"{number + 20} dollars"),
        )
    }
    filler = {
        f"general-{n}": (f"About {topic}", f"This page explains {topic} for everyone, whatever they have.")
        for n, topic in enumerate(("statements", "passwords", "letters", "branches", "holidays", "cheques", "deposits"))
    }
    return (
        articles | filler | {"general-fees": ("Cash machine fees", "What cash machines cost depends on the account.")}
    )


def subjects(articles: dict[str, tuple[str, str]], language: str = "en") -> Subjects:
    rows = {
        i: ArticleRow(i, title, None, None, (), language, None, None, "", body, "")
        for i, (title, body) in articles.items()
    }
    pieces = [piece for i, (title, body) in articles.items() for piece in split(Article(i, title, body, source=""))]
    return Subjects(rows, [PassageRow(p.passage_id, p.article_id, p.section, p.position, p.text, "") for p in pieces])


def test_names_are_found_without_being_listed() -> None:
    found = subjects(base())

    assert found.of("purple-cash") == {"purple"}
    assert found.of("evergreen-wire") == {"evergreen"}
    assert found.of("general-fees") == frozenset()
    assert found.of("nowhere") == frozenset()


@pytest.mark.parametrize(
    ("question", "article_id", "fit"),
    [
        ("cash machine fees of my purple account", "purple-cash", 1),
        ("cash machine fees of my purple account", "beige-cash", -1),
        ("cash machine fees of my purple account", "general-fees", 0),
        ("cash machine fees", "purple-cash", -1),
    ],
)
def test_a_question_names_a_subject_or_not(question: str, article_id: str, fit: int) -> None:
    assert subjects(base()).fit(question)(article_id) == fit


def test_german_capitals_name_nothing() -> None:
    assert subjects(base(), "de").of("purple-cash") == frozenset()


@pytest.mark.parametrize("articles", [{}, {"one": ("Only One", "Nothing more.")}])
def test_a_base_of_nothing_has_no_names(articles: dict[str, tuple[str, str]]) -> None:
    assert subjects(articles).of("one") == frozenset()


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("what do I pay at cash machines with my Evergreen account", "evergreen-cash"),
        ("wire transfer fee for a beige account", "beige-wire"),
        ("what does a cash machine cost", "general-fees"),
    ],
)
async def test_the_named_sister_comes_first_and_the_general_article_when_none_is_named(
    tmp_path: Path, minilm: MiniLmEmbedder, question: str, first: str
) -> None:
    async with opened(tmp_path, minilm) as store:
        await store.ingest(write_articles(tmp_path / "kb", base()))

        found = await store.search(ask(question))

    assert found[0].article_id == first


async def test_a_long_message_finds_the_article_that_is_about_all_of_it(tmp_path: Path, minilm: MiniLmEmbedder) -> None:
    moving = (
        "Tell us the new address under Profile.\n\n## Cards\n\nYour card goes on working after the move.\n\n"
        "## Post\n\nLetters that were sent to the old flat are sent again to the new one.\n\n"
        "## Tax\n\nIn another state the tax form changes as well."
    )
    articles = base() | {"moving": ("Moving house", moving)}
    story = (
        "Hello, my wife and I are leaving our flat at the end of the month because of her new job in another state. "
        "I am worried about letters that still go to the old place, whether our cards keep working there, and what "
        "happens with the tax form. What do we have to tell you, and when?"
    )
    async with opened(tmp_path, minilm) as store:
        await store.ingest(write_articles(tmp_path / "kb", articles))

        found = await store.search(ask(story))

    assert found[0].article_id == "moving"
