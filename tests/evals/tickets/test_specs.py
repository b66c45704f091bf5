"""Tickets of helpdesks against the vendors' own API descriptions, where these are at hand (docs/tickets.md).

`HELPGRAPH_SPECS` names a folder that holds them: `zendesk/support-oas.json`, `intercom/api.intercom.io-2.16.yaml`. They
are not ours to publish, so the repository has none.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from evals.tickets import intercom, zendesk
from evals.tickets.formats import Format, recognise, unwrapped
from tests.evals.tickets import vendors


def spec(name: str) -> Path:
    folder = os.environ.get("HELPGRAPH_SPECS")
    if not folder:
        pytest.skip("HELPGRAPH_SPECS names no folder with the vendors' API descriptions")
    path = Path(folder) / name
    if not path.exists():
        pytest.skip(f"HELPGRAPH_SPECS has no {name}")
    return path


@pytest.fixture(scope="module")
def support() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(spec("zendesk/support-oas.json").read_bytes())
    return loaded


@pytest.fixture(scope="module")
def conversations() -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loaded: dict[str, Any] = yaml.load(spec("intercom/api.intercom.io-2.16.yaml").read_bytes(), Loader=loader)  # noqa: S506
    return loaded


def nullable(node: Any) -> Any:
    """The schema with null allowed everywhere: the vendors' own examples have it where it isn't said."""
    if isinstance(node, list):
        return [nullable(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {key: nullable(value) for key, value in node.items() if key not in ("example", "examples")}
    if isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    if isinstance(made.get("enum"), list):
        made["enum"] = [*made["enum"], None]
    return made


def check(record: Any, described: dict[str, Any], name: str) -> None:
    schemas = nullable(described["components"]["schemas"])
    jsonschema_rs.validate({"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}, record)


def known(described: dict[str, Any], name: str) -> set[str]:
    return set(described["components"]["schemas"][name]["properties"])


def test_our_example_of_zendesk_is_as_described(support: dict[str, Any]) -> None:
    record = vendors.zendesk()
    comments, users, metrics = (record.pop(key) for key in ("comments", "users", "metric_set"))

    check(record, support, "TicketObject")
    assert set(record) <= known(support, "TicketObject")
    for comment in comments:
        check(comment, support, "TicketCommentObject")
        assert set(comment) <= known(support, "TicketCommentObject")
    check(metrics, support, "TicketMetricObject")
    assert set(metrics) <= known(support, "TicketMetricObject")
    assert {user["role"] for user in users} <= {"end-user", "agent", "admin"}


def test_zendesks_own_page_of_the_incremental_export_is_read(support: dict[str, Any]) -> None:
    page = support["components"]["schemas"]["CursorBasedExportIncrementalTicketsResponse"]["example"]
    comment = support["components"]["schemas"]["TicketCommentObject"]["example"]
    (listed,) = page["tickets"]
    thread = [comment | {"author_id": listed["requester_id"]}, comment]

    (record,) = unwrapped(page | {"comments": {str(listed["id"]): thread}})
    draft = zendesk.draft(record)

    assert recognise(record) is Format.ZENDESK
    assert draft.ticket_id == str(listed["id"])
    assert draft.subject == listed["subject"]
    assert (draft.status, draft.satisfaction, draft.channel) == ("open", "good", "web")
    assert [message.author for message in draft.messages] == ["customer", "agent"]
    assert draft.messages[0].text == comment["body"]
    assert draft.tags == tuple(listed["tags"])


def test_every_status_and_channel_of_zendesks_means_something(support: dict[str, Any]) -> None:
    for status in support["components"]["schemas"]["TicketObject"]["properties"]["status"]["enum"]:
        draft = zendesk.draft(vendors.zendesk(status=status))
        assert draft.resolved_by == ("agent" if status in ("solved", "closed") else "nobody")


def test_our_example_of_intercom_is_as_described(conversations: dict[str, Any]) -> None:
    record = vendors.intercom()

    check(record, conversations, "conversation")
    assert set(record) <= known(conversations, "conversation")
    assert set(record["source"]) <= known(conversations, "conversation_source")
    for part in record["conversation_parts"]["conversation_parts"]:
        assert set(part) <= known(conversations, "conversation_part")
        assert set(part["author"]) <= known(conversations, "conversation_part_author")


def examples(described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    answers = described["paths"]["/conversations/{conversation_id}"]["get"]["responses"]["200"]
    for example in answers["content"]["application/json"]["examples"].values():
        yield example["value"]


def test_intercoms_own_conversations_are_read(conversations: dict[str, Any]) -> None:
    found = list(examples(conversations))
    assert found
    for record in found:
        draft = intercom.draft(record)

        assert recognise(record) is Format.INTERCOM
        assert draft.ticket_id == record["id"]
        assert draft.created_at.timestamp() == record["created_at"]
        assert draft.messages[0].text == record["source"]["body"]
        # Of its parts one is a comment with a text; the others say what happened.
        assert [message.text for message in draft.messages[1:]] == ["<p>Okay!</p>"]
        assert draft.status == record["state"]


def test_every_state_of_intercoms_means_something(conversations: dict[str, Any]) -> None:
    for state in conversations["components"]["schemas"]["conversation"]["properties"]["state"]["enum"]:
        draft = intercom.draft(vendors.intercom(state=state))
        assert draft.resolved_by == ("agent" if state == "closed" else "nobody")
