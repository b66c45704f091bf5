"""What the engine hears in a message."""

import time
from pathlib import Path

import pytest

from agent.fast_yaml import parse_yaml
from agent.types import Kind, Language, PageContext, PageElement, Source, Untrusted
from tests.tools.engines.conftest import Hear, said, words
from tools.embedding.minilm import MiniLmEmbedder
from tools.engines.local.engine import LocalEngine
from tools.engines.local.questions import asks_by_itself

WISH = 0.6  # What Policy.explicit_wish is by default.


@pytest.mark.parametrize(
    "text",
    [
        "how do I cancel a recurring task",
        "How can I cancel a timer I started by mistake?",
        "cancel the invitation of a guest, where?",
        "how do I cancel the export that is running",
        "Wie breche ich eine wiederkehrende Aufgabe ab?",
        "¿cómo cancelo una invitación?",
    ],
)
async def test_cancelling_a_thing_is_a_question_not_a_cancellation(hear: Hear, text: str) -> None:
    heard = await hear(text)

    assert heard.kind is Kind.HOW_TO
    assert heard.risk < 0.5
    assert heard.wish_for_person < WISH


@pytest.mark.parametrize(
    "text", ["cancel my account", "Please cancel our account with you", "I want to cancel my subscription now"]
)
async def test_cancelling_the_account_is_about_the_account(hear: Hear, text: str) -> None:
    heard = await hear(text)

    assert heard.kind is Kind.ACCOUNT_BILLING
    assert heard.category == "cancellation"


@pytest.mark.parametrize(
    "text",
    [
        "I don't want to talk to a human",
        "I do not need a person, only the steps",
        "please don't hand me over to an agent",
        "no need to get anyone from your team",
        "the agent role permission",
        "what may the support agent role do?",
        "is there a person I can assign tasks to",
        "which person approves my hours?",
        "transfer a task to a person in my team",
        "does the human resources team get its own board",
        "are you human?",
        "can I call your API from a script",
        "Ich will keinen Menschen sprechen, nur die Anleitung",
        "welche Rechte hat die Rolle Agent",
        "no quiero hablar con una persona, solo los pasos",
        "¿a qué persona puedo asignar una tarea?",
    ],
)
async def test_naming_a_person_is_no_wish_for_one(hear: Hear, text: str) -> None:
    assert (await hear(text)).wish_for_person < WISH


@pytest.mark.parametrize(
    "text",
    [
        "agent please",
        "I want to talk to a human",
        "is there a person I can speak with",
        "I don't want to talk to a bot, give me a human",
        "Could somebody from your support team look at this with me?",
        "The export is empty again. Let me speak to someone.",
        "Ich möchte jetzt bitte mit einem Mitarbeiter sprechen",
        "quiero hablar con un agente",
    ],
)
async def test_a_wish_for_a_person_is_heard(hear: Hear, text: str) -> None:
    assert (await hear(text)).wish_for_person >= WISH


@pytest.mark.parametrize(
    "text",
    [
        "someone logged into our account from abroad",
        "You charged us twice and I want the money back",
        "all our time entries have disappeared",
        "our lawyers will be in touch",
        "I lost my phone and the recovery codes",
        "Jemand hat sich in unser Konto eingeloggt",
        "me han cobrado dos veces, devuélvanme el dinero",
    ],
)
async def test_danger_is_heard(hear: Hear, text: str) -> None:
    assert (await hear(text)).risk >= 0.5


@pytest.mark.parametrize(
    "text",
    [
        "what is your refund policy",
        "how do I delete a card",
        "how do I create an API key",
        "comments are shown twice",
        "wie lösche ich ein Projekt",
        "cómo borro una tarea",
    ],
)
async def test_asking_near_a_danger_is_none(hear: Hear, text: str) -> None:
    assert (await hear(text)).risk < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "I must say I find it remarkable that nobody has answered me in two weeks",
        "With respect, this is not how one treats a customer",
        "Thank you for the fourth answer that ignores my question",
        "THIS IS RIDICULOUS!!! FIX IT NOW",
        "Ich bin wirklich enttäuscht, so geht man nicht mit Kunden um",
        "es inaceptable que nadie me conteste",
    ],
)
async def test_anger_is_heard_however_polite(hear: Hear, text: str) -> None:
    assert (await hear(text)).sentiment <= -0.4


@pytest.mark.parametrize(
    "text", ["where do I find my invoices", "the export is empty", "wo finde ich meine Rechnungen", "cancel my account"]
)
async def test_a_plain_message_has_no_mood(hear: Hear, text: str) -> None:
    assert -0.3 < (await hear(text)).sentiment < 0.3


