"""What the API's description promises of answers is what is answered."""

from typing import Any

import httpx
import jsonschema_rs

from tests.server.harness import BOT_KEYS, Customer, Here, bearer
from tests.server.test_inbox import wait_for_mode


def assert_described(document: dict[str, Any], path: str, answer: httpx.Response) -> None:
    operation = document["paths"][path][answer.request.method.lower()]
    described = operation["responses"][str(answer.status_code)]
    schema = described["content"][answer.headers["content-type"]]["schema"]
    jsonschema_rs.validate({**schema, "components": document["components"]}, answer.json())


async def test_answers_are_as_described(here: Here, customer: Customer) -> None:
    document = (await here.http.get("/openapi.json")).json()
    of_a_conversation = "/v1/conversations/{conversation_id}"
    assert_described(document, "/v1/sessions", await here.http.post("/v1/sessions", json={}))
    chat = {"messages": [{"role": "user", "content": "Where are my invoices?"}]}
    for headers, status in ((bearer(BOT_KEYS[0]), 200), (bearer("no-key"), 401)):
        for path in ("/v1/models", "/v1/chat/completions"):
            asked = chat if path.endswith("completions") else None
            answer = await here.http.request("POST" if asked else "GET", path, json=asked, headers=headers)
            assert answer.status_code == status
            assert_described(document, path, answer)
    await customer.say("Where are my invoices?")
    assert_described(document, f"{of_a_conversation}/handoff", await customer.post("handoff", {}))
    await wait_for_mode(customer, "waiting")
    listed = await here.http.get(customer.path("messages"), headers=customer.headers)
    assert_described(document, f"{of_a_conversation}/messages", listed)
    assert_described(document, f"{of_a_conversation}/rating", await customer.post("rating", {"stars": 9}))

    async with here.staff() as staff:
        for path in ("/v1/inbox/handoffs", "/v1/inbox/bugs", "/v1/inbox/ops"):
            assert_described(document, path, await staff.get(path))
        of_the_team = "/v1/inbox/conversations/{conversation_id}"
        for action, body in (
            ("/take", {"person": "Grace"}),
            ("/reply", {"text": "Hello", "client_message_id": "r1", "person": "Grace"}),
            ("/hand_back", {}),
            ("/hand_back", {}),
        ):
            answer = await staff.post(of_the_team.format(conversation_id=customer.conversation_id) + action, json=body)
            assert_described(document, of_the_team + action, answer)
    assert answer.status_code == 409


async def test_it_says_by_what_one_is_let_in(here: Here) -> None:
    answer = await here.http.get("/openapi.json")
    document = answer.json()

    assert "HTTPValidationError" not in answer.text
    assert document["components"]["securitySchemes"].keys() == {"bearer", "cookie"}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            let_in = [scheme for one in operation.get("security", []) for scheme in one]
            expected = ["cookie"] if path.startswith("/v1/inbox/") else ["bearer"]
            is_open = path in ("/v1/sessions", "/inbox/login", "/inbox/logout")
            assert let_in == ([] if is_open else expected), path
