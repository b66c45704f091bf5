"""Every fixed sentence that the agent says, in every language it speaks.

A sentence here must be true whatever happens next: none announces what the system doesn't do by itself.
"""

from datetime import date
from enum import StrEnum

from agent.types import Language


class Phrase(StrEnum):
    """The name of a fixed sentence."""

    DONT_KNOW = "dont_know"
    DONT_KNOW_NEAREST = "dont_know_nearest"
    NEAREST_SAYS = "nearest_says"
    NEAREST_SAYS_OR = "nearest_says_or"
    DONT_KNOW_FEATURE = "dont_know_feature"
    KNOWLEDGE_DOWN = "knowledge_down"
    BUG_FILED = "bug_filed"
    BUG_COUNTED = "bug_counted"
    BUG_DETAILS_ADDED = "bug_details_added"
    BUG_NOT_FILED = "bug_not_filed"
    BUG_ASK_DOING = "bug_ask_doing"
    BUG_ASK_STEPS = "bug_ask_steps"
    BUG_ASK_ACTUAL = "bug_ask_actual"
    BUG_ASK_EXPECTED = "bug_ask_expected"
    BUG_ASK_ENVIRONMENT = "bug_ask_environment"
    HANDOFF_OPEN = "handoff_open"
    HANDOFF_CLOSED = "handoff_closed"
    ASK_EMAIL = "ask_email"
    EMAIL_TAKEN = "email_taken"
    ADDED_TO_REQUEST = "added_to_request"
    PASSED_ON = "passed_on"
    STILL_WAITING = "still_waiting"
    HANDED_BACK = "handed_back"
    LAST_RUNG = "last_rung"
    WANTS_PERSON_BUTTON = "wants_person_button"
    GREETING = "greeting"
    YOURE_WELCOME = "youre_welcome"
    GOODBYE = "goodbye"
    WHO_I_AM = "who_i_am"
    ACKNOWLEDGED = "acknowledged"
    NOT_UNDERSTOOD = "not_understood"
    OTHER_WORDS = "other_words"
    WHAT_FAILS = "what_fails"
    REFUSAL = "refusal"
    ON_PAGE = "on_page"
    NEAR_PAGE = "near_page"
    OTHER_LANGUAGE = "other_language"
    LANGUAGE_EN = "language_en"
    LANGUAGE_DE = "language_de"
    LANGUAGE_ES = "language_es"
    ANSWER_OFFER = "answer_offer"
    REPORT_OFFER = "report_offer"
    ANSWER_CUT = "answer_cut"
    NOT_CONFIRMED = "not_confirmed"
    OFFER_PERSON = "offer_person"
    OFFER_BUG = "offer_bug"
    SIGN_IN_NEEDED = "sign_in_needed"
    ACCOUNT_PLAN = "account_plan"
    ACCOUNT_BILLING = "account_billing"
    ACCOUNT_RENEWS = "account_renews"
    ACCOUNT_SEATS = "account_seats"
    ORDER_STATUS = "order_status"
    ORDER_EXPECTED = "order_expected"
    ORDER_CARRIER = "order_carrier"
    NO_ORDERS = "no_orders"
    QR_PERSON = "qr_person"
    QR_PERSON_TEXT = "qr_person_text"
    QR_REPHRASE = "qr_rephrase"
    QR_THAT = "qr_that"
    QR_YES = "qr_yes"
    QR_NO = "qr_no"
    QR_SOLVED = "qr_solved"
    QR_SOLVED_TEXT = "qr_solved_text"
    QR_UNSOLVED = "qr_unsolved"
    QR_UNSOLVED_TEXT = "qr_unsolved_text"