async def test_thanks_are_glad(hear: Hear) -> None:
    assert (await hear("perfect, thank you so much!")).sentiment >= 0.4


async def test_the_mood_gets_worse_over_the_conversation(hear: Hear) -> None:
    history = said("hi, how do I export the report", "> Go to Reports.", "thanks, but where exactly", "> In the menu.")

    heard = await hear("this is useless, I have wasted an hour and nobody helps", history=history)

    assert heard.sentiment < -0.4
    assert heard.sentiment_trend < -0.3


async def test_a_first_message_has_no_trend(hear: Hear) -> None:
    assert (await hear("this is useless")).sentiment_trend == 0.0


@pytest.mark.parametrize("text", ["and on mobile?", "what about guests?", "it doesn't work", "where is that?"])
async def test_a_follow_up_is_completed_by_the_last_question(hear: Hear, text: str) -> None:
    history = said("hello", "> Hello!", "How do I export a timesheet?", "> Open Reports and press Export.")

    heard = await hear(text, history=history)

    assert heard.is_follow_up
    assert heard.question.render_plain() == f"How do I export a timesheet?\n{text}"


async def test_a_chain_of_follow_ups_keeps_the_first_subject(hear: Hear) -> None:
    history = said("How do I export a timesheet?", "> Open Reports.", "and on mobile?", "> The same way.")

    heard = await hear("that didn't help", history=history)

    assert heard.question.render_plain().startswith("How do I export a timesheet?")
    assert heard.says_unsolved >= 0.5


@pytest.mark.parametrize(
    "text", ["another question, how do I invite a colleague to the workspace", "my credit card was declined"]
)
async def test_a_new_subject_stands_alone(hear: Hear, text: str) -> None:
    heard = await hear(text, history=said("How do I export a timesheet?", "> Open Reports and press Export."))

    assert not heard.is_follow_up
    assert heard.question.render_plain() == text


@pytest.mark.parametrize("kind", ["stands_alone", "hangs"])
async def test_short_questions_hang_on_what_was_asked_before_only_where_they_point_back(hear: Hear, kind: str) -> None:
    history = said("How do I export a timesheet?", "> Open Reports and press Export.")
    texts = parse_yaml((Path(__file__).parent / "follow_ups.yaml").read_text(encoding="utf-8"))[kind]

    heard = [(await hear(text, history=history)).is_follow_up for text in texts]

    right = sum(follows is (kind == "hangs") for follows in heard)
    assert right >= (29 if kind == "stands_alone" else 22), dict(zip(texts, heard, strict=True))


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ("Can I order a pickup for today?", "how do I cancel one"),
        ("I have a label that I don't need", "can I delete it?"),
        ("Wie lade ich einen Gast ein?", "wie entferne ich ihn"),
        ("¿Cómo pido una recogida?", "¿cómo cancelo una?"),
    ],
)
async def test_a_question_whose_last_word_stands_for_something_hangs_on_it(hear: Hear, before: str, text: str) -> None:
    heard = await hear(text, history=said(before, "> Under Shipments, in the menu."))

    assert heard.question.render_plain() == f"{before}\n{text}"


@pytest.mark.parametrize("text", ["I'm a manager", "I am the owner", "our agent can't see it", "ich bin Admin"])
async def test_who_one_is_is_no_wish_for_a_person(hear: Hear, text: str) -> None:
    heard = await hear(text, history=said("who can cancel the subscription", "> Only the account owner can."))

    assert heard.wish_for_person < 0.3
    assert heard.kind is not Kind.WANTS_PERSON


async def test_the_newest_question_of_its_own_is_what_the_next_one_hangs_on(hear: Hear) -> None:
    history = said("How do I export a timesheet?", "> Open Reports.", "What is SSO?", "> Single sign-on.")

    heard = await hear("is it in the free plan?", history=history)

    assert heard.question.render_plain() == "What is SSO?\nis it in the free plan?"


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ("what does it cost?", "and yearly?"),
        ("what does the team plan cost?", "and business?"),
        ("Wie lade ich jemanden ein?", "und auf dem Handy?"),
        ("¿Cómo descargo las facturas?", "¿y en el móvil?"),
        ("how do I invite someone?", "where?"),
    ],
)
async def test_a_short_question_behind_another_is_no_courtesy(hear: Hear, before: str, text: str) -> None:
    heard = await hear(text, history=said(before, "> So it goes."))

    assert heard.kind not in (Kind.SMALL_TALK, Kind.ABUSE)
    assert heard.question.render_plain() == f"{before}\n{text}"


