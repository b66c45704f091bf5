"""What "yes" means after we asked whether it is about an article."""

from dataclasses import dataclass, field, replace

import pytest

from agent.phrases import Phrase, phrase
from agent.types import Author, Kind, Message, Outcome, PageContext, Reply, Sentence, Source, Understanding, Untrusted
from tests.fakes import CALM, MONDAY_NOON, FakeKnowledge, ScriptedEngine, ask, fake_deps, passage
from tests.graphs.following import run

SAID = Sentence("Invoices are under **Billing > History**.", cites=("p1",))
OTHER = replace(passage("p2"), article_id="change-plan", title="Change plan 2.0")


@dataclass
class Listening(ScriptedEngine):
    """Remembers what it was to understand."""

    heard: list[tuple[tuple[str, ...], int]] = field(default_factory=list)

    async def understand(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], page: PageContext
    ) -> Understanding:
        self.heard.append((tuple(text.render_plain() for text in texts), len(history)))
        return await super().understand(texts, history, page)


def said(author: Author, text: str, reply: Reply | None = None, *, route: str | None = None) -> Message:
    citations = reply.citations if reply is not None else ()
    return Message("m", author, Untrusted.of(text, Source.CUSTOMER), MONDAY_NOON, route=route, citations=citations)


async def asked_back(*, found: bool = True, shown: bool = False) -> list[Message]:
    """The conversation so far: two questions, an answer, a question, and ours whether it is about an article."""
    knowledge = FakeKnowledge([passage(), OTHER] if found else [replace(passage(), score=0.2)])
    engine = ScriptedEngine(evidence=0.6, quoted=[SAID]) if shown else ScriptedEngine(evidence=0.3)
    finished, _ = await run(fake_deps(engine=engine, knowledge=knowledge), ask("My invoices?"))
    assert ("History" in finished.reply.text) is shown
    assert finished.reply.outcome is Outcome.ASKED
    assert ("[1]" in finished.reply.text) is found
    before = [said(Author.CUSTOMER, "Hello"), said(Author.BOT, "Hello!", route="answer")]
    question = [said(Author.CUSTOMER, "My invoices?"), said(Author.CUSTOMER, "Those of June")]
    return [*before, *question, said(Author.BOT, finished.reply.text, finished.reply, route=finished.route)]


async def reply_to(history: list[Message], *texts: str) -> tuple[Reply, Listening]:
    engine = Listening(evidence=0.3)
    knowledge = FakeKnowledge([passage(), OTHER])
    finished, _ = await run(fake_deps(engine=engine, knowledge=knowledge), ask(*texts, history=tuple(history)))
    return finished.reply, engine


@pytest.mark.parametrize("yes", ["yes", "Yes!", "ok", "exactly", phrase(Phrase.QR_THAT, "en"), "Ja, genau", "eso es"])
async def test_yes_is_answered_from_the_article_as_if_the_question_had_come_again(yes: str) -> None:
    reply, engine = await reply_to(await asked_back(), yes)

    assert reply.outcome is Outcome.ANSWERED
    assert engine.heard == [(("My invoices?", "Those of June"), 2)]


@pytest.mark.parametrize("pick", ["yes", "the second one", "Change plan 2.0"])
async def test_a_pick_asks_again_where_what_an_article_says_was_shown(pick: str) -> None:
    _, engine = await reply_to(await asked_back(shown=True), pick)

    assert engine.heard == [(("My invoices?", "Those of June"), 2)]


@pytest.mark.parametrize("wish", ["yes please", "please", "Ja, bitte", "sí, por favor"])
async def test_yes_please_takes_up_the_offer_of_a_person(wish: str) -> None:
    reply, _ = await reply_to(await asked_back(), wish)

    assert reply.outcome is Outcome.HANDED_OFF


async def test_yes_is_for_a_person_where_no_article_was_named() -> None:
    reply, engine = await reply_to(await asked_back(found=False), "yes")

    assert reply.outcome is Outcome.HANDED_OFF
    assert engine.heard == [(("yes",), 5)]


