"""What an environment that belongs to other programs can't do."""

import os

import pytest
from langchain_core.runnables import RunnableLambda
from pydantic import SecretStr

from tools.engines.llm.calling import Model
from tools.engines.llm.options import Clocks, Endpoint
from tools.engines.llm.transport import open_client
from tools.tracing.opening import open_tracing
from tools.tracing.options import TraceOptions


async def test_langchains_first_tracer_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGCHAIN_TRACING", "true")
    monkeypatch.setenv("LANGCHAIN_HANDLER", "langchain")

    async with open_tracing(TraceOptions("http://127.0.0.1:9", "tests")):
        assert await RunnableLambda(lambda value: value).ainvoke("said") == "said"
        assert "LANGCHAIN_TRACING" not in os.environ


async def test_models_are_reached_where_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGSMITH_GATEWAY", "true")
    monkeypatch.setenv("LANGSMITH_API_KEY", "lsv2_pt_another")
    monkeypatch.setenv("OPENAI_API_BASE", "http://elsewhere.example/v1")

    async with open_client() as client:
        chat = Model(Endpoint("gpt", None, SecretStr("key")), client, Clocks()).chat

    assert chat.openai_api_base == "https://api.openai.com/v1"