@pytest.mark.parametrize("text", ["dark mode?", "Dunkelmodus?", "price?"])
async def test_a_word_that_asks_is_no_courtesy(hear: Hear, text: str) -> None:
    assert (await hear(text)).kind is not Kind.SMALL_TALK


@pytest.mark.parametrize(
    "text", ["Nutzer sperren", "block user", "Passwort", "api key", "forgot pw", "my email", "Urlaub eintragen"]
)
async def test_a_few_words_that_name_something_are_neither_rude_nor_small_talk(hear: Hear, text: str) -> None:
    assert (await hear(text)).kind not in (Kind.SMALL_TALK, Kind.ABUSE)


@pytest.mark.parametrize("text", ["DATEV", "stornorechnung", "Überstunden"])
async def test_a_word_that_is_no_courtesy_we_know_leaves_room_for_an_article(hear: Hear, text: str) -> None:
    heard = await hear(text)

    assert heard.kind is not Kind.SMALL_TALK or heard.kind_confidence < 0.8


@pytest.mark.parametrize(
    "text",
    [
        "great product, love it!",
        "I love this tool",
        "what is your name",
        "what can you do",
        "tschüss",
        "super App, gefällt mir!",
    ],
)
async def test_praise_and_what_is_surely_a_courtesy_are_small_talk(hear: Hear, text: str) -> None:
    heard = await hear(text)

    assert heard.kind is Kind.SMALL_TALK
    assert heard.kind_confidence >= 0.7


async def test_a_danger_that_is_over_is_none(hear: Hear) -> None:
    history = said("I deleted a list by accident!! please help", "> Deleted lists can be restored for 30 days.")

    assert (await hear("yes that answers it, it worked", history=history)).risk < 0.3


@pytest.mark.parametrize("text", ["bye", "hm", "ok?", "are you a robot?", "alles klar"])
async def test_a_courtesy_hangs_on_nothing(hear: Hear, text: str) -> None:
    heard = await hear(text, history=said("how do I invite someone?", "> Open Members."))

    assert heard.kind is Kind.SMALL_TALK
    assert heard.question.render_plain() == text


@pytest.mark.parametrize("text", ["how are you?", "hello?", "is anyone there?", "what's up?", "are you a robot?"])
async def test_a_courtesy_may_be_a_question(hear: Hear, text: str) -> None:
    assert (await hear(text)).kind is Kind.SMALL_TALK


@pytest.mark.parametrize(
    "text",
    [
        "I'll try that",
        "that's clear",
        "I see",
        "makes sense",
        "hm, let me try",
        "let me check",
        "alles klar, probiere ich",
        "mache ich",
        "ya veo",
        "entendido, lo pruebo",
    ],
)
async def test_whoever_goes_off_to_try_has_not_failed(hear: Hear, text: str) -> None:
    heard = await hear(text, history=said("how do I invite someone?", "> Open Members and choose Invite."))

    assert heard.kind is Kind.SMALL_TALK
    assert heard.says_unsolved < 0.5


@pytest.mark.parametrize("text", ["can you help me?", "I have a question", "quick question", "ich habe eine Frage"])
async def test_whoever_announces_a_question_has_asked_none(hear: Hear, text: str) -> None:
    assert (await hear(text)).kind is Kind.SMALL_TALK


async def test_a_first_message_is_no_follow_up(hear: Hear) -> None:
    assert not (await hear("it doesn't work")).is_follow_up


async def test_an_answer_to_the_bots_question_hangs_on_it(hear: Hear) -> None:
    history = said("the board freezes when I drag a card", "? Which browser do you use?")

    heard = await hear("Firefox on Windows", history=history)

    assert heard.is_follow_up
    assert "freezes" in heard.question.render_plain()


@pytest.mark.parametrize(
    "text", ["that didn't help", "no, still broken", "it still doesn't work", "geht immer noch nicht", "sigue igual"]
)
async def test_an_answer_that_failed_is_heard(hear: Hear, text: str) -> None:
    heard = await hear(text, history=said("how do I export a report", "> Press Export."))

    assert heard.says_unsolved >= 0.5
    assert heard.says_solved < 0.5


