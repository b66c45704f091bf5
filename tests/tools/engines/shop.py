"""A small product to ask about: its categories, and articles as the knowledge base would hand them over."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.errors import ConnectorError
from agent.policy import CategoryPolicy
from agent.types import Passage, Source, Untrusted

CATEGORIES = tuple(
    CategoryPolicy(category_id, name, description, examples=tuple(examples))
    for category_id, name, description, examples in (
        (
            "password_login",
            "Password and sign-in",
            "Signing in, passwords, locked accounts.",
            ["I forgot my password", "the reset link has expired", "I can't log in", "my account is locked",
             "the sign-in page rejects me", "reset mail doesn't arrive", "change my password", "wrong password"],
        ),
        (
            "billing_invoices",
            "Billing and receipts",
            "What the product charges us, how we pay, and the receipts for it.",
            ["where do I download your invoices", "my card was declined", "change our billing address",
             "update the credit card", "we were charged twice", "add our VAT id to the receipts",
             "a payment failed", "I need a receipt for last month"],
        ),
        (
            "plans_pricing",
            "Plans and pricing",
            "What plans cost and contain, upgrades, downgrades and discounts.",
            ["what does the business plan cost", "difference between team and business", "how do we upgrade",
             "what happens when we downgrade", "discount for nonprofits", "how long is the trial",
             "limits of the free plan", "price per user and year"],
        ),
        (
            "how_to_time",
            "Time tracking",
            "Timers, timesheets, approvals, rounding.",
            ["start and stop the timer", "add hours by hand", "edit a time entry", "approve timesheets of my team",
             "round entries to 15 minutes", "log time for yesterday", "who approves my hours", "Zeit nachtragen"],
        ),
        (
            "integrations_api",
            "Integrations and API",
            "Calendar, Slack, API keys, webhooks.",
            ["connect Google Calendar", "post to Slack when a task is done", "where do I create an API key",
             "rate limit of the API", "webhook for new invoices", "does it work with Zapier", "sync my calendar",
             "call your REST API"],
        ),
        (
            "members_permissions",
            "Members and permissions",
            "Inviting people, roles, guests, ownership.",
            ["invite a new member", "what can a manager do", "remove someone who left", "give a client access",
             "make somebody else the owner", "the invitation hasn't arrived", "who is allowed to see rates",
             "change the role of a user"],
        ),
        (
            "orders",
            "Orders and shipping",
            "Orders of terminals, delivery, returns.",
            ["where is my order", "when will the terminal arrive", "has my package shipped", "return the terminal",
             "tracking number", "the delivery is late", "the device arrived damaged", "do you ship to Norway"],
        ),
        (
            "cancellation",
            "Cancellation",
            "Ending the subscription or the account.",
            ["cancel my subscription", "cancel my account", "we want to end our contract", "how do I close my account",
             "please terminate the plan", "we don't want to renew", "stop billing us, we are leaving", "Abo kündigen"],
        ),
    )
)  # fmt: skip

ARTICLES: dict[str, tuple[str, str, str, str]] = {
    # article id: title, section, language, text
    "reset-password": (
        "Reset your password",
        "Steps",
        "en",
        "If you forgot your password, set a new one from the sign-in page:\n\n"
        "1. Select **Forgot password?**.\n2. Enter the e-mail address of your account.\n"
        "3. Follow the link in the e-mail.\n\nThe link is valid for 60 minutes. It works once. "
        "Check the spam folder if nothing arrives.",
    ),
    "download-invoices": (
        "Download invoices and receipts",
        "Where they are",
        "en",
        "Open **Settings > Billing > History** to see every receipt. Owners and billing admins can download each one "
        "as a PDF. Members don't see this page.",
    ),
    "refund-policy": (
        "Refund policy",
        "Annual plans",
        "en",
        "Annual plans are refunded in full within 30 days of the charge. Monthly plans are not refunded. "
        "Refunds on the Business plan take 5 to 10 working days.",
    ),
    "invite-members": (
        "Invite members",
        "Steps",
        "en",
        "Admins invite people under **Settings > Members**.\n\n- Select **Invite**.\n- Enter their addresses.\n\n"
        "The invitation is valid for 7 days. Only the owner can make somebody an admin.",
    ),
    "slack-integration": (
        "Connect Slack",
        "Set up",
        "en",
        "Go to **Settings > Integrations > Slack** and select **Connect**. Finished tasks are then posted to the "
        "channel that you choose.",
    ),
    "de-rechnungen": (
        "Rechnungen herunterladen",
        "Wo sie sind",
        "de",
        "Öffnen Sie **Einstellungen > Abrechnung > Verlauf**. Jede Rechnung hat einen PDF-Knopf. "
        "Mitglieder sehen diese Seite nicht.",
    ),
}


def passage(article_id: str, *, score: float = 0.85, rank: int = 0, text: str | None = None) -> Passage:
    """An article of the shop as a search result."""
    title, section, language, own = ARTICLES[article_id]
    return Passage(
        passage_id=f"{article_id}#0",
        article_id=article_id,
        title=title,
        section=section,
        text=Untrusted.of(own if text is None else text, Source.ARTICLE),
        url=f"https://help.example/{article_id}",
        language=language,
        score=score,
        dense_score=score - 0.15,
        lexical_score=6.0,
        rank=rank,
        area="billing" if article_id in ("download-invoices", "refund-policy", "de-rechnungen") else None,
    )


class HashedEmbedder:
    """Words to 64 numbers: quick, deterministic, knows nothing of meaning. Fails when told to."""

    name = "hashed"
    dimensions = 64

    def __init__(self) -> None:
        self.broken = False
        self.calls = 0
        self.texts = 0

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.broken:
            raise ConnectorError("told to fail")
        self.calls += 1
        self.texts += len(texts)
        rows = np.full((len(texts), self.dimensions), 1e-6, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[hashlib.sha256(word.encode(errors="replace")).digest()[0] % self.dimensions] += 1
            row /= np.linalg.norm(row)
        return rows
