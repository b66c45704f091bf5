"""Answers in the forms that models give them: a good one arrives, and nothing of the form is left in it."""

import json

import pytest

from agent.types import Outcome
from tests.fakes import VERIFIED, FakeKnowledge, FakeTool, ask, passage
from tests.llm import INVOICES, QUESTION, article, desk
from tests.model_server.parts import Sent
from tests.model_server.replies import Reply, calls, says, says_and_calls
from tests.model_server.wire import Request, delta_event, stream
from tools.engines.local.engine import LocalEngine

ONE = "Open **Settings > Billing** and select **History**."
TWO = "Select **Download PDF** next to the month you need."
SAID = f"{ONE} [1] {TWO} [1]"
REST = "For the rest I find no confirmation"


def sends(*deltas: dict[str, object], finish: str = "tool_calls") -> Reply:
    """These deltas, as they are."""

    def moves(request: Request) -> list[bytes]:
        return [*(delta_event(request, delta) for delta in deltas), delta_event(request, {}, finish=finish)]

    return Sent(lambda request: stream(moves(request)))


# --- lists


@pytest.mark.parametrize(
    "text",
    [
        f"1. {ONE} [1]\n2. {TWO} [1]",
        f"Sure! Here's how you can download your invoices:\n\n1. {ONE} [1]\n2. {TWO} [1]\n\nLet me know!",
        f"**How to download your invoices**\n\n1. {ONE} [1]\n2. {TWO} [1]",
        f"1. {ONE} [1]\r\n2. {TWO} [1]\r\n",
    ],
)
async def test_steps_may_be_numbered_where_the_source_has_none(engine: LocalEngine, text: str) -> None:
    async with desk(engine, says(text)) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.outcome is Outcome.ANSWERED
    assert turn.fallbacks == []
    assert f"1. {ONE} [1]\n2. {TWO} [1]" in turn.spoken