@pytest.mark.parametrize(
    "text", ["thanks, that worked!", "perfect, solved", "super, hat geklappt", "ya funciona, gracias"]
)
async def test_an_answer_that_helped_is_heard(hear: Hear, text: str) -> None:
    heard = await hear(text, history=said("how do I export a report", "> Press Export."))

    assert heard.says_solved >= 0.5
    assert heard.says_unsolved < 0.5


async def test_nothing_was_solved_or_failed_before_an_answer(hear: Hear) -> None:
    heard = await hear("the export doesn't work")

    assert heard.says_unsolved == 0.0
    assert heard.says_solved == 0.0


async def test_a_burst_is_one_message(hear: Hear) -> None:
    heard = await hear("hi", "the export button", "does nothing when I click it")

    assert heard.kind is Kind.BUG
    assert heard.question.render_plain() == "hi\nthe export button\ndoes nothing when I click it"


async def test_two_problems_are_kept_whole(hear: Hear) -> None:
    text = "The export is empty. And how do I add a colleague?"

    assert (await hear(text)).question.render_plain() == text


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Passwort vergessen", "de"),
        ("Hallo", "de"),
        ("hola", "es"),
        ("¿dónde están mis facturas?", "es"),
        ("where are my invoices", "en"),
        ("ok", "en"),
    ],
)
async def test_the_language_of_short_messages(hear: Hear, text: str, language: str) -> None:
    assert (await hear(text)).language == language


async def test_a_very_short_message_is_read_in_the_language_of_the_conversation(hear: Hear) -> None:
    history = said("Wie exportiere ich einen Bericht?", "> Unter Berichte.", "Und wo finde ich das genau?")

    assert (await hear("PDF?", history=history)).language == "de"


async def test_a_word_without_language_is_read_in_the_language_of_the_page(hear: Hear) -> None:
    labels = ["Guardar cambios", "Añadir una tarjeta", "Descargar todas las facturas"]
    elements = tuple(PageElement(f"e{n}", f"#e{n}", Untrusted.of(label, Source.PAGE)) for n, label in enumerate(labels))

    heard = await hear(
        "PDF?", page=PageContext(title=Untrusted.of("Facturación y pagos", Source.PAGE), elements=elements)
    )

    assert heard.language == "es"


@pytest.mark.parametrize(
    ("text", "interface", "language"),
    [
        *(("2FA", "de", "de"), ("excel", "de", "de"), ("DATEV", "de", "de"), ("export", "de", "de")),
        *(("2FA", "en", "en"), ("excel", "es", "es"), ("App", "es", "es")),
        # What is clear by itself, or has a word of its own, needs nobody's interface.
        *(("hola", "en", "es"), ("factura", "de", "es"), ("Rechnung", "en", "de"), ("invoice", "de", "en")),
    ],
)
async def test_a_word_of_every_language_is_read_in_that_of_the_interface(
    hear: Hear, text: str, interface: Language, language: str
) -> None:
    assert (await hear(text, page=PageContext(language=interface))).language == language


@pytest.mark.parametrize(
    "text", ["", "   ", "\u200b\u202e", "???", "...", "😡😡", "asdfgh jkl", "xkcdqwrtzp fghjkl", "aaaaaaaa"]
)
async def test_what_says_nothing_is_small_talk_without_confidence(hear: Hear, text: str) -> None:
    heard = await hear(text)

    assert heard.kind is Kind.SMALL_TALK
    assert heard.kind_confidence < 0.5
    assert heard.category_confidence == 0.0


async def test_an_emoji_has_a_mood(hear: Hear) -> None:
    assert (await hear("😡")).sentiment < -0.3
    assert (await hear("🎉👍")).sentiment > 0.3


async def test_letters_that_nobody_here_reads_are_no_small_talk(hear: Hear) -> None:
    heard = await hear("请问如何导出发票")

    assert heard.kind is Kind.HOW_TO
    assert heard.kind_confidence < 0.5
    assert heard.language_confidence < 0.5


async def test_error_codes_are_no_gibberish(hear: Hear) -> None:
    assert (await hear("ERR_CONN_RST 0x80004005 when I upload a file")).kind is Kind.BUG


async def test_a_message_that_may_be_rude_is_taken_for_something_else(hear: Hear) -> None:
    heard = await hear("need to change the language of the interface")

    assert heard.kind is not Kind.ABUSE


