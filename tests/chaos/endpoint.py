"""A language model's endpoint that fails as it likes, and isn't there at times."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any, Self

from tests.honest_model import honest
from tests.model_server.faults import FAULTS
from tests.model_server.replies import Answer, Reply
from tests.model_server.server import ModelServer

# Most answers are whole: else the breaker would let nobody ask this endpoint.
_LATE = ("late_head", "late_body", "silence_from_the_start", "silence_after_a_token", "drip")
_CUT = ("cut_in_a_line", "cut_in_a_character", "cut_unnoticed", "reset_at_once", "reset_after_a_token", "half_closed")
_SAID = ("status_429", "status_429_retry_seconds", "status_500", "status_503", "error_in_stream")
_TROUBLE = (*_LATE, *_CUT, *_SAID, "nothing_after_the_text")
_SHARE = 0.4
# Later than the clocks below allow.
_SLOW_S = 3.0
_CLOCKS = {
    "HELPGRAPH_MODEL_FIRST_TOKEN_S": "1.5",
    "HELPGRAPH_MODEL_TOKEN_GAP_S": "1.5",
    "HELPGRAPH_MODEL_CALL_S": "4",
    "HELPGRAPH_MODEL_JUDGEMENT_S": "1.5",
    "HELPGRAPH_MODEL_TURN_S": "8",
}
# As the servers have no embedding model either: what is tried is that nothing gets lost, and starts are many.
_BY_WORDS = {"HELPGRAPH_ENTAILMENT": "off"}


class Endpoint:
    """Open within `async with`; what it answers follows from the seed of `begin` and from what it is asked.

    A `steady` one never fails.
    """

    def __init__(self, *, steady: bool = False) -> None:
        self._share = 0.0 if steady else _SHARE
        self._server = ModelServer(self._reply)
        self._random = Random(0)  # noqa: S311  # Not for secrets.
        self.said: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._server.__aexit__(*exc)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a server that asks it."""
        return {"HELPGRAPH_MODEL": "scripted", "HELPGRAPH_MODEL_URL": self._server.url, **_CLOCKS, **_BY_WORDS}

    def begin(self, seed: str) -> None:
        """Begin a round."""
        self._random = Random(f"{seed}:model")  # noqa: S311  # Not for secrets.
        self.said.clear()

    async def come_and_go(self, gaps: Sequence[tuple[float, float]]) -> None:
        """Be there, then away, for so many seconds each: what was open is cut, what comes is refused."""
        for there_s, away_s in gaps:
            await asyncio.sleep(there_s)
            async with self._server.refusing():
                self.said["away"] += 1
                await asyncio.sleep(away_s)

    def _reply(self, body: dict[str, Any]) -> Reply:
        reply = honest(body)
        name = self._random.choice(_TROUBLE) if self._random.random() < self._share else "whole"
        if not isinstance(reply, Answer) or name == "whole":
            self.said["whole"] += 1
            return reply
        self.said[name] += 1
        return FAULTS[name].on(reply, slow_s=_SLOW_S, tick_s=0.02)
