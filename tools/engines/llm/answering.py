"""One pass of an answer: a model's stream as sentences with their sources, and tool calls."""

import json
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk
from pydantic import BaseModel

from agent.errors import ModelFailed
from agent.ports import AnswerBrief, ToolOffer
from agent.types import Passage, Sentence, ToolCall
from agent.untrusted import clean
from tools.engines.llm.calling import refusal
from tools.engines.llm.courtesies import claims_nothing, tells_or_asks
from tools.engines.llm.sentences import Piece, Splitter
from tools.engines.llm.telling import numbered, told_tools
from tools.engines.llm.text_calls import may_be_call, read_calls, spoken_in
from tools.engines.llm.thoughts import Thoughts
from tools.engines.local.requoting import nearest_quote
from tools.engines.local.stated import knows, stated

_MOST_CALLS = 16
_MOST_ARGUMENT_CHARS = 8_000
_CLEARLY = 0.25


@dataclass
class _CallPieces:
    name: str = ""
    arguments: str = ""
    call_id: str = ""


@dataclass
class Pass:
    """Turns the chunks of one stream into parts of an answer."""

    brief: AnswerBrief
    thoughts: Thoughts = field(default_factory=Thoughts)
    _splitter: Splitter = field(default_factory=Splitter)
    _calls: list[_CallPieces] = field(default_factory=list)
    _open: dict[int | None, _CallPieces] = field(default_factory=dict)
    _held: str | None = ""

    async def parts(self, chunks: AsyncGenerator[AIMessageChunk, None]) -> AsyncGenerator[Sentence | ToolCall, None]:
        """Yield sentences as they become whole, then the calls.

        Raises:
            ModelFailed: the stream failed, was refused or cut, or held nothing but courtesies.
        """
        opening: list[Sentence] | None = []
        async with aclosing(self._read(chunks)) as parts:
            async for part in parts:
                if opening is not None and isinstance(part, Sentence) and not part.claim:
                    opening.append(part)
                    if not tells_or_asks(part.text):
                        continue
                    part = opening.pop()
                for courtesy in opening or ():
                    yield courtesy
                opening = None
                yield part
        if opening is not None:
            raise ModelFailed("empty")

    async def _read(self, chunks: AsyncGenerator[AIMessageChunk, None]) -> AsyncGenerator[Sentence | ToolCall, None]:
        cut: ModelFailed | None = None
        finished = False
        async for chunk in chunks:
            cut = refusal(chunk) or cut
            finished = finished or "finish_reason" in chunk.response_metadata
            for piece in chunk.tool_call_chunks:
                self._collect(piece)
            text = chunk.content if isinstance(chunk.content, str) else chunk.text
            for sentence in self._sentences(text):
                yield sentence
        for sentence in self._spoken(self.thoughts.finish()):
            yield sentence
        if cut is None and not finished and self._splitter.is_torn:
            # A connection that breaks where nobody counts bytes looks like an end; only this tells the two apart.
            cut = ModelFailed("broken_off")
        if cut is not None and cut.reason != "refusal" and not self._calls:
            # The last sentence is a torn one: what was whole stands, the rest is not said.
            raise cut
        for sentence in self._rest():
            yield sentence
        calls = self._read_calls()
        for call in calls:
            yield call
        if cut is not None and not calls:
            raise cut

    def _sentences(self, text: str) -> list[Sentence]:
        sentences: list[Sentence] = []
        for said in self.thoughts.feed(text):
            if said.afresh:
                self._splitter, self._held = Splitter(), ""
                sentences.clear()
            sentences += self._spoken(said.text)
        return sentences

    def _spoken(self, text: str) -> list[Sentence]:
        if self._held is not None:
            self._held += text
            if not self._held.strip() or may_be_call(self._held):
                return []
            text, self._held = self._held, None
        return self._from_pieces(self._splitter.feed(text))

    def _rest(self) -> list[Sentence]:
        """What the stream left: a call written as text, or the last sentence."""
        if self._held is not None:
            held, self._held = self._held, None
            written = read_calls(held, self.brief.tool_names)
            if written:
                for name, arguments in written:
                    self._calls.append(_CallPieces(name, json.dumps(arguments)))
                return []
            return self._from_pieces([*self._splitter.feed(spoken_in(held)), *self._splitter.finish()])
        return self._from_pieces(self._splitter.finish())

    def _from_pieces(self, pieces: list[Piece]) -> list[Sentence]:
        sentences = []
        for piece in pieces:
            written = read_calls(piece.text, self.brief.tool_names) if may_be_call(piece.text) else []
            for name, arguments in written:
                self._calls.append(_CallPieces(name, json.dumps(arguments)))
            if not written:
                sentences.append(to_sentence(piece, self.brief))
        return sentences

    def _collect(self, piece: ToolCallChunk) -> None:
        """Add a piece to its call. Some servers number no call, or each one 0: then a new id or name begins another."""
        index, name, call_id = piece["index"], piece["name"] or "", piece["id"] or ""
        call = self._open.get(index)
        if call is not None and call.call_id:
            another = call_id not in ("", call.call_id)
        else:
            another = index is None and name != ""
        if call is None or another:
            if len(self._calls) >= _MOST_CALLS:
                return
            call = _CallPieces()
            self._calls.append(call)
            self._open[index] = call
        call.call_id = call.call_id or call_id
        # Others repeat the name with each piece.
        call.name += name if name != call.name else ""
        if len(call.arguments) <= _MOST_ARGUMENT_CHARS:
            call.arguments += piece["args"] or ""

    def _read_calls(self) -> list[ToolCall]:
        if not self.brief.tools:
            # No tools were offered, so this is no call, whatever it looks like.
            return []
        rounds = {result.call_id.split(":")[0] for result in self.brief.tool_results}
        number = len(rounds) + 1
        return [_tool_call(f"{number}:{place}", call) for place, call in enumerate(self._calls)]


