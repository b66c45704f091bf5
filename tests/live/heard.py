"""A streamed answer put together, and what is worth telling about it."""

import time
from dataclasses import dataclass, field
from typing import Any

import openai
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionMessageParam

from tests.live.harness import MODEL

Messages = list[ChatCompletionMessageParam]


@dataclass(slots=True)
class Heard:
    """One answer. `timings` are llama.cpp's own."""

    text: str = ""
    pieces: int = 0
    names: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    finish: str | None = None
    usage: CompletionUsage | None = None
    timings: dict[str, float] = field(default_factory=dict)
    first_s: float = 0.0

    @property
    def tokens_in(self) -> int:
        return self.usage.prompt_tokens if self.usage else 0

    @property
    def tokens_out(self) -> int:
        return self.usage.completion_tokens if self.usage else 0

    @property
    def cached_tokens(self) -> int:
        details = self.usage.prompt_tokens_details if self.usage else None
        return (details.cached_tokens or 0) if details else 0

    @property
    def shape(self) -> str:
        """How a function's call came back, if it did."""
        if self.names:
            return "text and tool_calls" if self.text else "tool_calls"
        return "fenced text" if "```" in self.text else "JSON as text" if self.text.startswith("{") else "text"

    def tell(self, subject: str) -> None:
        """Print what was seen; `docs/engines.md` is written from it."""
        print(
            f"\n{subject}: {self.tokens_in} tokens in ({self.cached_tokens} cached), {self.tokens_out} out, "
            f"first after {self.first_s:.2f} s, {self.timings.get('prompt_per_second', 0):.0f} tokens/s read, "
            f"{self.timings.get('predicted_per_second', 0):.0f} written, {self.finish}"
        )
        for name, arguments in zip(self.names, self.arguments, strict=True):
            print(f"  calls {name}({' '.join(arguments.split())})")
        if self.text:
            print(f"  {self.text[:200]!r}")


async def hear(client: openai.AsyncOpenAI, messages: Messages, **options: Any) -> Heard:
    """Stream an answer to its end, the likeliest token each time.

    Raises:
        AssertionError: the stream lacks what every client needs: a reason for its end, and the usage it was asked for.
    """
    heard = Heard()
    asked = {"model": MODEL, "temperature": 0, "max_tokens": 100, **options}
    began = time.perf_counter()
    async for chunk in await client.chat.completions.create(
        messages=messages, stream=True, stream_options={"include_usage": True}, **asked
    ):
        for choice in chunk.choices:
            heard.finish = choice.finish_reason or heard.finish
            if choice.delta.content or choice.delta.tool_calls:
                heard.first_s = heard.first_s or time.perf_counter() - began
                heard.pieces += 1
            heard.text += choice.delta.content or ""
            for call in choice.delta.tool_calls or []:
                assert call.function is not None
                if call.function.name:
                    heard.names.append(call.function.name)
                    heard.arguments.append("")
                heard.arguments[call.index] += call.function.arguments or ""
        if chunk.usage:
            heard.usage = chunk.usage
            heard.timings = (chunk.model_extra or {}).get("timings", {})
    assert heard.finish is not None
    assert heard.tokens_in > 0
    assert heard.tokens_out > 0
    return heard