_TEXTS: dict[Phrase, dict[Language, str]] = {
    Phrase.DONT_KNOW: {
        "en": "I don't find an answer to this in our help articles, and I won't guess. Shall I fetch someone from the team?",
        "de": "Dazu finde ich in unseren Hilfeartikeln keine Antwort, und raten möchte ich nicht. Soll ich jemanden aus dem Team holen?",
        "es": "No encuentro una respuesta a esto en nuestros artículos de ayuda y no quiero adivinar. ¿Aviso a alguien del equipo?",
    },
    Phrase.DONT_KNOW_NEAREST: {
        "en": "I'm not sure our help articles answer this. The nearest I found: {titles}. Is it about that, or shall I fetch someone from the team?",
        "de": "Ich bin nicht sicher, ob unsere Hilfeartikel das beantworten. Am nächsten kommt: {titles}. Geht es darum, oder soll ich jemanden aus dem Team holen?",
        "es": "No estoy seguro de que nuestros artículos de ayuda respondan a esto. Lo más cercano: {titles}. ¿Se trata de eso, o aviso a alguien del equipo?",
    },
    Phrase.NEAREST_SAYS: {
        "en": "I'm not sure this is what you mean. {titles} says:\n\n{quote}\n\nIs it about that, or shall I fetch someone from the team?",
        "de": "Ich bin nicht sicher, ob Sie das meinen. In {titles} steht:\n\n{quote}\n\nGeht es darum, oder soll ich jemanden aus dem Team holen?",
        "es": "No estoy seguro de que sea esto lo que busca. {titles} dice:\n\n{quote}\n\n¿Se trata de eso, o aviso a alguien del equipo?",
    },
    Phrase.NEAREST_SAYS_OR: {
        "en": "I'm not sure this is what you mean. {titles} says:\n\n{quote}\n\nIs it about that, about {other}, or shall I fetch someone from the team?",
        "de": "Ich bin nicht sicher, ob Sie das meinen. In {titles} steht:\n\n{quote}\n\nGeht es darum, um {other}, oder soll ich jemanden aus dem Team holen?",
        "es": "No estoy seguro de que sea esto lo que busca. {titles} dice:\n\n{quote}\n\n¿Se trata de eso, de {other}, o aviso a alguien del equipo?",
    },
    Phrase.DONT_KNOW_FEATURE: {
        "en": "Thank you for the idea. I don't find this in our help articles, so it may not be there. Shall I fetch someone from the team?",
        "de": "Danke für die Anregung. In unseren Hilfeartikeln finde ich das nicht, vielleicht gibt es das nicht. Soll ich jemanden aus dem Team holen?",
        "es": "Gracias por la idea. No lo encuentro en nuestros artículos de ayuda, así que quizá no exista. ¿Aviso a alguien del equipo?",
    },
    Phrase.KNOWLEDGE_DOWN: {
        "en": "I can't reach our help articles right now. Shall I fetch someone from the team?",
        "de": "Ich erreiche unsere Hilfeartikel gerade nicht. Soll ich jemanden aus dem Team holen?",
        "es": "Ahora mismo no puedo consultar nuestros artículos de ayuda. ¿Aviso a alguien del equipo?",
    },
    Phrase.BUG_FILED: {
        "en": "Thank you for reporting this. It looks like a bug, and I've filed it as **{bug_id}** with what you told me.",
        "de": "Danke für die Meldung. Das sieht nach einem Fehler aus; ich habe ihn mit Ihren Angaben als **{bug_id}** erfasst.",
        "es": "Gracias por avisar. Parece un error y lo he registrado como **{bug_id}** con lo que me ha contado.",
    },
    Phrase.BUG_COUNTED: {
        "en": "Thank you for reporting this. It is a bug we already know as **{bug_id}**, and I've added your report and its details to it. Reports so far, yours included: {count}.",
        "de": "Danke für die Meldung. Diesen Fehler kennen wir schon als **{bug_id}**, und ich habe Ihre Meldung mit ihren Angaben dort ergänzt. Meldungen bisher, Ihre eingeschlossen: {count}.",
        "es": "Gracias por avisar. Es un error que ya conocemos como **{bug_id}**, y he añadido su aviso con sus detalles. Avisos hasta ahora, incluido el suyo: {count}.",
    },
    Phrase.BUG_DETAILS_ADDED: {
        "en": "Thank you, I've added that to **{bug_id}**.",
        "de": "Danke, ich habe das bei **{bug_id}** ergänzt.",
        "es": "Gracias, lo he añadido a **{bug_id}**.",
    },
    Phrase.BUG_NOT_FILED: {
        "en": "This looks like a bug, but I can't file it right now. Shall I fetch someone from the team?",
        "de": "Das sieht nach einem Fehler aus, aber ich kann ihn gerade nicht erfassen. Soll ich jemanden aus dem Team holen?",
        "es": "Parece un error, pero ahora mismo no puedo registrarlo. ¿Aviso a alguien del equipo?",
    },
    Phrase.BUG_ASK_DOING: {
        "en": "What were you trying to do when it happened?",
        "de": "Was wollten Sie gerade tun, als es passierte?",
        "es": "¿Qué intentaba hacer cuando ocurrió?",
    },
    Phrase.BUG_ASK_STEPS: {
        "en": "So that it can be found quickly: what did you click or do, step by step, before it happened?",
        "de": "Damit er schnell gefunden wird: Was haben Sie Schritt für Schritt getan, bevor es passierte?",
        "es": "Para encontrarlo pronto: ¿qué hizo, paso a paso, antes de que ocurriera?",
    },
    Phrase.BUG_ASK_ACTUAL: {
        "en": "What exactly do you see when it happens: an error text, an empty page, a wrong value?",
        "de": "Was genau sehen Sie dabei: einen Fehlertext, eine leere Seite, einen falschen Wert?",
        "es": "¿Qué ve exactamente cuando ocurre: un mensaje de error, una página vacía, un valor incorrecto?",
    },
    Phrase.BUG_ASK_EXPECTED: {
        "en": "What did you expect to happen instead?",
        "de": "Was hätten Sie stattdessen erwartet?",
        "es": "¿Qué esperaba que ocurriera?",
    },
    Phrase.BUG_ASK_ENVIRONMENT: {
        "en": "Which browser and which device are you using?",
        "de": "Welchen Browser und welches Gerät benutzen Sie?",
        "es": "¿Qué navegador y qué dispositivo usa?",
    },
    Phrase.HANDOFF_OPEN: {
        "en": "I've passed your conversation to the team, with everything you've told me. Our people aim to answer here within {minutes} minutes.",
        "de": "Ich habe Ihr Gespräch mit allem, was Sie mir gesagt haben, an das Team übergeben. Unsere Leute antworten hier möglichst innerhalb von {minutes} Minuten.",
        "es": "He pasado su conversación al equipo, con todo lo que me ha contado. Nuestro equipo intenta responder aquí en {minutes} minutos.",
    },
    Phrase.HANDOFF_CLOSED: {
        "en": "I've passed your conversation to the team, with everything you've told me. Nobody is in right now; our people aim to answer by {when}.",
        "de": "Ich habe Ihr Gespräch mit allem, was Sie mir gesagt haben, an das Team übergeben. Gerade ist niemand da; unsere Leute antworten möglichst bis {when}.",
        "es": "He pasado su conversación al equipo, con todo lo que me ha contado. Ahora no hay nadie; nuestro equipo intenta responder antes del {when}.",
    },
    Phrase.ASK_EMAIL: {
        "en": "If you'd like the answer by e-mail as well, which address should they use?",
        "de": "Wenn Sie die Antwort auch per E-Mail möchten: an welche Adresse?",
        "es": "Si también quiere la respuesta por correo electrónico, ¿a qué dirección?",
    },
    Phrase.EMAIL_TAKEN: {
        "en": "Thank you, I've noted the address for the team.",
        "de": "Danke, ich habe die Adresse für das Team notiert.",
        "es": "Gracias, he anotado la dirección para el equipo.",
    },
    Phrase.ADDED_TO_REQUEST: {
        "en": "I've added this to your request. You don't need to explain it again.",
        "de": "Ich habe das Ihrer Anfrage hinzugefügt. Sie müssen es nicht noch einmal erklären.",
        "es": "Lo he añadido a su solicitud. No tendrá que explicarlo otra vez.",
    },
    Phrase.PASSED_ON: {
        "en": "Your message has been passed on to our team.",
        "de": "Ihre Nachricht wurde an unser Team weitergegeben.",
        "es": "Su mensaje se ha pasado a nuestro equipo.",
    },
    Phrase.STILL_WAITING: {
        "en": "You are still waiting, longer than we said: I'm sorry. Your request is marked as overdue for the team.",
        "de": "Sie warten noch, und länger als angekündigt: Das tut mir leid. Ihre Anfrage ist beim Team als überfällig markiert.",
        "es": "Sigue esperando, y más de lo anunciado: lo siento. Su solicitud está marcada como atrasada para el equipo.",
    },
    Phrase.HANDED_BACK: {
        "en": "You are talking to the assistant again. If it isn't solved, just say so.",
        "de": "Sie sprechen wieder mit dem Assistenten. Wenn es nicht gelöst ist, sagen Sie es einfach.",
        "es": "Vuelve a hablar con el asistente. Si no está resuelto, dígalo.",
    },
    Phrase.LAST_RUNG: {
        "en": "Something went wrong on our side, but we have your message.",
        "de": "Bei uns ist etwas schiefgegangen, aber wir haben Ihre Nachricht.",
        "es": "Algo ha fallado por nuestra parte, pero tenemos su mensaje.",
    },
    Phrase.WANTS_PERSON_BUTTON: {
        "en": "I'd like to talk to a person.",
        "de": "Ich möchte mit einem Menschen sprechen.",
        "es": "Quiero hablar con una persona.",
    },
    Phrase.GREETING: {
        "en": "Hello! Tell me what you are trying to do or what isn't working, and I'll look it up.",
        "de": "Hallo! Sagen Sie mir, was Sie vorhaben oder was nicht klappt, und ich sehe nach.",
        "es": "¡Hola! Dígame qué quiere hacer o qué no funciona y lo busco.",
    },
    Phrase.YOURE_WELCOME: {
        "en": "You're welcome! I'm here if anything else comes up.",
        "de": "Gern geschehen! Ich bin da, wenn noch etwas ist.",
        "es": "¡De nada! Aquí estoy si surge algo más.",
    },
    Phrase.GOODBYE: {
        "en": "All right. Write again whenever you need something, I'm here.",
        "de": "In Ordnung. Schreiben Sie wieder, wenn Sie etwas brauchen, ich bin da.",
        "es": "De acuerdo. Escriba de nuevo cuando necesite algo, aquí estoy.",
    },
    Phrase.WHO_I_AM: {
        "en": "I'm an automated assistant, not a person. I answer from our help articles, and I can fetch someone from the team.",
        "de": "Ich bin ein automatischer Assistent, kein Mensch. Ich antworte aus unseren Hilfeartikeln und kann jemanden aus dem Team holen.",
        "es": "Soy un asistente automático, no una persona. Respondo con nuestros artículos de ayuda y puedo avisar a alguien del equipo.",
    },
    Phrase.ACKNOWLEDGED: {
        "en": "Okay. What would you like to do next?",
        "de": "Gut. Was möchten Sie als Nächstes tun?",
        "es": "De acuerdo. ¿Qué quiere hacer ahora?",
    },
    Phrase.NOT_UNDERSTOOD: {
        "en": "I couldn't make out what you mean. Could you put it in other words?",
        "de": "Das konnte ich nicht verstehen. Können Sie es anders ausdrücken?",
        "es": "No he podido entender lo que quiere decir. ¿Puede decirlo con otras palabras?",
    },
    Phrase.OTHER_WORDS: {
        "en": "All right. Could you tell me in other words what you are looking for?",
        "de": "In Ordnung. Können Sie mir mit anderen Worten sagen, was Sie suchen?",
        "es": "De acuerdo. ¿Puede decirme con otras palabras qué busca?",
    },
    Phrase.WHAT_FAILS: {
        "en": "I'm sorry about that. What were you about to do, and what happened instead?",
        "de": "Das tut mir leid. Was wollten Sie gerade tun, und was ist stattdessen passiert?",
        "es": "Lo siento. ¿Qué quería hacer y qué ocurrió en su lugar?",
    },
    Phrase.REFUSAL: {
        "en": "I can't do that. I can help with questions about the product, or fetch someone from the team.",
        "de": "Das kann ich nicht tun. Ich helfe bei Fragen zum Produkt oder hole jemanden aus dem Team.",
        "es": "Eso no puedo hacerlo. Puedo ayudar con preguntas sobre el producto o avisar a alguien del equipo.",
    },
    Phrase.ON_PAGE: {
        "en": "You're on **{page}**, the right place for this.",
        "de": "Sie sind auf **{page}**, hier sind Sie dafür richtig.",
        "es": "Está en **{page}**, el lugar adecuado para esto.",
    },
    Phrase.NEAR_PAGE: {
        "en": "You're on **{page}**. This is what our help says about it:",
        "de": "Sie sind auf **{page}**. Das sagt unsere Hilfe dazu:",
        "es": "Está en **{page}**. Esto dice nuestra ayuda al respecto:",
    },
    Phrase.OTHER_LANGUAGE: {
        "en": "I'm sorry, our article on this is only in {of} so far. It says:",
        "de": "Unseren Artikel dazu gibt es leider bisher nur auf {of}. Darin steht:",
        "es": "Lo siento, nuestro artículo sobre esto solo está en {of} por ahora. Dice:",
    },
    Phrase.LANGUAGE_EN: {"en": "English", "de": "Englisch", "es": "inglés"},
    Phrase.LANGUAGE_DE: {"en": "German", "de": "Deutsch", "es": "alemán"},
    Phrase.LANGUAGE_ES: {"en": "Spanish", "de": "Spanisch", "es": "español"},
    Phrase.ANSWER_OFFER: {
        "en": "Does that answer it, or shall I look for something else?",
        "de": "Ist damit Ihre Frage beantwortet, oder soll ich nach etwas anderem suchen?",
        "es": "¿Responde esto a su pregunta o busco otra cosa?",
    },
    Phrase.REPORT_OFFER: {
        "en": "If that doesn't help, tell me, and I'll report it as a bug.",
        "de": "Wenn das nicht hilft, sagen Sie es mir, dann melde ich es als Fehler.",
        "es": "Si no sirve, dígamelo y lo registro como error.",
    },
    Phrase.ANSWER_CUT: {
        "en": "That is as far as I got. Shall I fetch someone from the team for the rest?",
        "de": "Weiter bin ich nicht gekommen. Soll ich für den Rest jemanden aus dem Team holen?",
        "es": "Hasta aquí he llegado. ¿Aviso a alguien del equipo para el resto?",
    },
    Phrase.NOT_CONFIRMED: {
        "en": "For the rest I find no confirmation in our help articles, and I won't guess. Shall I fetch someone from the team?",
        "de": "Das Übrige finde ich in unseren Hilfeartikeln nicht bestätigt, und raten möchte ich nicht. Soll ich jemanden aus dem Team holen?",
        "es": "El resto no lo encuentro confirmado en nuestros artículos de ayuda y no quiero adivinar. ¿Aviso a alguien del equipo?",
    },
    Phrase.OFFER_PERSON: {
        "en": "This may be one for a person. Shall I fetch someone from the team?",
        "de": "Das ist vielleicht eher etwas für einen Menschen. Soll ich jemanden aus dem Team holen?",
        "es": "Quizá esto sea mejor para una persona. ¿Aviso a alguien del equipo?",
    },
    Phrase.OFFER_BUG: {
        "en": "This may be a fault of the product. Shall I file it as a bug, with what you told me here?",
        "de": "Das könnte ein Fehler im Produkt sein. Soll ich ihn mit dem, was Sie hier geschrieben haben, erfassen?",
        "es": "Puede que sea un fallo del producto. ¿Lo registro como error con lo que me ha contado aquí?",
    },
    Phrase.SIGN_IN_NEEDED: {
        "en": "To look at your own account I need you to be signed in to the product on this page.",
        "de": "Um in Ihr Konto zu sehen, müssten Sie auf dieser Seite im Produkt angemeldet sein.",
        "es": "Para ver su cuenta necesito que haya iniciado sesión en el producto en esta página.",
    },
    Phrase.ACCOUNT_PLAN: {
        "en": "Your workspace is on the **{plan}** plan.",
        "de": "Ihr Arbeitsbereich hat den Tarif **{plan}**.",
        "es": "Su espacio de trabajo tiene el plan **{plan}**.",
    },
    Phrase.ACCOUNT_BILLING: {
        "en": "Its billing status is **{billing_status}**.",
        "de": "Der Zahlungsstatus ist **{billing_status}**.",
        "es": "El estado de facturación es **{billing_status}**.",
    },
    Phrase.ACCOUNT_RENEWS: {
        "en": "It renews on {renewal_on}.",
        "de": "Er verlängert sich am {renewal_on}.",
        "es": "Se renueva el {renewal_on}.",
    },
    Phrase.ACCOUNT_SEATS: {
        "en": "{seats_used} of {seats} seats are in use.",
        "de": "{seats_used} von {seats} Plätzen sind belegt.",
        "es": "{seats_used} de {seats} plazas están en uso.",
    },
    Phrase.ORDER_STATUS: {
        "en": "Your newest order, **{order_id}** of {ordered_on}: **{status}**.",
        "de": "Ihre neueste Bestellung, **{order_id}** vom {ordered_on}: **{status}**.",
        "es": "Su pedido más reciente, **{order_id}** del {ordered_on}: **{status}**.",
    },
    Phrase.ORDER_EXPECTED: {
        "en": "The expected date is {expected_on}.",
        "de": "Der erwartete Termin ist der {expected_on}.",
        "es": "La fecha prevista es el {expected_on}.",
    },
    Phrase.ORDER_CARRIER: {
        "en": "Carrier: {carrier}, tracking number {tracking}.",
        "de": "Versand mit {carrier}, Sendungsnummer {tracking}.",
        "es": "Transportista: {carrier}, número de seguimiento {tracking}.",
    },
    Phrase.NO_ORDERS: {
        "en": "I find no orders on your account.",
        "de": "Ich finde zu Ihrem Konto keine Bestellung.",
        "es": "No encuentro pedidos en su cuenta.",
    },
    Phrase.QR_PERSON: {"en": "Talk to a person", "de": "Mit einem Menschen sprechen", "es": "Hablar con una persona"},
    Phrase.QR_PERSON_TEXT: {
        "en": "Yes, please fetch someone from the team.",
        "de": "Ja, bitte holen Sie jemanden aus dem Team.",
        "es": "Sí, por favor avise a alguien del equipo.",
    },
    Phrase.QR_REPHRASE: {"en": "Ask differently", "de": "Anders fragen", "es": "Preguntar de otra forma"},
    Phrase.QR_THAT: {"en": "Yes, that's it", "de": "Ja, genau", "es": "Sí, eso es"},
    Phrase.QR_YES: {"en": "Yes, please", "de": "Ja, bitte", "es": "Sí, por favor"},
    Phrase.QR_NO: {"en": "No, thanks", "de": "Nein, danke", "es": "No, gracias"},
    Phrase.QR_SOLVED: {"en": "That solved it", "de": "Das hat geholfen", "es": "Resuelto"},
    Phrase.QR_SOLVED_TEXT: {
        "en": "Thanks, that solved it.",
        "de": "Danke, das hat geholfen.",
        "es": "Gracias, eso lo ha resuelto.",
    },
    Phrase.QR_UNSOLVED: {"en": "It didn't help", "de": "Das hat nicht geholfen", "es": "No ha servido"},
    Phrase.QR_UNSOLVED_TEXT: {
        "en": "That didn't help.",
        "de": "Das hat nicht geholfen.",
        "es": "Eso no me ha servido.",
    },
}