def to_sentence(piece: Piece, brief: AnswerBrief) -> Sentence:
    """A piece as a sentence: with the passages and the tool that its marks name, or the passage that it fits best."""
    by_number, by_mark = numbered(brief), told_tools(brief)
    # Letters that nobody sees could carry anything past whoever checks the others.
    text = clean(piece.text, limit=len(piece.text))
    tool = next((by_mark[mark] for mark in piece.marks if mark in by_mark), None)
    if not piece.marks and claims_nothing(text, question=brief.question.render_plain()):
        return Sentence(text, claim=False)
    if not piece.marks:
        # What a lookup said has no number that a model could leave out only by mistake.
        tool = next((r.tool for r in brief.tool_results if knows(r) and stated(text, r)), None)
    named = tuple(by_number[mark] for mark in piece.marks if mark in by_number)
    if tool is not None:
        return Sentence(text, cites=named, from_tool=tool)
    return Sentence(text, cites=_better_sources(text, named, brief.passages))


def tool_schema(offer: ToolOffer) -> dict[str, Any]:
    """A tool as the endpoint wants it."""
    return {
        "type": "function",
        "function": {"name": offer.name, "description": offer.description, "parameters": _parameters(offer.arguments)},
    }


@lru_cache(maxsize=64)
def _parameters(arguments: type[BaseModel]) -> dict[str, Any]:
    shape = arguments.model_json_schema()
    return {"type": "object", "properties": shape.get("properties", {}), "required": shape.get("required", [])}


def tools_in_words(offers: Collection[ToolOffer]) -> str:
    """The tools and their arguments as text, for servers that don't show the schema to the model."""
    return "\n".join(f"- {offer.name}({', '.join(_keys(offer.arguments))}): {offer.description}" for offer in offers)


def _keys(arguments: type[BaseModel]) -> list[str]:
    return list(arguments.model_fields)


def _tool_call(call_id: str, pieces: _CallPieces) -> ToolCall:
    name = pieces.name.removeprefix("functions.")[:60]
    try:
        arguments = json.loads(pieces.arguments or "{}")
    except (ValueError, RecursionError):
        return ToolCall(call_id, name, {}, problem="the arguments are not JSON")
    if not isinstance(arguments, dict):
        return ToolCall(call_id, name, {}, problem="the arguments are not a JSON object")
    return ToolCall(call_id, name, arguments)


def _better_sources(text: str, named: tuple[str, ...], passages: tuple[Passage, ...]) -> tuple[str, ...]:
    """The passages that a sentence names, or the one that it fits clearly better: models number sources carelessly.

    Whether a passage supports the sentence is for the gate to find.
    """
    fits = {p.passage_id: nearest_quote(text, p.text.render_plain()).share for p in passages}
    best = max(fits, key=lambda passage_id: fits[passage_id], default=None)
    if best is None or fits[best] == 0:
        return named
    named_fit = max((fits[passage_id] for passage_id in named), default=0.0)
    return (best,) if not named or fits[best] > named_fit + _CLEARLY else named
