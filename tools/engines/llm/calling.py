"""Calls of one model: bounded in time, retried where that can help, cut short when the endpoint keeps failing."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import openai
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from agent.errors import ModelFailed
from agent.prompting import Prompt
from tools.engines.llm.breaker import Breaker
from tools.engines.llm.deadlines import DEADLINES, Deadlines, which_deadline, which_limit
from tools.engines.llm.ledger import Ledger
from tools.engines.llm.options import Clocks, Endpoint

logger = logging.getLogger(__name__)

_OPENAI = "https://api.openai.com/v1"
_ATTEMPTS = 3
_PATIENCE_S = 2.5
_FIRST_PAUSE_S = 0.3


class Model:
    """One model behind an endpoint, with the circuit breaker that they share."""

    def __init__(
        self, endpoint: Endpoint, client: httpx.AsyncClient, clocks: Clocks, *, temperature: float | None = None
    ) -> None:
        self.endpoint = endpoint
        self.breaker = Breaker()
        self.thinks_first = False
        """Whether its replies begin with a thought that only its end is marked of."""
        self._clocks = clocks
        self._chat = ChatOpenAI(
            model=endpoint.model,
            # Without one the client would take any that the environment names, LangSmith's gateway among them.
            base_url=endpoint.url or _OPENAI,
            # Servers without keys want none, but the client insists on one.
            api_key=endpoint.key or SecretStr("none"),
            http_async_client=client,
            # Nothing is asked synchronously; its own client for that would read the authorities' certificates.
            http_client=httpx.Client(transport=httpx.BaseTransport()),
            temperature=temperature,
            # Retries and clocks are ours: the client's own don't bound a stream that drips.
            max_retries=0,
            timeout=None,
            stream_chunk_timeout=None,
            stream_usage=True,
            use_responses_api=False,
        )
        if endpoint.url is not None:
            # openai 3.54 takes these from the environment and names them to any endpoint; they are OpenAI's to know.
            asking = self._chat.root_async_client
            asking.organization = asking.project = None

    @property
    def chat(self) -> ChatOpenAI:
        """The client, to bind tools and formats to."""
        return self._chat

    async def complete(
        self,
        prompt: Prompt,
        messages: Sequence[BaseMessage],
        ledger: Ledger,
        *,
        bound: Runnable[LanguageModelInput, AIMessage] | None = None,
    ) -> AIMessage:
        """Ask for a whole reply, as judgements are: within their time.

        Raises:
            ModelFailed: no usable reply within the clocks and the budget.
        """
        waited = 0.0
        for attempt in range(1, _ATTEMPTS + 1):
            self._enter(prompt, ledger)
            try:
                DEADLINES.set(self._limits(ledger, self._clocks.judgement_s))
                reply = await (bound or self._chat).ainvoke(list(messages), _named(prompt))
                # A reply that can't be used was paid for all the same.
                ledger.close_call(self.endpoint, messages, str(reply.content), reply.usage_metadata)
                checked = _checked(reply)
            except Exception as exc:
                failed = self._failed(exc)
                waited = await self._pause(failed, attempt, waited)
                continue
            except asyncio.CancelledError:
                self.breaker.left()
                raise
            self.breaker.succeeded()
            return checked
        raise AssertionError("the last attempt returns or raises")

    async def stream(
        self,
        prompt: Prompt,
        messages: Sequence[BaseMessage],
        ledger: Ledger,
        *,
        bound: Runnable[LanguageModelInput, AIMessage] | None = None,
    ) -> AsyncGenerator[AIMessageChunk, None]:
        """Ask for a reply in pieces; asked again only while nothing has come.

        Raises:
            ModelFailed: it failed, or broke off after some pieces.
        """
        waited = 0.0
        for attempt in range(1, _ATTEMPTS + 1):
            self._enter(prompt, ledger)
            said, usage, begun = 0, None, False
            try:
                DEADLINES.set(self._limits(ledger, self._clocks.call_s))
                pieces = (bound or self._chat).astream(list(messages), _named(prompt))
                async with aclosing(pieces):  # type: ignore[type-var]  # An async generator, typed as an iterator.
                    async for piece in pieces:
                        if not isinstance(piece, AIMessageChunk):
                            raise ModelFailed("unreadable")
                        begun = begun or bool(piece.content) or bool(piece.tool_call_chunks)
                        said += len(piece.content)
                        usage = piece.usage_metadata or usage
                        yield piece
            except GeneratorExit:
                # Whoever reads has enough, or the customer left: not the endpoint's fault.
                self.breaker.left()
                ledger.close_call(self.endpoint, messages, " " * said, usage)
                raise
            except asyncio.CancelledError:
                self.breaker.left()
                raise
            except Exception as exc:
                ledger.close_call(self.endpoint, messages, " " * said, usage)
                failed = self._failed(exc)
                if begun:
                    raise failed from exc
                waited = await self._pause(failed, attempt, waited)
                continue
            self.breaker.succeeded()
            ledger.close_call(self.endpoint, messages, " " * said, usage)
            return

    def _enter(self, prompt: Prompt, ledger: Ledger) -> None:
        self.breaker.enter()
        try:
            ledger.open_call(prompt)
        except ModelFailed:
            self.breaker.left()
            raise

    def _limits(self, ledger: Ledger, total_s: float) -> Deadlines:
        left = max(ledger.seconds_left(), 0.05)
        clocks = self._clocks
        return Deadlines(
            first_token_s=min(clocks.first_token_s, left),
            token_gap_s=min(clocks.token_gap_s, left),
            total_s=min(total_s, left),
        )

    def _failed(self, exc: Exception) -> ModelFailed:
        failed = exc if isinstance(exc, ModelFailed) else understood(exc)
        self.breaker.failed(failed.reason)
        return failed

    async def _pause(self, failed: ModelFailed, attempt: int, waited: float) -> float:
        """Wait before the next attempt, or raise: when it can't help, or would take longer than a customer waits."""
        pause: float = _FIRST_PAUSE_S * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)  # noqa: S311  # Jitter, no secret.
        if failed.retry_after_s is not None:
            pause = failed.retry_after_s
        if not failed.retryable or attempt == _ATTEMPTS or waited + pause > _PATIENCE_S:
            raise failed
        await asyncio.sleep(pause)
        return waited + pause