async def test_yes_is_for_a_person_where_an_answer_with_sources_broke_off() -> None:
    torn = ScriptedEngine(cut=True)
    finished, _ = await run(fake_deps(engine=torn, knowledge=FakeKnowledge()), ask("My invoices?"))
    assert finished.reply.citations
    asked = said(Author.BOT, finished.reply.text, finished.reply, route=finished.route)

    reply, _ = await reply_to([said(Author.CUSTOMER, "My invoices?"), asked], "yes")

    assert reply.outcome is Outcome.HANDED_OFF


async def test_ok_behind_an_answer_that_names_an_article_is_no_question() -> None:
    *before, asked = await asked_back()

    _, engine = await reply_to([*before, replace(asked, route="answer")], "ok")

    assert engine.heard == [(("ok",), 5)]


@pytest.mark.parametrize("other", ["yes, but for May", "yesterday", "no, for May", "where then?"])
async def test_anything_else_is_heard_for_itself(other: str) -> None:
    reply, engine = await reply_to(await asked_back(), other)

    assert reply.outcome is not Outcome.ANSWERED
    assert engine.heard == [((other,), 5)]


@pytest.mark.parametrize(
    ("said_then", "article_id"),
    [
        *(("yes", passage().article_id), ("the first one", passage().article_id), ("1", passage().article_id)),
        *(("Change plan 2.0", "change-plan"), ("change  PLAN 2.0", "change-plan"), ("2.", "change-plan")),
        *(("The second one.", "change-plan"), ("das zweite", "change-plan"), ("la segunda", "change-plan")),
    ],
)
async def test_the_article_that_was_picked_is_what_is_answered_from(said_then: str, article_id: str) -> None:
    _, engine = await reply_to(await asked_back(), said_then)

    (brief,) = engine.briefs
    assert {found.article_id for found in brief.passages} == {article_id}
    assert engine.heard == [(("My invoices?", "Those of June"), 2)]


@pytest.mark.parametrize("kind", [Kind.FEATURE_REQUEST, Kind.SMALL_TALK, Kind.ABUSE])
async def test_a_question_that_sounds_like_none_is_one_once_its_article_is_confirmed(kind: Kind) -> None:
    history = await asked_back()
    heard = replace(CALM, kind=kind, kind_confidence=0.95)
    engine = ScriptedEngine(understanding=heard, evidence=0.3)

    finished, _ = await run(fake_deps(engine=engine), ask("Yes, that's it", history=tuple(history)))

    assert finished.reply.outcome is Outcome.ANSWERED
    assert finished.reply.citations


async def test_an_article_that_has_gone_meanwhile_is_not_answered_from_another() -> None:
    engine = ScriptedEngine(evidence=0.3)
    deps = fake_deps(engine=engine, knowledge=FakeKnowledge([OTHER]))

    finished, _ = await run(deps, ask("yes", history=tuple(await asked_back())))

    assert finished.reply.outcome is Outcome.HANDED_OFF
    assert engine.briefs == []


async def test_of_several_articles_each_can_be_picked_by_its_title() -> None:
    knowledge = FakeKnowledge([passage(), OTHER])
    finished, _ = await run(fake_deps(engine=ScriptedEngine(evidence=0.3), knowledge=knowledge), ask("My invoices?"))

    offered = [(reply.label, reply.text) for reply in finished.reply.quick_replies[:2]]
    assert offered == [(passage().title, passage().title), (OTHER.title, OTHER.title)]


async def test_the_question_offers_to_say_yes_only_where_it_names_an_article() -> None:
    named, _ = await run(fake_deps(engine=ScriptedEngine(evidence=0.3)), ask("My invoices?"))
    unnamed, _ = await run(
        fake_deps(engine=ScriptedEngine(evidence=0.3), knowledge=FakeKnowledge([])), ask("My invoices?")
    )

    yes = phrase(Phrase.QR_THAT, CALM.language)
    assert named.reply.quick_replies[0].text == yes
    assert yes not in [reply.text for reply in unnamed.reply.quick_replies]
    assert [citation.article_id for citation in named.reply.citations] == [passage().article_id]
