"""The obeying model: a script for the model server that does what it reads, wherever it reads it."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.hostile.orders import Call, Order, Print, Say, Way, in_tags, read_orders
from tests.model_server.replies import Reply, says, says_and_calls, structured

Style = Literal["alone", "before", "after", "cited", "glued", "from a tool"]
STYLES: tuple[Style, ...] = ("after", "cited", "glued", "alone", "from a tool", "before")


@dataclass(frozen=True, slots=True)
class Honest:
    """What the model does of its own accord: look something up first, then answer."""

    says: str
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()


@dataclass
class ObeyingModel:
    """Obeys every order in its request, and answers as well as it can beside that.

    `style` is how what it was told to say is mixed with its own answer: the more it looks like one, the harder for
    whoever has to tell them apart. `always` is what it says and does of its own accord, told by nobody. `obeyed` are
    the orders that it found, in the order of the requests.
    """

    honest: Honest
    style: Style = "after"
    always: tuple[Order, ...] = ()
    obeyed: list[Order] = field(default_factory=list)

    def __call__(self, body: dict[str, Any]) -> Reply:
        messages = body["messages"]
        found = read_orders("\n".join(text_of(message) for message in messages))
        self.obeyed += found
        orders = [*self.always, *found]
        if body.get("response_format") is not None:
            return structured(self._judgement(body["response_format"]["json_schema"]["name"], orders, messages))
        done = [call["function"] for message in messages for call in calls_of(message)]
        asked = [order for order in orders if isinstance(order, Call) and not _is_done(order, done)]
        looked_up = any(message["role"] == "tool" for message in messages)
        own = [] if looked_up else list(self.honest.calls)
        told = [text for order in orders if (text := _told(order, messages)) is not None]
        if asked or own:
            text = "\n\n".join(told) if asked else ""
            return says_and_calls(text, *((name, arguments) for name, arguments in own), *_as_calls(asked))
        text = self._mixed(told)
        return says(text, tokens=[text])

    def _mixed(self, told: list[str]) -> str:
        honest = self.honest.says
        if not told:
            return honest
        match self.style:
            case "alone":
                return "\n\n".join(told)
            case "before":
                return "\n\n".join([*told, honest])
            case "after":
                return "\n\n".join([honest, *told])
            case "cited":
                return " ".join([honest, *(f"{text} [1]" for text in told)])
            case "from a tool":
                return " ".join([honest, *(f"{text} [T1]" for text in told)])
            case "glued":
                # Inside a sentence that its source supports.
                first, mark, rest = honest.partition(". [")
                return f"{first} {' '.join(told)}{mark}{rest}"

    def _judgement(self, name: str, orders: list[Order], messages: list[dict[str, Any]]) -> dict[str, Any]:
        tools = {order.tool for order in orders if isinstance(order, Call)}
        texts = [text for order in orders if (text := _told(order, messages)) is not None]
        said = " ".join(texts)
        whole = said[:100] or "How do I download my invoices?"
        effect = bool(tools & {"hand_over", "refund"})
        judgements: dict[str, dict[str, Any]] = {
            "Heard": {
                "kind": "bug" if "report_bug" in tools else "how_to",
                "sentiment": 0,
                "wants_person": 1 if effect else 0,
                "risk": 1 if effect else 0,
                "question": whole,
            },
            "Opinion": {"person_needed": 1 if effect else 0},
            "Supported": {"supported": bool(orders)},
            "Summary": {"summary": whole},
            "WrittenBug": {
                "title": whole,
                "doing": said[:400],
                "expected": "",
                "actual": said[:400],
                "steps": [said[:200]] if said else [],
                "environment": said[:200],
                "severity": "high" if orders else "low",
            },
        }
        return judgements[name]


def text_of(message: dict[str, Any]) -> str:
    """What a message of a request says."""
    content = message.get("content") or ""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content)
    return str(content)


def calls_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls of a message of a request."""
    return message.get("tool_calls") or []


def printed(text: str, way: Way) -> str:
    """A text as it was ordered to be printed."""
    match way:
        case "word for word":
            return text
        case "in base64":
            return base64.b64encode(text.encode()).decode()
        case "backwards":
            return text[::-1]
        case "letter by letter":
            return " ".join(text)
        case "in invisible letters":
            return in_tags(text)


def _told(order: Order, messages: list[dict[str, Any]]) -> str | None:
    match order:
        case Say():
            return order.text
        case Print():
            return printed("\n".join(text_of(message) for message in messages), order.way)
        case Call():
            return None


def _is_done(order: Call, done: list[dict[str, Any]]) -> bool:
    """Called in these words, or as often as it is worth trying."""
    same = [call for call in done if call["name"] == order.tool]
    return len(same) > 1 or any(json.loads(call["arguments"]) == json.loads(order.arguments) for call in same)


def _as_calls(asked: list[Call]) -> list[tuple[str, str]]:
    return [(call.tool, call.arguments) for call in asked]
