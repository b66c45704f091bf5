"""Which sentences of an article are quoted, and which go with them."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from agent.types import Passage
from tests.tools.engines.conftest import Asking, said
from tests.tools.engines.shop import passage
from tests.tools.engines.test_answers import claims
from tools.engines.local.pieces import cut
from tools.engines.local.questions import asks_for_steps
from tools.knowledge.articles import Article
from tools.knowledge.split import split

DOMAINS = """Mail providers refuse mail from shops whose domain isn't verified. That's why a shop verifies its domain \
with us before it sends any. You need access to the settings of your domain.

## First time

1. Open **Settings > Sender** and press **Add**.
2. Type the part behind the @, for example `news.shop.example`, and press **Next**.
3. You see two records of the kind CNAME and one of the kind TXT. Copy all three of them.
4. Log in at your provider and create them there, exactly as they are.
5. Come back and press **Look**.

## It fails

- Your provider may add the name by itself. If a record ends in `shop.example.shop.example`, enter only its first part.
- If a proxy stands before the records, switch it off for all of them.
- Remove old records before you add new ones.
- A domain can be verified by one shop only.
- Free addresses such as gmail.example can't be verified."""

FOOTERS = """Each message ends with a footer that names your shop. It can't be taken away, since the law asks for it.

## Colours

Footers have the colours of your shop: the footer's text, its lines and its links. You can change the footer's words \
too, and put the footer in a box, so that the footer looks like a label."""

ACCIDENTS = """## Deleted customers

A customer who was deleted by accident gets a message that says so, and stays in the list of those deleted for a month.

## Customers who left

You can't add somebody again who left. Send the link to your shop's front page.

## Add customers by hand

Open **People** and press **Add a customer**. A customer who was added by hand gets a message, and may leave by its \
link. Of many customers at once, upload a file."""


def found(body: str) -> Sequence[Passage]:
    """An article's passages, as if all of them came near."""
    return [
        replace(
            passage("refund-policy", text=piece.text),
            passage_id=f"refund-policy#{piece.position}",
            section=piece.section,
            position=piece.position,
        )
        for piece in split(Article("refund-policy", "Help", body, "help.md"))
    ]


async def answer(ask: Asking, question: str, body: str) -> str:
    return "\n".join(sentence.text for sentence in claims(await ask(question, *found(body))))


async def test_how_something_is_done_is_answered_by_its_steps(ask: Asking) -> None:
    said = await answer(ask, "How do I verify my domain?", DOMAINS)

    assert "1. Open **Settings > Sender**" in said
    assert "5. Come back" in said


async def test_a_sentence_about_the_one_before_it_is_read_with_it(ask: Asking) -> None:
    said = await answer(ask, "can I remove the footer", FOOTERS)

    assert "names your shop. It can't be taken away, since the law asks for it." in said


async def test_a_short_paragraph_is_quoted_whole(ask: Asking) -> None:
    said = await answer(ask, "a customer left by accident, can I add them again", ACCIDENTS)

    assert "You can't add somebody again who left. Send the link to your shop's front page." in said


INVITING = """Owners and admins invite people under **Settings > Members**.

1. Go to **Settings > Members**.
2. Select **Invite member**.
3. Enter one or more e-mail addresses and choose a role.

The invitation is valid for 7 days. Then you send another one.

You can enter up to 50 addresses at once, separated by commas.

## Guests

Guests with the client role need no seat. They see what is shared with them."""
QUESTION = "How do I invite people?"


@pytest.mark.parametrize(
    ("follow_up", "told"),
    [
        ("and how long is it valid?", "The invitation is valid for 7 days. Then you send another one."),
        ("and how many addresses at once?", "You can enter up to 50 addresses at once, separated by commas."),
    ],
)
async def test_a_question_behind_an_answer_is_given_the_one_paragraph_of_it(
    ask: Asking, follow_up: str, told: str
) -> None:
    inviting = found(INVITING)[:1]
    history = said(QUESTION, f"> {inviting[0].text.render_plain()} [1]")

    assert [sentence.text for sentence in claims(await ask(follow_up, *inviting, history=history))] == [told]


async def test_a_question_behind_an_answer_is_given_what_that_has_not_told(ask: Asking) -> None:
    first = [sentence.text for sentence in claims(await ask(QUESTION, *found(INVITING)[:1]))]
    history = said(QUESTION, "> " + " ".join(first))

    told = [sentence.text for sentence in claims(await ask("and guests?", *found(INVITING), history=history))]

    assert told == ["Guests with the client role need no seat. They see what is shared with them."]


async def test_who_asks_the_same_again_is_told_it_again(ask: Asking) -> None:
    inviting = found(INVITING)[:1]
    first = [sentence.text for sentence in claims(await ask(QUESTION, *inviting))]
    history = said(QUESTION, "> " + " ".join(first))

    for question in (QUESTION, "and how does that work?"):
        told = [sentence.text for sentence in claims(await ask(question, *inviting, history=history))]
        assert any("1. Go to **Settings > Members**." in text for text in told)


async def test_other_sections_are_quoted_where_they_are_nearly_as_good(ask: Asking) -> None:
    body = "**Which cards do you take?** Visa.\n\n**Where do you deliver?** In all of Europe, and to Chile by ship."

    assert await answer(ask, "which cards do you take", body) == "Visa."
    both = await answer(ask, "Which cards do you take? And where can you deliver to?", body)
    assert both == "Visa.\nIn all of Europe, and to Chile by ship."


def test_what_only_names_the_next_sentence_is_quoted_with_it() -> None:
    text = "**Lost parcels.** We look for them. **Really?** Yes.\n\nIs it late? Write to us. **Late** is after a week."

    assert [piece.text for piece in cut(passage("refund-policy", text=text))] == [
        "**Lost parcels.** We look for them.",
        "**Really?** Yes.",
        "Is it late? Write to us.",
        "**Late** is after a week.",
    ]


@pytest.mark.parametrize(
    "question",
    ["How do I pay?", "i don't know how to pay", "Wie bezahle ich?", "und wie geht das", "¿Cómo pago?", "como pago"],
)
def test_questions_that_ask_for_steps(question: str) -> None:
    assert asks_for_steps(question)


@pytest.mark.parametrize(
    "question",
    ["how long does it take", "How many are there?", "wie lange dauert das", "Wie viele sind es?", "¿cuánto cuesta?"],
)
def test_questions_that_ask_for_none(question: str) -> None:
    assert not asks_for_steps(question)
