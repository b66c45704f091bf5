"""What one turn did with models: tokens, money, time, prompts, and what the local engine had to take over."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from langchain_core.messages import BaseMessage
from langchain_core.messages.ai import UsageMetadata

from agent.errors import ModelFailed
from agent.ports import Fallback
from agent.prompting import Prompt
from agent.types import Spent
from tools.engines.llm.options import Budget, Endpoint

logger = logging.getLogger(__name__)

_CHARS_PER_TOKEN = 4
_MILLION = 1_000_000


@dataclass
class Ledger:
    """One turn's account. Made at the turn's beginning; its clock starts with the first call."""

    budget: Budget
    turn_s: float
    before: Spent
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    fallbacks: list[Fallback] = field(default_factory=list)
    prompts: dict[str, str] = field(default_factory=dict)
    _ends: float | None = None

    def seconds_left(self) -> float:
        """How long calls of this turn may still take."""
        now = asyncio.get_running_loop().time()
        if self._ends is None:
            self._ends = now + self.turn_s
        return self._ends - now

    def open_call(self, prompt: Prompt) -> None:
        """Note a call that is about to be made.

        Raises:
            ModelFailed: the turn's time, or the turn's or conversation's budget, is used up.
        """
        tokens = self.input_tokens + self.output_tokens
        limits = self.budget
        if self.seconds_left() <= 0:
            raise ModelFailed("turn_time")
        if _over(tokens, limits.turn_tokens) or _over(self.cost, limits.turn_cost):
            raise ModelFailed("turn_budget")
        if _over(self.before.tokens + tokens, limits.conversation_tokens) or _over(
            self.before.cost + self.cost, limits.conversation_cost
        ):
            raise ModelFailed("conversation_budget")
        self.calls += 1
        self.prompts[prompt.name] = prompt.digest

    def close_call(
        self, endpoint: Endpoint, asked: Sequence[BaseMessage], said: str, usage: UsageMetadata | None
    ) -> None:
        """Count a call. Endpoints that don't say what they used are counted by characters, four to a token."""
        if usage is not None and usage["input_tokens"]:
            tokens_in, tokens_out = usage["input_tokens"], usage["output_tokens"]
        else:
            tokens_in = sum(len(str(message.content)) for message in asked) // _CHARS_PER_TOKEN
            tokens_out = len(said) // _CHARS_PER_TOKEN
        self.input_tokens += tokens_in
        self.output_tokens += tokens_out
        self.cost += (tokens_in * endpoint.price_in + tokens_out * endpoint.price_out) / _MILLION

    def fall_back(self, ability: str, failed: ModelFailed) -> None:
        """Note that the model didn't do it, and why."""
        logger.warning("model failed ability=%s reason=%s", ability, failed.reason)
        self.fallbacks.append(Fallback(ability, failed.reason))


def _over(spent: float, limit: float) -> bool:
    return limit > 0 and spent >= limit