async def test_a_step_of_the_source_may_have_another_number(engine: LocalEngine) -> None:
    steps = ("Sign in again.", "Open **Members**.", "Select **Invite member**.", "Choose a role.")
    source = article("\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1)))
    text = "\n".join(f"{number}. {step} [2]" for number, step in enumerate(steps[1:], 1))
    async with desk(engine, says(text), deps={"knowledge": FakeKnowledge(found=(INVOICES, source))}) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.spoken == text.replace("[2]", "[1]")


async def test_half_a_sentence_without_its_condition_is_no_step(engine: LocalEngine) -> None:
    source = passage("invoices", "Open **Billing**. You can delete invoices only if you are an owner.")
    text = "1. Open **Billing**. [1]\n2. You can delete invoices. [1]"
    async with desk(engine, says(text), deps={"knowledge": FakeKnowledge(found=(source,))}) as here:
        turn = await here.ask(ask(QUESTION))

    assert "delete invoices. [1]" not in turn.spoken


@pytest.mark.parametrize("text", ["7. März ist das Ende der Frist. [1]", "1. März ist das Ende der Frist. [1]"])
async def test_a_number_that_is_no_steps_is_the_sources(engine: LocalEngine, text: str) -> None:
    source = passage("invoices", "Öffnen Sie **Abrechnung**. Das Ende der Frist ist der 3. März.")
    async with desk(engine, says(text), deps={"knowledge": FakeKnowledge(found=(source,))}) as here:
        turn = await here.ask(ask(QUESTION))

    assert text[:7] not in turn.spoken


async def test_the_sources_words_keep_their_bold_type_as_a_step(engine: LocalEngine) -> None:
    text = f"1. Open the billing page and its history:\n- {TWO} [1]"
    async with desk(engine, says(text)) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.spoken.startswith(f"1. {ONE} [1]")


# --- what isn't the answer


@pytest.mark.parametrize(
    "text",
    [
        f"<think>\nReceipts stay there as long as the workspace exists. So [1].\n</think>\n\n{SAID}",
        f"Okay, so the user wants to see the receipts\n</think>\n\n{SAID}",
        f"<|channel|>analysis<|message|>Receipts stay there.<|end|><|start|>assistant<|channel|>final<|message|>{SAID}",
        f"{SAID}<|im_end|>",
        f"{SAID}\n\n**Sources:**\n- [1] Download invoices › Where they are\n- https://help.example/en/download-invoices",
        f"```markdown\n{SAID}\n```",
        f"```\n{SAID}\n```",
        json.dumps({"answer": SAID}),
        f"```json\n{json.dumps({'response': SAID, 'confidence': 0.9})}\n```",
    ],
)
async def test_only_the_answer_is_said(engine: LocalEngine, text: str) -> None:
    async with desk(engine, says(text)) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.outcome is Outcome.ANSWERED
    assert turn.fallbacks == []
    assert turn.spoken.replace("\n\n", " ") == SAID


async def test_a_model_that_closes_thoughts_which_it_never_opens_is_known_by_it(engine: LocalEngine) -> None:
    text = f"Receipts stay there as long as the workspace exists. Okay. </think>{SAID}"
    async with desk(engine, says(text)) as here:
        first = await here.ask(ask(QUESTION))
        second = await here.ask(ask(QUESTION))

    # What it had thought of was said before anybody could know: true, but no answer.
    assert SAID in first.spoken
    assert second.spoken == SAID


@pytest.mark.parametrize("text", ['{"mood": "sunny", "steps": [1, 2]}', '[{"text": 1}]', '{"answer": 3}'])
async def test_json_that_is_no_answer_is_not_shown(engine: LocalEngine, text: str) -> None:
    async with desk(engine, says(text)) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.outcome is Outcome.ANSWERED
    assert turn.fallbacks == ["empty"]
    assert "Download PDF" in turn.spoken
    assert not {"{", "}", "sunny"} & set(turn.spoken.split())


async def test_a_judgement_is_what_comes_after_the_thought(engine: LocalEngine) -> None:
    summary = {"summary": "They want a person to look at a wrong charge."}
    reply = says(f'<think>{{"summary": "They want a poem."}}</think>{json.dumps(summary)}')
    async with desk(engine, reply, judges="always") as here:
        turn = await here.ask(ask("I want to talk to a person about a wrong charge.", wish_for_person=True))

    assert turn.reply.handoff is not None
    assert turn.reply.handoff.wanted == summary["summary"]


# --- a model that is caught in what it says


@pytest.mark.parametrize("text", [f"{ONE} [1] ", f"{ONE} [1]\n\n", f"1. {ONE} [1]\n"])
async def test_a_sentence_is_said_once(engine: LocalEngine, text: str) -> None:
    async with desk(engine, says(text * 40)) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.outcome is Outcome.ANSWERED
    assert turn.spoken.count("History") == 1


async def test_a_step_may_come_twice_but_not_for_ever(engine: LocalEngine) -> None:
    source = article("Enter a name. Select **Save**. Choose a colour. Select **Save**.")
    text = "1. Enter a name. [2]\n2. Select **Save**. [2]\n3. Choose a colour. [2]\n4. Select **Save**. [2]\n"
    more = "".join(f"{n}. {'Select **Save**' if n % 2 else 'Enter a name'}. [2]\n" for n in range(5, 50))
    async with desk(engine, says(text + more), deps={"knowledge": FakeKnowledge(found=(INVOICES, source))}) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.outcome is Outcome.ANSWERED
    assert turn.spoken.startswith(text.replace("[2]", "[1]").strip())
    assert turn.spoken.count("Save") == 2


@pytest.mark.parametrize("said", [SAID, f"1. {ONE} [1]\n2. {TWO} [1]"])
async def test_what_a_model_says_again_after_a_tool_is_said_once(engine: LocalEngine, said: str) -> None:
    more = "Receipts stay there as long as the workspace exists. [1] Only owners and billing admins can see them. [1]"
    script = [
        says_and_calls(f"{said}\n\n{more}", ("account_status", {})),
        says(f"{said}\n\n{more} Your plan is team. [T1]"),
    ]
    async with desk(engine, script, deps={"tools": (FakeTool(facts={"plan": "team"}),)}) as here:
        turn = await here.ask(ask(QUESTION, identity=VERIFIED))

    assert turn.spoken == f"{said}\n\n{more} Your plan is team."


# --- what claims nothing


@pytest.mark.parametrize("filler", ["Let me check that for you.", "Let me look."])
async def test_a_filler_becomes_no_sentence_of_the_source(engine: LocalEngine, filler: str) -> None:
    async with desk(engine, says(f"{filler} {ONE} [1]")) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.spoken == f"{ONE} [1]"


async def test_an_answer_among_courtesies_is_finished(engine: LocalEngine) -> None:
    after = "Does this help? If you have any other questions, feel free to ask. Best regards"
    text = f"Let me help you with that. {ONE} [1] {after}"
    async with desk(engine, says(text)) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.outcome is Outcome.ANSWERED
    assert REST not in turn.spoken


@pytest.mark.parametrize(
    "text",
    [
        "The sources don't mention bitcoin.",
        "I'm sorry, but the provided sources do not contain information about bitcoin.",
        "There is no information about bitcoin in the help articles.",
    ],
)
async def test_that_the_sources_say_nothing_of_it_may_be_said(engine: LocalEngine, text: str) -> None:
    async with desk(engine, says(text)) as here:
        turn = await here.ask(ask("Can I pay with bitcoin?"))

    assert turn.spoken == text


async def test_the_sources_words_in_another_language_are_announced_once(engine: LocalEngine) -> None:
    text = "Öffnen Sie **Settings > Billing** und wählen Sie **History**. [1] Wählen Sie **Download PDF** daneben. [1]"
    async with desk(engine, says(text)) as here:
        turn = await here.ask(ask("Wie lade ich meine Rechnungen herunter?"))

    assert turn.outcome is Outcome.ANSWERED
    assert turn.spoken.count("nur auf Englisch") == 1
    assert f"Darin steht: {ONE} [1] {TWO} [1]" in turn.spoken


@pytest.mark.parametrize("text", ["Hello!", "Sure, I'm happy to help!", "Thank you for reaching out. I understand."])
async def test_a_courtesy_alone_is_no_answer(engine: LocalEngine, text: str) -> None:
    async with desk(engine, says(text)) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.fallbacks == ["empty"]
    assert TWO in turn.spoken


async def test_a_question_back_is_asked(engine: LocalEngine) -> None:
    async with desk(engine, says("Happy to help! Which invoices do you mean?")) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.spoken == "Happy to help! Which invoices do you mean?"


# --- calls


def piece(name: str | None = None, arguments: object = None, **more: object) -> dict[str, object]:
    given = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    return {"tool_calls": [{"function": given, **more}]}


@pytest.mark.parametrize(
    "reply",
    [
        sends(piece("account_status", {}, index=0, id="a", type="function")),
        sends(piece("account_status", "{", index=0, id="a"), piece("account_status", "}", index=0, id="a")),
        sends(piece("account_status", "{}", index=0, id="a"), piece("account_status", "{}", index=0, id="b")),
        sends(piece("account_status", "", id="a"), piece(None, "{"), piece(None, "}")),
        sends(piece("functions.account_status", "{}", index=0, id="a")),
        says('Let me check.\n\n<tool_call>\n{"name": "account_status", "arguments": {}}\n</tool_call>'),
        says('Let me check. <tool_call>{"name": "account_status", "arguments": {}}</tool_call>'),
        says('<think>\nPlan?\n</think>\n\n<tool_call>\n{"name": "account_status", "arguments": {}}\n</tool_call>'),
    ],
)
async def test_a_call_is_understood_however_it_is_sent(engine: LocalEngine, reply: Reply) -> None:
    tool = FakeTool(facts={"plan": "team", "seats": "10"})
    async with desk(engine, [reply, says("Your plan is team. [T1]")], deps={"tools": (tool,)}) as here:
        turn = await here.ask(ask(QUESTION, identity=VERIFIED))

    assert turn.spoken == "Your plan is team."
    assert set(tool.identities) == {VERIFIED}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("Your plan is team.", "Your plan is team."),
        (
            "- **Plan:** team\n- **Seats:** 10\n- **Seats used:** 7",
            "- **Plan:** team\n- **Seats:** 10\n- **Seats used:** 7",
        ),
        ("You have 10 seats (T1). 7 of them are in use. (T1)", "You have 10 seats. 7 of them are in use."),
        ("| Plan | Seats |\n|---|---|\n| team | 10 |", "Plan – Seats\n\nteam – 10"),
    ],
)
async def test_what_a_lookup_said_is_told_in_many_forms(engine: LocalEngine, told: str, said: str) -> None:
    tool = FakeTool(facts={"plan": "team", "seats": "10", "seats_used": "7"})
    async with desk(engine, [calls(("account_status", {})), says(told)], deps={"tools": (tool,)}) as here:
        turn = await here.ask(ask(QUESTION, identity=VERIFIED))

    assert turn.spoken == said
    assert turn.fallbacks == []


@pytest.mark.parametrize("told", ["You have 12 seats.", "- **Seats:** 12", "Your plan is free.", "You use 10 seats."])
async def test_what_a_lookup_did_not_say_is_not_told(engine: LocalEngine, told: str) -> None:
    tool = FakeTool(facts={"plan": "team", "seats": "10", "seats_used": "7"})
    async with desk(engine, [calls(("account_status", {})), says(told)], deps={"tools": (tool,)}) as here:
        turn = await here.ask(ask(QUESTION, identity=VERIFIED))

    assert told not in turn.spoken


async def test_two_calls_under_one_number_are_two(engine: LocalEngine) -> None:
    tool = FakeTool(facts={"plan": "team"})
    both = sends(piece("account_status", "{}", index=0, id="a"), piece("account_status", "{}", index=0, id="b"))
    async with desk(engine, [both, says("Your plan is team. [T1]")], deps={"tools": (tool,)}) as here:
        await here.ask(ask(QUESTION, identity=VERIFIED))

    assert len(tool.identities) == 2
