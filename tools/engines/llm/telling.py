"""What a model is told: our instructions, and everything from outside marked as data."""

import json
from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from agent.ports import AnswerBrief
from agent.prompting import Prompt
from agent.types import AccountFacts, Author, Message, PageContext, Passage, Source, ToolResult, Untrusted

_PASSAGE_CHARS = 2_400
_MESSAGE_CHARS = 2_000
_HISTORY = 8
_ELEMENTS = 25
_ERRORS = 3


def answer_messages(prompt: Prompt, brief: AnswerBrief, *, product: str) -> list[BaseMessage]:
    """The whole request for one pass of an answer, rebuilt from the turn's state alone."""
    first = brief.passages[: len(brief.passages) - brief.found_later]
    parts = [
        _section("Sources", [sources(first, start=1)] if first else ["none"]),
        _section("The page the customer is on", page_lines(brief.page, elements=True)),
        _section("The customer's account", _account_lines(brief.account)),
        _section("The conversation before", history_lines(brief.history)),
        _section("The question to answer", [brief.question.render_for_prompt(limit=_MESSAGE_CHARS)]),
    ]
    messages: list[BaseMessage] = [
        SystemMessage(f"{prompt.text}\n\nProduct: {_one_line(product)}"),
        HumanMessage("\n\n".join(part for part in parts if part)),
    ]
    for place, round_results in enumerate(_rounds(brief.tool_results)):
        said = brief.said if place == 0 else ""
        messages.append(AIMessage(content=said, tool_calls=[_call(result) for result in round_results]))
        for result in round_results:
            messages.append(ToolMessage(_result(result, brief), tool_call_id=result.call_id))
    return messages


def judgement_messages(prompt: Prompt, sections: Sequence[tuple[str, list[str]]], ask: str) -> list[BaseMessage]:
    """A request for a structured judgement; `ask` names the keys, since some servers show no schema to the model."""
    body = "\n\n".join(part for title, lines in sections if (part := _section(title, lines)))
    return [SystemMessage(prompt.text), HumanMessage(f"{body}\n\n{ask}")]


def numbered(brief: AnswerBrief) -> dict[str, str]:
    """Which passage each number means, as the model was told."""
    return {str(place): passage.passage_id for place, passage in enumerate(brief.passages, 1)}


def told_tools(brief: AnswerBrief) -> dict[str, str]:
    """Which tool each mark means: T1 is the first result. Only facts of the account can be told; the rest has none."""
    return {f"T{place}": result.tool for place, result in enumerate(brief.tool_results, 1) if _has_facts(result)}


def _has_facts(result: ToolResult) -> bool:
    return result.ok and not result.passages and "element_id" not in result.facts


def sources(passages: Sequence[Passage], *, start: int) -> str:
    """Passages with their numbers, each line marked as an article's."""
    blocks = []
    for number, passage in enumerate(passages, start):
        heading = Untrusted.of(f"{passage.title} › {passage.section}", Source.ARTICLE, limit=200)
        text = passage.text.render_for_prompt(limit=_PASSAGE_CHARS)
        blocks.append(f"[{number}]\n{heading.render_for_prompt()}\n{text}")
    return "\n".join(blocks)


def history_lines(history: Sequence[Message]) -> list[str]:
    """The newest messages before, each line marked with who wrote it."""
    lines = []
    for message in history[-_HISTORY:]:
        source = {Author.CUSTOMER: Source.CUSTOMER, Author.BOT: Source.MODEL, Author.PERSON: Source.PERSON}
        text = Untrusted.of(message.text.render_plain(), source[message.author], limit=_MESSAGE_CHARS)
        lines.append(text.render_for_prompt())
    return lines


def said_before(history: Sequence[Message]) -> list[str]:
    """What the customer said before: all that a judgement may go by. Answers have articles in them, and whoever wrote
    those decides nothing.
    """
    return history_lines([message for message in history if message.author is Author.CUSTOMER])


def page_lines(page: PageContext, *, elements: bool) -> list[str]:
    """The page, bounded; everything on it is data, also what the page map calls it."""
    told = [f"address: {page.route}"] if page.route else []
    told += [f"title: {page.title.render_plain()}"] if page.title else []
    if elements:
        told += [
            f"element {element.element_id}: {element.label.render_plain()}" for element in page.elements[:_ELEMENTS]
        ]
    told += [f"error shown: {error.render_plain()}" for error in page.errors[:_ERRORS]]
    return [Untrusted.of(_one_line(line), Source.PAGE, limit=300).render_for_prompt() for line in told]


def customer_lines(texts: Sequence[Untrusted]) -> list[str]:
    """The customer's newest messages."""
    return [text.render_for_prompt(limit=_MESSAGE_CHARS) for text in texts]


def _result(result: ToolResult, brief: AnswerBrief) -> str:
    if not result.ok:
        return f"failed: {_one_line(result.error or 'no reason given')}"
    by_id = {passage_id: place for place, passage_id in numbered(brief).items()}
    if result.passages:
        blocks = [sources([passage], start=int(by_id[passage.passage_id])) for passage in result.passages]
        return "\n".join(blocks)
    if not _has_facts(result):
        return "done: it is shown with the answer"
    place = next(place for place, entry in enumerate(brief.tool_results, 1) if entry is result)
    facts = "\n".join(f"{name}: {value}" for name, value in result.facts.items())
    return f"[T{place}]\n{Untrusted.of(facts, Source.ACCOUNT, limit=2_000).render_for_prompt()}"


def _rounds(results: Sequence[ToolResult]) -> list[list[ToolResult]]:
    rounds: dict[str, list[ToolResult]] = {}
    for result in results:
        rounds.setdefault(result.call_id.split(":")[0], []).append(result)
    return list(rounds.values())


def _call(result: ToolResult) -> dict[str, object]:
    arguments = result.arguments if len(json.dumps(result.arguments, default=str)) < 2_000 else {}
    return {"name": result.tool, "args": arguments, "id": result.call_id, "type": "tool_call"}


def _account_lines(account: AccountFacts | None) -> list[str]:
    if account is None:
        return []
    told = {"plan": account.plan, "role of the customer": account.user_role}
    return [
        Untrusted.of(f"{name}: {value}", Source.ACCOUNT, limit=200).render_for_prompt()
        for name, value in told.items()
        if value is not None
    ]


def _section(title: str, lines: list[str]) -> str:
    return f"## {title}\n" + "\n".join(lines) if lines else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