def _named(prompt: Prompt) -> RunnableConfig:
    """What a trace calls this call, and by which prompt it was made."""
    return {"run_name": prompt.name, "metadata": {"prompt": prompt.name, "prompt_hash": prompt.digest}}


def understood(exc: Exception) -> ModelFailed:
    """What went wrong, in one word; nothing of what was sent or received is in it."""
    deadline = which_deadline(exc)
    if deadline is not None:
        return ModelFailed(f"slow_{deadline}")
    if which_limit(exc) is not None:
        return ModelFailed("too_large")
    if isinstance(exc, openai.APIStatusError):
        return _by_status(exc)
    if isinstance(exc, openai.APIConnectionError | httpx.TransportError | OSError):
        return ModelFailed("unreachable", retryable=True)
    # What a client raises for a body that it can't read is not documented: whatever it is, the reply is no reply.
    logger.info("unreadable reply error=%s", type(exc).__name__)
    return ModelFailed("unreadable")


def _by_status(exc: openai.APIStatusError) -> ModelFailed:
    status = exc.status_code
    if status == 429:
        return ModelFailed("rate_limited", retryable=True, retry_after_s=_retry_after(exc.response.headers))
    if status in (401, 403):
        return ModelFailed("key_refused")
    if status == 404:
        return ModelFailed("no_such_model")
    if status in (408, 409) or status >= 500:
        return ModelFailed("server_error", retryable=True, retry_after_s=_retry_after(exc.response.headers))
    return ModelFailed("bad_request")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The pause that the server asks for, in seconds or until a date."""
    asked = headers.get("retry-after", "").strip()
    if not asked:
        return None
    try:
        return max(0.0, float(asked))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(asked)
    except ValueError:
        return None
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _checked(reply: AIMessage) -> AIMessage:
    """A reply that says or calls something.

    Raises:
        ModelFailed: it is empty, refused or cut.
    """
    refused = refusal(reply)
    if refused is not None:
        raise refused
    if not reply.content and not reply.tool_calls and not reply.invalid_tool_calls:
        raise ModelFailed("empty")
    return reply


def refusal(reply: AIMessage) -> ModelFailed | None:
    """Whether the model refused or was stopped, as a failure; None when it answered."""
    if reply.additional_kwargs.get("refusal"):
        return ModelFailed("refusal")
    reason = reply.response_metadata.get("finish_reason")
    if reason in ("content_filter", "length"):
        return ModelFailed(str(reason))
    return None
