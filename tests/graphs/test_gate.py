"""What of an answer gets out: sentence by sentence, in the source's words if need be, and how it ends otherwise."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.policy import CategoryPolicy, Defences, Policy, Scope
from agent.types import Kind, Mode, Outcome, Passage, Sentence, ToolCall, ToolResult
from graphs.translate import Finished
from tests.fakes import CALM, FakeKnowledge, FakeTool, ScriptedEngine, ask, fake_deps, passage
from tests.graphs.following import run, spoken, steps, values

ADDRESS = "https://help.example/en/download-invoices"
TRUE = Sentence("Invoices are under **Billing > History**.", cites=("p1",))
TWISTED = Sentence("Invoices are under **Billing > Future**.", cites=("p1",))
COURTESY = Sentence("Here is how:", claim=False)
NOT_CONFIRMED = "For the rest I find no confirmation"

POLICY = Policy(categories=(CategoryPolicy("billing", "Billing"),))


def article(passage_id: str, text: str, *, article_id: str = "other", section: str = "") -> Passage:
    return replace(passage(passage_id, text), article_id=article_id, section=section)


async def answered(
    *parts: Sentence | ToolCall, found: Sequence[Passage] = (passage(),), **engine: object
) -> tuple[Finished, list[dict[str, Any]]]:
    scripted = ScriptedEngine(parts=parts, **engine)  # type: ignore[arg-type]  # Test values by field name.
    return await run(fake_deps(engine=scripted, knowledge=FakeKnowledge(found)), ask("Where are my invoices?"))


# --- the source's own words


async def test_a_sentence_that_cannot_stand_is_said_in_its_sources_words() -> None:
    finished, events = await answered(TWISTED, rewritten=TRUE)

    assert spoken(events) == "Invoices are under **Billing > History**. [1]"
    assert finished.reply.outcome is Outcome.ANSWERED


async def test_the_sources_words_take_the_place_of_a_step_in_its_list() -> None:
    one = Sentence("1. Open the **Shop**.", cites=("p1",))
    two = Sentence("2. Choose **Cards**.", cites=("p1",))
    source = passage(text="1. Open **Billing**.\n2. Choose **Cards**.")
    # As a bullet; here it is the first step.
    quoted = Sentence("- Open **Billing**.", cites=("p1",))

    _, events = await answered(one, two, found=[source], rewritten=quoted)

    assert spoken(events) == "1. Open **Billing**. [1]\n2. Choose **Cards**. [1]"


async def test_the_sources_words_are_checked_too() -> None:
    _, events = await answered(TWISTED, TRUE, rewritten=Sentence("Invoices are free.", cites=("p1",)))

    assert spoken(events) == f"{TRUE.text} [1]"


async def test_what_was_said_already_is_not_said_again_in_its_sources_words() -> None:
    finished, events = await answered(TRUE, TWISTED, rewritten=TRUE)

    assert spoken(events).count("Billing > History") == 1
    assert "Future" not in finished.reply.text


async def test_a_turn_has_so_many_rewrites() -> None:
    engine = ScriptedEngine(parts=[TRUE, *[TWISTED] * 6], rewritten=None)

    await run(fake_deps(engine=engine, policy=replace(POLICY, rewrites_per_turn=2)), ask("Where?"))

    assert len(engine.asked_to_rewrite) == 2


async def test_rewrites_are_counted_over_the_whole_turn() -> None:
    engine = ScriptedEngine(
        parts=(TRUE, TWISTED, ToolCall("1:0", "account_status", {})), after_tools=(TWISTED, TWISTED), rewritten=None
    )

    await run(fake_deps(engine=engine, policy=replace(POLICY, rewrites_per_turn=2)), ask("Where?"))

    assert len(engine.asked_to_rewrite) == 2


async def test_what_cites_nothing_has_no_words_to_take() -> None:
    engine = ScriptedEngine(parts=(TRUE, Sentence("Invoices are free.")), rewritten=TRUE)

    await run(fake_deps(engine=engine), ask("Where?"))

    assert engine.asked_to_rewrite == []


async def test_when_nothing_stands_the_sources_are_quoted() -> None:
    finished, events = await answered(COURTESY, TWISTED, quoted=(TRUE,))

    assert spoken(events) == f"{TRUE.text} [1]"
    assert finished.reply.outcome is Outcome.ANSWERED


async def test_when_something_stands_nothing_is_quoted() -> None:
    source = passage(text=f"{TRUE.text} They are PDFs.")

    _, events = await answered(TRUE, TWISTED, found=[source], quoted=(Sentence("They are PDFs.", cites=("p1",)),))

    assert "PDFs" not in spoken(events)


# --- how an answer ends


async def test_an_answer_ends_at_a_step_that_cannot_stand() -> None:
    source = passage(text="1. Open **Billing**.\n2. Choose **History**.\n3. Press **Download**.")
    steps_of_it = [
        Sentence("1. Open **Billing**.", cites=("p1",)),
        Sentence("2. Enter your card number.", cites=("p1",)),
        Sentence("3. Press **Download**.", cites=("p1",)),
    ]

    finished, events = await answered(*steps_of_it, found=[source])

    assert spoken(events).startswith("1. Open **Billing**. [1]\n\nFor the rest I find no confirmation")
    assert "Download" not in finished.reply.text
    assert finished.reply.outcome is Outcome.ASKED


async def test_a_sentence_that_cannot_stand_is_left_out_of_a_paragraph() -> None:
    finished, events = await answered(TRUE, Sentence("Invoices are free.", cites=("p1",)), TRUE)

    assert "free" not in spoken(events)
    assert finished.reply.outcome is Outcome.ANSWERED


async def test_an_answer_that_is_mostly_held_back_says_that_the_rest_is_not_confirmed() -> None:
    free = Sentence("Invoices are free.", cites=("p1",))

    finished, events = await answered(TRUE, free, free)

    assert spoken(events).startswith(f"{TRUE.text} [1]\n\n{NOT_CONFIRMED}")
    assert finished.reply.outcome is Outcome.ASKED
    assert finished.route == "clarify"
    assert [citation.n for citation in finished.reply.citations] == [1]


async def test_an_answer_cut_in_the_middle_says_so_and_offers_a_person() -> None:
    finished, events = await answered(TRUE, cut=True)

    assert "That is as far as I got" in spoken(events)
    assert (finished.reply.outcome, finished.route) == (Outcome.ASKED, "clarify")
    assert finished.reply.quick_replies[0].label == "Talk to a person"


async def test_calls_of_a_broken_answer_are_not_made() -> None:
    tool = FakeTool()
    engine = ScriptedEngine(parts=(TRUE, ToolCall("1:0", "account_status", {})), cut=True)

    _, events = await run(fake_deps(engine=engine, tools=(tool,)), ask("Where?"))

    assert tool.identities == []
    assert "use_tools" not in steps(events)


async def test_after_what_was_said_the_whole_message_is_kept_as_it_was_streamed() -> None:
    finished, events = await answered(TRUE, cut=True)

    assert values(events, "message")[0]["text"] == spoken(events) == finished.reply.text
    assert [e["type"] for e in events].count("TEXT_MESSAGE_START") == 1
    assert [e["type"] for e in events].count("TEXT_MESSAGE_END") == 1


# --- courtesies


async def test_a_courtesy_waits_for_a_claim_that_stands() -> None:
    _, events = await answered(COURTESY, TWISTED, TRUE, TRUE)

    assert spoken(events).startswith(f"{COURTESY.text} {TRUE.text} [1]")


async def test_a_courtesy_may_stand_alone_when_nothing_was_claimed() -> None:
    engine = ScriptedEngine(
        understanding=replace(CALM, kind=Kind.SMALL_TALK), parts=(Sentence("Good morning!", claim=False),)
    )

    finished, _ = await run(fake_deps(engine=engine), ask("Good morning"))

    assert finished.reply.text == "Good morning!"
    assert finished.reply.quick_replies == ()


async def test_a_courtesy_that_cites_nothing_there_is_held_back_and_the_turn_goes_on() -> None:
    finished, _ = await answered(TRUE, Sentence("I hope this helps.", cites=("p99",), claim=False))

    assert finished.reply.text == f"{TRUE.text} [1]"
    assert finished.reply.outcome is Outcome.ANSWERED


# --- promises and links


@pytest.mark.parametrize("claim", [True, False])
async def test_a_promise_gets_out_only_in_a_sources_words(claim: bool) -> None:
    promise = Sentence("We'll call you back within the hour.", cites=("p1",) if claim else (), claim=claim)

    made_up, _ = await answered(TRUE, promise)
    from_the_article, _ = await answered(TRUE, promise, found=[passage(text=f"{TRUE.text} {promise.text}")])

    assert "call you" not in made_up.reply.text
    assert ("call you" in from_the_article.reply.text) is claim


async def test_without_the_defence_a_promise_would_get_out() -> None:
    promise = Sentence("We'll call you back within the hour.", claim=False)
    off = replace(POLICY, defences=Defences(promises_are_kept=False))

    finished, _ = await run(fake_deps(engine=ScriptedEngine(parts=(TRUE, promise)), policy=off), ask("Where?"))

    assert "call you" in finished.reply.text


@pytest.mark.parametrize(
    ("text", "gets_out"),
    [
        (f"See [the article]({ADDRESS}).", True),
        ("See [the article](https://evil.example/login).", False),
        ("See https://help.example.evil/.", False),
        ("See https://help.example/en.", False),  # Not the page that was cited, but one above it.
        ("![](https://evil.example/pixel.png) There.", False),
        ("<img src=x onerror=alert(1)> There.", False),
        ("Write to [us](mailto:evil@evil.example).", False),
        ("See www.evil.example for it.", False),
    ],
)
@pytest.mark.parametrize("claim", [True, False])
async def test_an_answer_leads_nowhere_that_its_sources_do_not_lead(text: str, gets_out: bool, claim: bool) -> None:
    source = passage(text=f"{TRUE.text} {text}") if gets_out else passage()

    finished, _ = await answered(TRUE, Sentence(text, cites=("p1",), claim=claim), found=[source])

    assert (text in finished.reply.text) is gets_out


async def test_an_answer_may_lead_to_the_article_that_it_cites() -> None:
    here = Sentence(f"Here is [the article]({ADDRESS}).", cites=("p1",), claim=False)

    finished, _ = await answered(TRUE, here)

    assert finished.reply.text == f"{TRUE.text} [1] {here.text} [1]"


async def test_an_address_leads_there_only_for_who_cites_its_source() -> None:
    leads = article("p2", f"See {ADDRESS}.")
    linked = Sentence(f"See {ADDRESS}.", cites=("p1",))

    finished, _ = await answered(TRUE, linked, found=[replace(passage(), url=None), leads])

    assert ADDRESS not in finished.reply.text


# --- after tools


async def test_an_answer_goes_on_after_tools_with_what_it_said_and_its_numbers() -> None:
    last = Sentence("They never expire.", cites=("p1",))
    engine = ScriptedEngine(
        parts=(TRUE, ToolCall("1:0", "account_status", {})),
        after_tools=(
            Sentence("Your plan is team.", from_tool="account_status"),
            Sentence("They are PDFs.", cites=("p2",)),
            last,
        ),
    )
    knowledge = FakeKnowledge([passage(text=f"{TRUE.text} {last.text}"), article("p2", "They are PDFs.")])

    finished, events = await run(fake_deps(engine=engine, knowledge=knowledge), ask("Where?"))

    assert engine.briefs[1].said == f"{TRUE.text} [1]"
    assert spoken(events) == f"{TRUE.text} [1] Your plan is team. They are PDFs. [2] {last.text} [1]"
    assert [(c.n, c.passage_id) for c in finished.reply.citations] == [(1, "p1"), (2, "p2")]
    assert finished.reply.text == spoken(events)


async def test_what_was_held_back_before_the_tools_still_counts() -> None:
    free = Sentence("Invoices are free.", cites=("p1",))
    engine = ScriptedEngine(parts=(TRUE, free, free, ToolCall("1:0", "account_status", {})), after_tools=(COURTESY,))

    finished, events = await run(fake_deps(engine=engine), ask("Where?"))

    assert NOT_CONFIRMED in spoken(events)
    assert finished.reply.outcome is Outcome.ASKED


async def test_what_a_search_finds_may_be_cited() -> None:
    found_later = article("p9", "They are PDFs.", article_id="formats")

    class Search(FakeTool):
        async def call(self, call: ToolCall, arguments: object, context: object) -> ToolResult:
            return ToolResult(call.call_id, call.tool, ok=True, facts={"found": "1"}, passages=(found_later,))

    engine = ScriptedEngine(
        parts=(ToolCall("1:0", "account_status", {}),), after_tools=(Sentence("They are PDFs.", cites=("p9",)),)
    )

    finished, _ = await run(fake_deps(engine=engine, tools=(Search(),)), ask("What format?"))

    assert finished.reply.text == "They are PDFs. [1]"
    assert finished.reply.citations[0].article_id == "formats"
    assert [p.passage_id for p in engine.briefs[1].passages] == ["p1", "p9"]
    assert engine.briefs[1].found_later == 1


async def test_a_tool_that_failed_supports_nothing() -> None:
    class Failing(FakeTool):
        async def call(self, call: ToolCall, arguments: object, context: object) -> ToolResult:
            return ToolResult(call.call_id, call.tool, ok=False, facts={"plan": "team"}, error="stale")

    engine = ScriptedEngine(
        parts=(ToolCall("1:0", "account_status", {}),),
        after_tools=(Sentence("Your plan is team.", from_tool="account_status"),),
    )

    finished, _ = await run(fake_deps(engine=engine, tools=(Failing(),)), ask("My plan?"))

    assert finished.reply.outcome is Outcome.ASKED


async def test_sections_have_one_number_each() -> None:
    same, other = article("p2", "They are PDFs.", section="Format"), article("p3", "They are signed.", section="Format")
    source = replace(passage(), article_id="other", section="Where")

    finished, _ = await answered(
        TRUE,
        Sentence("They are PDFs.", cites=("p2", "p3")),
        Sentence("They are signed.", cites=("p3", "p1")),
        found=[source, same, other],
    )

    assert finished.reply.text == f"{TRUE.text} [1] They are PDFs. [2] They are signed. [2] [1]"
    assert [(c.n, c.section) for c in finished.reply.citations] == [(1, "Where"), (2, "Format")]


# --- how it is set


@pytest.mark.parametrize(
    ("texts", "set_as"),
    [
        (["A.", "B."], "A. [1] B. [1]"),
        (["A.", "1. One.", "2. Two.", "B."], "A. [1]\n\n1. One. [1]\n2. Two. [1]\n\nB. [1]"),
        (["- One.", "- Two."], "- One. [1]\n- Two. [1]"),
        (["A.", "\nB."], "A. [1]\n\nB. [1]"),
        (["A.", "```\ncode\n```", "B."], "A. [1]\n\n```\ncode\n``` [1]\n\nB. [1]"),
    ],
)
async def test_sentences_stay_in_their_paragraphs_and_steps_in_their_list(texts: list[str], set_as: str) -> None:
    source = passage(text="\n".join(texts))

    finished, _ = await answered(*(Sentence(text, cites=("p1",)) for text in texts), found=[source])

    assert finished.reply.text == set_as


PIECES = st.sampled_from(
    [TRUE, TWISTED, COURTESY, Sentence("1. Open **Billing**.", cites=("p1",)), Sentence("2. Lie.", cites=("p1",)),
     Sentence("- Also **Billing**.", cites=("p2", "p1")), Sentence("\nInvoices are free."), Sentence("?", claim=False),
     Sentence("I've refunded it.", claim=False), Sentence("Nowhere.", cites=("p7",)), Sentence("", claim=False),
     Sentence("Your plan is team.", from_tool="account_status"), ToolCall("1:0", "account_status", {}),
     ToolCall("1:1", "no_such_tool", {}), ToolCall("1:2", "hand_over", {}), ToolCall("1:3", "report_bug", {})]
)  # fmt: skip


@given(
    parts=st.lists(PIECES, max_size=6),
    later=st.lists(PIECES.filter(lambda part: isinstance(part, Sentence)), max_size=4),
    rewritten=st.sampled_from([None, TRUE]),
    quoted=st.sampled_from([(), (TRUE,)]),
    cut=st.booleans(),
)
@settings(max_examples=120, deadline=None)
async def test_whatever_an_engine_yields_a_turn_ends_and_leaves_what_it_said(
    parts: list[Sentence | ToolCall],
    later: list[Sentence],
    rewritten: Sentence | None,
    quoted: tuple[Sentence, ...],
    cut: bool,
) -> None:
    engine = ScriptedEngine(parts=parts, after_tools=later, rewritten=rewritten, quoted=quoted, cut=cut)
    knowledge = FakeKnowledge([passage(), article("p2", "1. Open **Billing**.\n- Also **Billing**.")])

    finished, events = await run(fake_deps(engine=engine, knowledge=knowledge), ask("Where are my invoices?"))

    text = spoken(events)
    assert finished.reply.text == text
    assert text.strip()
    assert finished.reply.mode in (Mode.BOT, Mode.WAITING)
    for lie in ("free", "Lie", "Future", "refunded", "Nowhere"):
        assert lie not in text
    assert all(f"[{citation.n}]" in text for citation in finished.reply.citations)
    assert [citation.n for citation in finished.reply.citations] == list(range(1, len(finished.reply.citations) + 1))


async def test_a_question_back_names_the_nearest_articles_as_plain_text() -> None:
    titled = replace(passage(), title="[Log in](https://evil.example) **now**")

    finished, _ = await run(
        fake_deps(engine=ScriptedEngine(evidence=0.3), knowledge=FakeKnowledge([titled])), ask("Where?")
    )

    assert "“Log in now”" in finished.reply.text
    assert "](" not in finished.reply.text


async def test_in_doubt_the_likely_article_is_shown_and_the_question_is_whether_it_is_about_that() -> None:
    engine = ScriptedEngine(evidence=0.6, quoted=[COURTESY, TRUE, Sentence("Invoices are free.", cites=("p1",))])
    found = [passage(), article("p2", "Refunds go to your card.")]

    finished, _ = await run(
        fake_deps(engine=engine, knowledge=FakeKnowledge(found), policy=POLICY), ask("Where are my invoices?")
    )

    assert finished.reply.outcome is Outcome.ASKED
    assert "says:\n\nInvoices are under **Billing > History**.\n\nIs it about that" in finished.reply.text
    assert "free" not in finished.reply.text
    assert [citation.n for citation in finished.reply.citations][:1] == [1]


@pytest.mark.parametrize(
    ("evidence", "scope", "quoted"),
    [(0.2, "answer", [TRUE]), (0.6, "suggest", [TRUE]), (0.6, "answer", []), (0.6, "answer", [TWISTED])],
    ids=["unlikely", "not to be answered", "nothing to quote", "nothing that may stand"],
)
async def test_otherwise_only_its_title_is_said(evidence: float, scope: Scope, quoted: list[Sentence]) -> None:
    engine = ScriptedEngine(evidence=evidence, quoted=quoted)
    policy = Policy(categories=(CategoryPolicy(CALM.category, "Its own", scope=scope),))

    finished, _ = await run(
        fake_deps(engine=engine, knowledge=FakeKnowledge([passage()]), policy=policy), ask("Where are my invoices?")
    )

    assert "History" not in finished.reply.text
    assert "The nearest I found" in finished.reply.text


async def test_so_it_is_where_quoting_breaks_off() -> None:
    engine = ScriptedEngine(evidence=0.6, quoted=[TRUE], fail_in="quote")

    finished, _ = await run(fake_deps(engine=engine, policy=POLICY), ask("Where are my invoices?"))

    assert finished.reply.outcome is Outcome.ASKED
    assert "The nearest I found" in finished.reply.text
