"""Questions of articles that have no heading, as passages have them."""

import pytest

from tools.knowledge.articles import Article
from tools.knowledge.faqs import asks
from tools.knowledge.split import Piece, split

PAYING = "How can I pay?"
CARD = "By card. PayPal isn't offered."


def read(body: str) -> list[tuple[str, str]]:
    """Each passage as its section and its text."""
    return [(piece.section, piece.text) for piece in pieces(body)]


def pieces(body: str) -> list[Piece]:
    return split(Article("faq", "Billing", body, "faq.md"))


@pytest.mark.parametrize(
    "body",
    [
        f"## {PAYING}\n\n{CARD}",
        f"**{PAYING}** {CARD}",
        f"**{PAYING}**\n{CARD}",
        f"**{PAYING}**  \n{CARD}",
        f"**{PAYING}**\\\n{CARD}",
        f"**{PAYING}**<br>{CARD}",
        f"**{PAYING}**\n\n{CARD}",
        f"**{PAYING}** – {CARD}",
        f"**How can I pay**? {CARD}",
        f"**How can\nI pay?** {CARD}",
        f"**{PAYING}:** {CARD}",
        f"__{PAYING}__ {CARD}",
        f"Q: {PAYING}\nA: {CARD}",
        f"Q: {PAYING}\n\nA: {CARD}",
        f"Q1: {PAYING} A1: {CARD}",
        f"**Q:** {PAYING}\n\n**A:** {CARD}",
        f"**Q: {PAYING}**\n\nA: {CARD}",
        f"Frage: {PAYING}\nAntwort: {CARD}",
        f"P: {PAYING}\nR: {CARD}",
    ],
)
def test_a_question_without_a_heading_reads_as_with_one(body: str) -> None:
    assert read(body) == [(PAYING, CARD)]


@pytest.mark.parametrize(
    "question", ["¿Hay descuentos?", "Wo finde ich die Rechnungen?", "My payment failed. What now?", "What is “E42”?"]
)
def test_it_may_be_asked_in_any_language(question: str) -> None:
    assert read(f"**{question}** {CARD}\n\n**Is it safe?** Yes.") == [(question, CARD), ("Is it safe?", "Yes.")]


def test_questions_in_one_paragraph_are_told_apart() -> None:
    assert read("What people ask.\n**Is it safe?** Yes,\nvery.\n**Is it free?** No.") == [
        ("", "What people ask."),
        ("Is it safe?", "Yes,\nvery."),
        ("Is it free?", "No."),
    ]


def test_an_answer_goes_on_to_the_next_question_or_heading() -> None:
    body = """Everything about paying.

## Cards

**How do I change the card?**

1. Open **Settings**.
2. Click **Replace**.

**Note:** only the owner can.

**Admins** see the card.

**Which cards do you take?**

| Card | Fee |
| --- | --- |
| Visa | 0 € |

## Refunds

Within 14 days."""
    assert read(body) == [
        ("", "Everything about paying."),
        (
            "How do I change the card?",
            "1. Open **Settings**.\n2. Click **Replace**.\n\n**Note:** only the owner can.\n\n**Admins** see the card.",
        ),
        ("Which cards do you take?", "- **Card: Visa** · Fee: 0 €"),
        ("Refunds", "Within 14 days."),
    ]


@pytest.mark.parametrize("own", ["**My card was declined.** We try again.", "**Backup:** every night.", "---\n\nBye."])
def test_what_has_a_beginning_of_its_own_answers_no_question_before_it(own: str) -> None:
    assert read(f"## Paying\n\n**Is it safe?** Yes.\n\n{own}") == [
        ("Is it safe?", "Yes."),
        ("Paying", own.removeprefix("---\n\n")),
    ]


@pytest.mark.parametrize(
    "body",
    [
        "**Note:** is it plugged in?",
        "**Admins** can pay. Can you?",
        "1. **Is it plugged in?** Look at the lamp.\n2. **Is it on?** Press the button.",
        "- **Plus?** A plan.\n- **Pro?** Another.",
        "The law is clear.\n\n**Why?** Nobody knows.",
        "You may ask **how can I pay?** here.",
        "Q: no question\nA: no answer",
        "**What do we ask?**\n\n**Who answers?**",
        "```\n**How can I pay?** By card.\n```",
        "> **How can I pay?** By card.",
    ],
)
def test_what_is_no_question_with_an_answer_stays_as_it_is(body: str) -> None:
    assert read(body) == [("", body)]


def test_only_articles_that_ask_so_are_read_again() -> None:
    """Whoever has taken one in before has its questions in the midst of its text."""
    assert asks(f"Hello.\n\n**{PAYING}** {CARD}")
    assert asks(f"Q: {PAYING}\nA: {CARD}")
    assert not asks(f"**Admins** pay. Do you?\n\n## {PAYING}\n\n{CARD}")
    # What the installations before have of both.
    asking = Article("a", "A", "**How can I pay?** By card.", "a.md")
    assert asking.content_hash != "9037118c59136b8e67472fa43cb3bc00dfe0d26eab19039e74db9541119a2be2"
    assert (
        Article("a", "A", "By card.", "a.md").content_hash
        == "e0807c78e8e17d4effab8c5db282030e6bfc5f40b5003d3c44728dfcb2182dd9"
    )


@pytest.mark.parametrize("sign", ["**", "__", "** ", "**a?**", "Q: a?\n", "Q: ", "[", "`"])
def test_a_long_text_of_signs_takes_no_long_time(sign: str) -> None:
    assert pieces("a " + sign * 20_000 + " b")