def phrase(name: Phrase, language: Language, **values: object) -> str:
    """Return a fixed sentence, as Markdown.

    Raises:
        KeyError: the sentence has a placeholder that `values` lacks.
    """
    return _TEXTS[name][language].format(**values)


_STATUSES: dict[str, dict[Language, str]] = {
    "active": {"en": "active", "de": "aktiv", "es": "activo"},
    "trial": {"en": "trial", "de": "Testphase", "es": "en prueba"},
    "trialing": {"en": "trial", "de": "Testphase", "es": "en prueba"},
    "past_due": {"en": "past due", "de": "überfällig", "es": "pago pendiente"},
    "unpaid": {"en": "unpaid", "de": "unbezahlt", "es": "sin pagar"},
    "paid": {"en": "paid", "de": "bezahlt", "es": "pagado"},
    "read_only": {"en": "read-only", "de": "nur lesbar", "es": "solo lectura"},
    "paused": {"en": "paused", "de": "pausiert", "es": "en pausa"},
    "cancelled": {"en": "cancelled", "de": "gekündigt", "es": "cancelado"},
    "canceled": {"en": "cancelled", "de": "gekündigt", "es": "cancelado"},
    "processing": {"en": "being prepared", "de": "in Bearbeitung", "es": "en preparación"},
    "packed": {"en": "packed", "de": "verpackt", "es": "empaquetado"},
    "shipped": {"en": "shipped", "de": "verschickt", "es": "enviado"},
    "in_transit": {"en": "on its way", "de": "unterwegs", "es": "en camino"},
    "delayed": {"en": "delayed", "de": "verspätet", "es": "retrasado"},
    "delivered": {"en": "delivered", "de": "zugestellt", "es": "entregado"},
    "returned": {"en": "returned", "de": "zurückgeschickt", "es": "devuelto"},
}

