"""What a real model's server does for the clients that we use.

What a small model makes of a request is printed; only what a client can't do without is asserted.
"""

import asyncio
import json
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import httpx
import openai
import pytest
from langchain_core.messages import AIMessageChunk
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, ConfigDict, Field

from tests.live.harness import Endpoint, ModelServer, model_served
from tests.live.heard import Messages, hear

pytestmark = pytest.mark.live


class Ticket(BaseModel):
    """Its string has a bound: one without runs into the token limit sooner or later."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["how_to", "bug", "billing"]
    title: str = Field(max_length=40)
    urgent: bool


TICKET: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {"name": "ticket", "strict": True, "schema": Ticket.model_json_schema()},
}
# The server holds the model to the schema, but doesn't show it the schema.
KEYS = 'Reply with JSON that has the keys "kind" (how_to, bug or billing), "title" and "urgent" (true or false).'
REPORTS = [
    "You charged me twice!",
    "Since yesterday the export button crashes the whole application, in every browser, for everyone in our team.",
]


def function(name: str, argument: str) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": {argument: {"type": "string", "maxLength": 20}},
        "required": [argument],
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "description": "Look it up.", "parameters": parameters}}


TOOLS = [function("look_up_order", "order_number"), function("look_up_invoice", "invoice_number")]
NAMED = {"type": "function", "function": {"name": "look_up_order"}}

CALL_KEYS = (
    'Choose the function that helps: look_up_order or look_up_invoice. Reply with JSON that has the keys "name" (of '
    'the function) and "arguments" (an object with the key "number").'
)
CALL: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {
        "name": "call",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "name": {"enum": ["look_up_order", "look_up_invoice"]},
                "arguments": {
                    "type": "object",
                    "properties": {"number": {"type": "string", "maxLength": 20}},
                    "required": ["number"],
                    "additionalProperties": False,
                },
            },
            "required": ["name", "arguments"],
            "additionalProperties": False,
        },
    },
}


def call(name: str, arguments: dict[str, str], call_id: str) -> Any:
    made = {"id": call_id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
    return {"role": "assistant", "content": None, "tool_calls": [made]}


QUESTION: list[Any] = [
    {"role": "system", "content": "You look up orders. Always call a function first."},
    {"role": "user", "content": "Where is order A-1234?"},
]
# A model this small calls a function only when it has seen itself do so.
AFTER_AN_EXAMPLE: list[Any] = [
    QUESTION[0],
    {"role": "user", "content": "Where is order B-77?"},
    call("look_up_order", {"order_number": "B-77"}, "call_1"),
    {"role": "tool", "tool_call_id": "call_1", "content": '{"status": "packed"}'},
    {"role": "assistant", "content": "Order B-77 is packed."},
    QUESTION[1],
]


def long_prompt(question: str, *, mark: str, articles: int) -> Messages:
    """About 26 tokens for each article. Prompts with another `mark` have nothing in common that could be remembered."""
    lines = [f"[{n}] Article {mark}: to change setting {n}, open panel {n} and press Save." for n in range(articles)]
    return [
        {"role": "system", "content": "\n".join([f"Answer from the articles of {mark}.", *lines])},
        {"role": "user", "content": question},
    ]


async def test_text_streams_and_ends_with_its_usage(endpoint: Endpoint, client: openai.AsyncOpenAI) -> None:
    heard = await hear(client, [{"role": "user", "content": "What is a help desk? Answer in two sentences."}])

    print(f"\nthe server was up after {endpoint.start_s:.1f} s")
    heard.tell("text")
    assert heard.text
    assert heard.pieces > 1


async def test_langchain_streams_text_and_usage(chat: ChatOpenAI) -> None:
    whole: AIMessageChunk | None = None
    pieces = 0
    async for chunk in chat.astream("What is a help desk? Answer in two sentences.", max_tokens=100):
        assert isinstance(chunk, AIMessageChunk)
        pieces += bool(chunk.text)
        whole = chunk if whole is None else whole + chunk

    assert whole is not None
    print(f"\nLangChain: {pieces} pieces, {whole.usage_metadata}, {whole.response_metadata.get('finish_reason')}")
    assert whole.text
    assert pieces > 1
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["output_tokens"] > 0


@pytest.mark.parametrize("report", REPORTS)
async def test_what_a_schema_asks_for_comes_back_valid(client: openai.AsyncOpenAI, report: str) -> None:
    messages: Messages = [{"role": "system", "content": KEYS}, {"role": "user", "content": report}]

    heard = await hear(client, messages, response_format=TICKET)

    heard.tell("json_schema")
    assert heard.finish == "stop"
    Ticket.model_validate_json(heard.text, strict=True)


async def test_langchain_gets_a_typed_value(chat: ChatOpenAI) -> None:
    ask = chat.with_structured_output(Ticket, method="json_schema", strict=True)

    ticket = await ask.ainvoke([("system", KEYS), ("user", REPORTS[0])])

    print(f"\nLangChain: {ticket!r}")
    assert isinstance(ticket, Ticket)


@pytest.mark.parametrize("choice", ["auto", "required", NAMED], ids=["auto", "required", "named"])
async def test_asked_for_a_function_the_model_answers_somehow(client: openai.AsyncOpenAI, choice: Any) -> None:
    heard = await hear(client, QUESTION, tools=TOOLS, tool_choice=choice)

    heard.tell(f"function, no example, {choice}: {heard.shape}")


async def test_a_function_is_called_and_its_result_used(client: openai.AsyncOpenAI) -> None:
    called = await hear(client, AFTER_AN_EXAMPLE, tools=TOOLS)
    called.tell(f"function, after an example: {called.shape}")
    assert called.finish == "tool_calls"
    assert called.names == ["look_up_order"]
    arguments = json.loads(called.arguments[0])
    assert arguments.keys() == {"order_number"}

    result = '{"status": "shipped", "arrives": "Friday"}'
    messages = [
        *AFTER_AN_EXAMPLE,
        call("look_up_order", arguments, "call_2"),
        {"role": "tool", "tool_call_id": "call_2", "content": result},
    ]
    answered = await hear(client, messages, tools=TOOLS)

    answered.tell("after the function's result")
    assert answered.text


async def test_a_call_can_be_asked_for_as_json(client: openai.AsyncOpenAI) -> None:
    messages: Messages = [{"role": "system", "content": CALL_KEYS}, QUESTION[1]]

    heard = await hear(client, messages, response_format=CALL)

    heard.tell("a call as json_schema")
    made = json.loads(heard.text)
    assert made["name"] in {tool["function"]["name"] for tool in TOOLS}
    assert made["arguments"].keys() == {"number"}


async def test_langchain_gets_the_functions_call(chat: ChatOpenAI) -> None:
    whole: AIMessageChunk | None = None
    async for chunk in chat.bind_tools(TOOLS).astream(AFTER_AN_EXAMPLE, max_tokens=100):
        assert isinstance(chunk, AIMessageChunk)
        whole = chunk if whole is None else whole + chunk

    assert whole is not None
    print(f"\nLangChain: {whole.tool_calls}")
    assert [made["name"] for made in whole.tool_calls] == ["look_up_order"]
    assert whole.invalid_tool_calls == []


async def test_the_weights_own_template_knows_no_functions(tmp_path: Path, client: openai.AsyncOpenAI) -> None:
    with model_served(tmp_path) as bare:
        async with openai.AsyncOpenAI(base_url=bare.url, api_key=bare.key, max_retries=0) as its_client:
            plain = await hear(its_client, QUESTION)
            asked = await hear(its_client, QUESTION, tools=TOOLS, tool_choice="required")
    ours = await hear(client, QUESTION)

    asked.tell(f"function, the weights' own template, required: {asked.shape}")
    print(f"  {plain.tokens_in} tokens in without functions")
    assert ours.tokens_in == plain.tokens_in, "our template changes prompts without functions"


async def test_the_second_question_on_a_long_prompt_comes_faster(client: openai.AsyncOpenAI) -> None:
    mark = uuid4().hex[:4]

    cold = await hear(client, long_prompt("How do I change setting 7?", mark=mark, articles=75), max_tokens=48)
    warm = await hear(client, long_prompt("How do I change setting 8?", mark=mark, articles=75), max_tokens=48)

    cold.tell("long prompt, cold")
    warm.tell("long prompt, warm")
    assert cold.tokens_in > 1900
    assert cold.cached_tokens < 100
    assert warm.cached_tokens > 1900
    assert warm.first_s < cold.first_s


async def test_two_are_answered_at_the_same_time(client: openai.AsyncOpenAI) -> None:
    questions = ["Describe a help desk.", "Describe an invoice."]

    answers = await asyncio.gather(*(hear(client, [{"role": "user", "content": text}]) for text in questions))

    for text, heard in zip(questions, answers, strict=True):
        heard.tell(f"two at once, {text}")


async def test_a_closed_stream_frees_its_place(endpoint: Endpoint, client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model=endpoint.model,
        messages=[{"role": "user", "content": "Count to a million."}],
        stream=True,
        max_tokens=3000,
        extra_body={"ignore_eos": True},
    )
    await anext(stream)
    await stream.close()

    async with (
        httpx.AsyncClient(base_url=endpoint.address, headers={"Authorization": f"Bearer {endpoint.key}"}) as http,
        asyncio.timeout(10),
    ):
        while any(slot["is_processing"] for slot in (await http.get("/slots")).json()):
            await asyncio.sleep(0.05)


async def test_a_prompt_that_is_too_long_is_refused(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await hear(client, long_prompt("Why?", mark="long", articles=400))

    print(f"\ntoo long: {refused.value.body}")


async def test_a_wrong_key_is_refused(endpoint: Endpoint) -> None:
    async with openai.AsyncOpenAI(base_url=endpoint.url, api_key="wrong", max_retries=0) as stranger:
        with pytest.raises(openai.AuthenticationError):
            await hear(stranger, QUESTION)


def test_the_server_ends_when_its_owner_does(environment: None, tmp_path: Path) -> None:
    server = ModelServer(tmp_path)
    try:
        server.wait()
    finally:
        code = server.stop()

    assert code == 0


def test_a_server_that_cannot_start_says_why(environment: None, tmp_path: Path) -> None:
    weights = tmp_path / "weights.gguf"
    weights.write_bytes(b"no weights")

    with pytest.raises(RuntimeError, match="failed to load model"), model_served(tmp_path, "--weights", str(weights)):
        pass
