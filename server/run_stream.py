"""A run as one well-formed AG-UI stream, whatever restarts and rejoinings the log holds."""

from typing import Any

from agent.wire import JsonObject

ENDS = ("RUN_FINISHED", "RUN_ERROR")


class RunStream:
    """Turns the log's events of one turn into a stream that a strict AG-UI client accepts.

    A stream begins with RUN_STARTED; what is open is closed before a snapshot and before the end; what was never
    opened in this stream is neither continued nor closed. Run and thread ids are the caller's own.
    """

    def __init__(self, *, run_id: str, thread_id: str) -> None:
        self._ids = {"threadId": thread_id, "runId": run_id}
        self._begun = False
        self._steps: list[str] = []
        self._message: str | None = None
        self.ended = False

    def begin(self) -> list[JsonObject]:
        """Open the run, once."""
        if self._begun:
            return []
        self._begun = True
        return [{"type": "RUN_STARTED", **self._ids}]

    def open_message(self, message_id: str, text: str) -> list[JsonObject]:
        """Take up a message that is being written: its start, and what there is of it."""
        self._message = message_id
        events: list[JsonObject] = [{"type": "TEXT_MESSAGE_START", "messageId": message_id, "role": "assistant"}]
        if text:
            events.append({"type": "TEXT_MESSAGE_CONTENT", "messageId": message_id, "delta": text})
        return events

    def take(self, event: JsonObject) -> list[JsonObject]:
        """Return what to send for an event of the log."""
        kind = event["type"]
        if kind == "RUN_STARTED":
            return self.begin()
        if not self._begun:
            return []
        if kind in ("STEP_STARTED", "STEP_FINISHED"):
            return self._step(event)
        if kind.startswith("TEXT_MESSAGE_"):
            return self._text(event)
        if kind == "MESSAGES_SNAPSHOT":
            return [*self._close(), event]
        if kind in ENDS:
            self.ended = True
            ids = {name: value for name, value in self._ids.items() if name in event}
            return [*self._close(), {**event, **ids}]
        return [event]

    def _step(self, event: JsonObject) -> list[JsonObject]:
        name = event["stepName"]
        if event["type"] == "STEP_STARTED":
            if name in self._steps:
                return []
            self._steps.append(name)
        elif name not in self._steps:
            return []
        else:
            self._steps.remove(name)
        return [event]

    def _text(self, event: JsonObject) -> list[JsonObject]:
        if event["type"] == "TEXT_MESSAGE_START":
            closing = self._close_message()
            self._message = event["messageId"]
            return [*closing, event]
        if event["messageId"] != self._message:
            return []
        if event["type"] == "TEXT_MESSAGE_END":
            self._message = None
        return [event]

    def _close(self) -> list[JsonObject]:
        steps: list[JsonObject] = [{"type": "STEP_FINISHED", "stepName": name} for name in reversed(self._steps)]
        self._steps = []
        return [*self._close_message(), *steps]

    def _close_message(self) -> list[JsonObject]:
        if self._message is None:
            return []
        message_id, self._message = self._message, None
        return [{"type": "TEXT_MESSAGE_END", "messageId": message_id}]


def snapshot(messages: list[dict[str, Any]]) -> JsonObject:
    """MESSAGES_SNAPSHOT of finished messages."""
    return {
        "type": "MESSAGES_SNAPSHOT",
        "messages": [
            {
                "id": message["message_id"],
                "role": "user" if message["author"] == "customer" else "assistant",
                "content": message["text"],
            }
            for message in messages
        ],
    }
