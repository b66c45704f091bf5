"""What the knowledge tests arrange again and again."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agent.ports import Embedder, SearchQuery
from agent.types import Language, Source, Untrusted
from tests.migrated import put_migrated
from tools.knowledge.matching import Questions
from tools.knowledge.store import KnowledgeStore
from tools.storage.database import Database

ARTICLES = {
    "download-invoices": (
        "Download invoices",
        "Open **Settings > Billing > History**. Each invoice has a PDF button.\n\n"
        "## Who may see them\n\nOwners and billing admins.",
    ),
    "reset-password": (
        "Reset your password",
        "Choose **Forgot password?** on the sign-in page. The link is valid for 60 minutes.",
    ),
    "pair-terminal": (
        "Connect the terminal to Wi-Fi",
        "The terminal joins 2.4 GHz networks only. Hold the button for five seconds, then pick the network.",
    ),
    "invite-members": (
        "Invite people to your workspace",
        "Open **Settings > Members** and enter their e-mail addresses. They get a link.",
    ),
    "de-rechnungen": (
        "Rechnungen herunterladen",
        "Öffnen Sie **Einstellungen > Abrechnung > Verlauf**. Jede Rechnung hat einen PDF-Knopf.",
    ),
    "de-passwort": (
        "Passwort zurücksetzen",
        "Wählen Sie **Passwort vergessen?** auf der Anmeldeseite. Der Link gilt 60 Minuten lang.",
    ),
    "es-facturas": (
        "Descargar facturas",
        "Abra **Ajustes > Facturación > Historial**. Cada factura tiene un botón PDF para descargarla.",
    ),
    "es-miembros": (
        "Invitar a miembros",
        "Abra **Ajustes > Miembros** y escriba sus direcciones de correo electrónico. Recibirán un enlace.",
    ),
}


def write_articles(folder: Path, articles: dict[str, tuple[str, str]] | None = None, **front: str) -> Path:
    """A folder of Markdown articles; `front` goes into the front matter of all."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.md"):
        old.unlink()
    for article_id, (title, body) in (ARTICLES if articles is None else articles).items():
        lines = [f"title: {json.dumps(title)}", *(f"{name}: {value}" for name, value in front.items())]
        (folder / f"{article_id}.md").write_text("---\n" + "\n".join(lines) + f"\n---\n\n{body}\n", encoding="utf-8")
    return folder


def ask(text: str, language: Language = "en", *, limit: int = 8, plan: str | None = None) -> SearchQuery:
    return SearchQuery(text=Untrusted.of(text, Source.CUSTOMER), language=language, limit=limit, plan=plan)


@asynccontextmanager
async def opened(
    data_dir: Path, embedder: Embedder | None, taught: Questions | None = None
) -> AsyncIterator[KnowledgeStore]:
    """A knowledge base over SQLite in `data_dir`, as an installation opens it."""
    await put_migrated(data_dir)
    db = await Database.open(None, data_dir=data_dir)
    try:
        store = await KnowledgeStore.open(db, data_dir, embedder, "orrery", taught=taught)
        try:
            yield store
        finally:
            await store.close()
    finally:
        await db.close()