_MONTHS: dict[Language, tuple[str, ...]] = {
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),
    "de": ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
}  # fmt: skip


def status_name(status: str, language: Language) -> str:
    """Return a billing or order status in words; one that we don't know is said as it is, without underscores."""
    known = _STATUSES.get(status.strip().lower().replace(" ", "_").replace("-", "_"))
    return known[language] if known else status.replace("_", " ")


def day_name(day: date, language: Language) -> str:
    """Return a date as people of that language write it."""
    month = _MONTHS[language][day.month - 1]
    match language:
        case "en":
            return f"{day.day} {month} {day.year}"
        case "de":
            return f"{day.day}. {month} {day.year}"
        case "es":
            return f"{day.day} de {month} de {day.year}"


def begins_with_month(text: str) -> bool:
    """Whether a text begins with the name of a month, in any of our languages."""
    first = "".join(text.split(maxsplit=1)[:1])
    return any(first == month for months in _MONTHS.values() for month in months)


def language_name(of: str, language: Language) -> str:
    """Return what the language `of` is called in `language`; its code when we have no name for it."""
    for name in (Phrase.LANGUAGE_EN, Phrase.LANGUAGE_DE, Phrase.LANGUAGE_ES):
        if name.value == f"language_{of}":
            return phrase(name, language)
    return of
