"""How an article is named when we ask whether it is about that, and how that is found again."""

import pytest

from agent.dialogue import confirmed_question, named
from agent.types import Author, Citation, Language, Message, Route, Source, Untrusted
from tests.fakes import MONDAY_NOON, ask

GDPR = Citation(1, "gdpr", "Data protection (GDPR)", "", None, "gdpr#0")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "“Data protection (GDPR)” [1]"),
        ("de", "„Data protection (GDPR)“ [1]"),
        ("es", "«Data protection (GDPR)» [1]"),
    ],
)
@pytest.mark.parametrize("said", ["yes", "ja", "sí", "data protection (gdpr)"])
def test_a_title_stands_in_the_languages_quotes_and_is_known_by_them(language: Language, text: str, said: str) -> None:
    assert named(GDPR, language) == text

    question = Message("m1", Author.CUSTOMER, Untrusted.of("Where is my data?", Source.CUSTOMER), MONDAY_NOON)
    asked = Message(
        "m2",
        Author.BOT,
        Untrusted.of(f"The nearest: {text}.", Source.CUSTOMER),
        MONDAY_NOON,
        route=Route.CLARIFY,
        citations=(GDPR,),
    )
    confirmed = confirmed_question(ask(said, history=(question, asked)))

    assert confirmed is not None
    assert confirmed.article_id == "gdpr"
