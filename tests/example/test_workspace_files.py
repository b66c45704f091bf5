"""The example workspace holds together: everything that names something names something that is there."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import yaml

from agent.types import LANGUAGES, Kind
from tests.installed import EXAMPLE
from tools.accounts import FileAccounts
from tools.knowledge.sources import read_source
from tools.pages import PageMap
from tools.workspace import load_workspace

FIELDS = {
    *("ticket_id", "created_at", "channel", "account_id", "user_id", "language", "page", "subject", "messages"),
    *("status", "resolved_by", "reopened", "transfers", "satisfaction", "bug_id", "tags", "gold"),
}
LABELS = {"category", "kind", "needs_person", "needs_person_reason", "article_slug", "complexity", "sentiment"}
REASONS = {
    *("account_change", "money_dispute", "identity", "legal", "security", "data_loss", "unanswered", "explicit_wish"),
    *("angry_high_value", "investigation", "complaint"),
}


def tickets() -> list[dict[str, object]]:
    lines = (EXAMPLE / "tickets.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def slugs() -> set[str]:
    return {path.stem for path in (EXAMPLE / "articles").glob("*.md")}


def test_there_is_enough_of_everything() -> None:
    articles = read_source(EXAMPLE / "articles")
    pages = PageMap.load(EXAMPLE / "pages.yaml")
    accounts = FileAccounts.load(EXAMPLE / "accounts.json")

    assert len(articles.articles) >= 60
    assert articles.refused == ()
    assert {article.language for article in articles.articles} == set(LANGUAGES)
    assert len(pages.routes) >= 12
    assert len({user.account_id for user in accounts.users()}) == 40
    assert len(tickets()) >= 400


def test_pages_name_articles_that_exist_and_elements_that_the_product_has() -> None:
    pages = yaml.safe_load((EXAMPLE / "pages.yaml").read_text(encoding="utf-8"))
    product = "".join(path.read_text(encoding="utf-8") for path in (EXAMPLE / "web").iterdir() if path.is_file())
    named = {slug for page in pages["routes"] for slug in page["articles"]} | {w["article"] for w in pages["walks"]}
    elements = {element["id"] for page in pages["routes"] for element in page["elements"]}

    assert named <= slugs()
    assert [element for element in sorted(elements) if f'"{element}"' not in product] == []


def test_every_ticket_follows_the_documented_schema() -> None:
    categories = {category.category_id for category in load_workspace(EXAMPLE).policy.categories}
    seen: set[object] = set()
    for ticket in tickets():
        gold = ticket["gold"]
        messages = ticket["messages"]
        assert isinstance(gold, dict)
        assert isinstance(messages, list)
        assert ticket.keys() == FIELDS, ticket["ticket_id"]
        assert gold.keys() == LABELS, ticket["ticket_id"]
        assert ticket["ticket_id"] not in seen
        seen.add(ticket["ticket_id"])
        assert gold["category"] in categories, ticket["ticket_id"]
        assert gold["kind"] in set(Kind), ticket["ticket_id"]
        assert gold["article_slug"] is None or gold["article_slug"] in slugs(), ticket["ticket_id"]
        assert (gold["needs_person_reason"] in REASONS) == gold["needs_person"], ticket["ticket_id"]
        assert messages[0]["author"] == "customer", ticket["ticket_id"]
        times = [datetime.fromisoformat(message["at"]) for message in messages]
        assert times == sorted(times), ticket["ticket_id"]


def test_tickets_span_a_quarter_and_are_in_order() -> None:
    made = [datetime.fromisoformat(str(ticket["created_at"])) for ticket in tickets()]

    assert made == sorted(made)
    assert made[-1] - made[0] >= timedelta(days=115)


def test_the_folder_is_described() -> None:
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")

    assert all(path.name in text for path in Path(EXAMPLE).iterdir() if path.name != "README.md")
