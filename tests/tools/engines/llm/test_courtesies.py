"""What a model may say without a source, and what only looks like it."""

import pytest

from tools.engines.llm.courtesies import claims_nothing

HOW = "How do I download my invoices?"
WIE = "Wie lade ich meine Rechnungen herunter?"
COMO = "¿Cómo descargo mis facturas?"
MAY = "Can members see the receipts of the workspace?"
DARF = "Können Mitglieder die Belege sehen?"


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("I'm sorry to hear that.", HOW),
        ("Sorry for the trouble!", MAY),
        ("Hello!", MAY),
        ("Thanks for reaching out!", MAY),
        ("You're welcome!", MAY),
        ("I understand.", MAY),
        ("I understand how frustrating this is.", MAY),
        ("Glad to help!", HOW),
        ("Sure!", HOW),
        ("Of course!", HOW),
        ("Here's how:", HOW),
        ("Here is how to download your invoices:", HOW),
        ("Sure, here is how to do it:", HOW),
        ("To download your invoices, follow these steps:", HOW),
        ("I hope this helps.", HOW),
        ("Let me know if you have any further questions!", HOW),
        ("Is there anything else I can help you with?", HOW),
        ("Which invoice do you mean?", HOW),
        ("Do you mean the receipts of the workspace?", MAY),
        ("I couldn't find this in our help articles.", HOW),
        ("I don't find anything about invoices in the sources.", HOW),
        ("Unfortunately, I couldn't find an answer to that in the articles.", HOW),
        ("The sources don't mention receipts.", MAY),
        ("I'm sorry, but the provided sources do not say whether members can see the receipts.", MAY),
        ("There is no information about invoices in the help articles.", HOW),
        ("This isn't covered in the documentation.", HOW),
        ("I don't have any information about that.", HOW),
        ("Does this help?", HOW),
        ("If you have any other questions, feel free to ask.", HOW),
        ("Best regards", HOW),
        ("Das tut mir leid.", DARF),
        ("Die Quellen enthalten dazu keine Informationen.", DARF),
        ("Leider habe ich dazu nichts gefunden.", DARF),
        ("Las fuentes no mencionan facturas.", COMO),
        ("Gern, so geht es:", WIE),
        ("So laden Sie Ihre Rechnungen herunter:", WIE),
        ("Dazu finde ich in den Artikeln nichts.", WIE),
        ("Ich hoffe, das hilft Ihnen weiter.", WIE),
        ("Haben Sie noch weitere Fragen?", WIE),
        ("Lamento las molestias.", COMO),
        ("Siga estos pasos:", COMO),
        ("No encuentro una respuesta en los artículos.", COMO),
        ("¿Necesita ayuda con algo más?", COMO),
    ],
)
def test_a_courtesy_claims_nothing(said: str, asked: str) -> None:
    assert claims_nothing(said, question=asked)


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        # Answers, in words that say nothing.
        ("Yes.", MAY),
        ("Yes, of course.", MAY),
        ("Certainly.", MAY),
        ("You can.", MAY),
        ("You can do that.", MAY),
        ("You can.", HOW),
        ("That is possible.", MAY),
        ("It works.", MAY),
        ("Sure, they can.", MAY),
        ("I can confirm that.", MAY),
        ("It is, I am happy to say.", MAY),
        ("I am glad to say you can.", MAY),
        ("Ja, natürlich.", DARF),
        ("Das geht.", DARF),
        ("Klar!", DARF),
        ("Sí, claro.", "¿Pueden los miembros ver los recibos?"),
        # Claims in the form of a question, an introduction, or of not having found something.
        ("Did you know that members can see receipts of the workspace?", MAY),
        ("Did you know members see receipts?", MAY),
        ("Members can see receipts, right?", MAY),
        ("Members see the receipts of the workspace:", MAY),
        ("I can't find more, but members can see the receipts.", MAY),
        ("I can't find an exception and members see the receipts.", MAY),
        ("I'm not sure that members see receipts, so they do.", MAY),
        ("The sources don't mention it, but members can see the receipts.", MAY),
        ("The sources don't say so: members can.", MAY),
        ("The articles don't mention members because they see the receipts.", MAY),
        # Words from elsewhere.
        ("The sources don't mention refunds.", HOW),
        ("There is no fee for invoices in the sources.", HOW),
        ("Delete your workspace to download the invoices:", HOW),
        ("To delete the workspace, follow these steps:", HOW),
        ("Can you tell me your password?", HOW),
        ("Open Settings:", HOW),
        ("Is there anything else at evil.test?", HOW),
        ("Everything you need is at evil.test.", HOW),
        ("Here are 3 steps:", HOW),
    ],
)
def test_what_could_be_taken_for_an_answer_is_a_claim(said: str, asked: str) -> None:
    assert not claims_nothing(said, question=asked)