async def test_understanding_takes_little_longer_than_embedding(engine: LocalEngine, minilm: MiniLmEmbedder) -> None:
    await engine.understand((words("warm up"),), (), PageContext())
    understanding, embedding = [], []
    for number in range(40):
        began = time.perf_counter()
        await engine.understand((words(f"how do I cancel recurring task number {number}"),), (), PageContext())
        understood = time.perf_counter()
        await minilm.embed([f"how do I cancel repeating task number {number}"])
        understanding.append(understood - began)
        embedding.append(time.perf_counter() - understood)

    # The quicker quarter of each: other work on the machine slows the rest.
    assert sorted(understanding)[10] < 5 * sorted(embedding)[10]


TROUBLE = [
    "it doesn't work",
    "it doesnt work",
    "It's not working!",
    "it just hangs",
    "nothing happens",
    "help it is broken",
    "something went wrong",
    "es geht nicht",
    "funktioniert leider nicht",
    "no funciona",
    "se queda colgado",
]


@pytest.mark.parametrize("text", TROUBLE)
async def test_trouble_is_no_courtesy_and_says_when_it_says_nothing_of_what(
    engine: LocalEngine, by_words: LocalEngine, text: str
) -> None:
    for one in (engine, by_words):
        first = await one.understand((words(text),), (), PageContext())
        behind = await one.understand(
            (words(text),), said("How do I export a report?", "> Select **Export**."), PageContext()
        )
        assert (first.kind, first.unspecific) == (Kind.BUG, True)
        # Behind an answer it is that answer which didn't help.
        assert behind.kind not in (Kind.SMALL_TALK, Kind.ABUSE)
        assert (behind.unspecific, behind.is_follow_up) == (False, True)


@pytest.mark.parametrize(
    "text",
    [
        "the export doesn't work",
        "it works",
        "no",
        "no error",
        "kein Problem",
        "not now",
        "does it work?",
        "geht das nicht?",
    ],
)
async def test_what_names_its_subject_or_reports_nothing_is_not_unspecific(hear: Hear, text: str) -> None:
    assert not (await hear(text)).unspecific


async def test_what_fails_is_read_with_the_trouble_before_it(hear: Hear) -> None:
    asked = said("it doesn't work", "? What were you about to do?")

    told = await hear("the csv export", history=asked)
    thanked = await hear("never mind, thanks", history=asked)

    assert told.question.render_plain() == "it doesn't work\nthe csv export"
    assert (told.kind, told.unspecific) == (Kind.BUG, False)
    assert thanked.kind is Kind.SMALL_TALK


@pytest.mark.parametrize(
    "text",
    [
        "Great, another outage. Fantastic product.",
        "wow, down again. great job",
        "thanks for nothing",
        "super, danke für nichts",
    ],
)
async def test_praise_for_a_failure_is_no_thanks(engine: LocalEngine, by_words: LocalEngine, text: str) -> None:
    for one in (engine, by_words):
        assert (await one.understand((words(text),), (), PageContext())).kind is Kind.COMPLAINT


@pytest.mark.parametrize(
    "text",
    [
        "Thank you so much, have a great day!",
        "Thanks a lot, bye!",
        "great, thank you",
        "no thanks",
        "hold on",
        "sure",
        "one more thing",
        "super, vielen Dank!",
        "gracias, muy amable",
    ],
)
async def test_a_courtesy_stays_one(engine: LocalEngine, by_words: LocalEngine, text: str) -> None:
    for one in (engine, by_words):
        assert (await one.understand((words(text),), (), PageContext())).kind is Kind.SMALL_TALK


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("was kostet der pro plan?", True),
        ("wie kann ich den account löschen?", True),
        ("können sie die rechnung ändern?", True),
        ("Können Sie die Rechnung ändern?", True),
        ("was kostet das pro jahr?", False),
        ("wie kann ich das löschen?", False),
        ("wo finde ich die?", False),
        ("wo finde ich sie", False),
    ],
)
def test_german_articles_are_told_from_pronouns_without_capitals_too(text: str, alone: bool) -> None:
    assert asks_by_itself(text, "de") is alone


async def test_two_harmless_sentences_are_no_danger_together(hear: Hear) -> None:
    heard = await hear("can i remove it again later", history=said("what does it cost", "> It costs 9 EUR."))

    assert heard.risk < 0.5


@pytest.mark.parametrize("text", ["ok bye", "bye", "are you a bot", "hold on"])
async def test_what_is_said_in_passing_has_no_mood(hear: Hear, text: str) -> None:
    assert (await hear(text)).sentiment > -0.35


@pytest.mark.parametrize("text", ["my card was declined", "so what would we pay", "Meine Karte wird abgelehnt"])
async def test_a_payment_that_fails_is_no_dispute(hear: Hear, text: str) -> None:
    assert (await hear(text)).risk < 0.5
