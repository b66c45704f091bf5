"""A strict judge of runs: what the most demanding AG-UI client would put up with."""

from tests.server.harness import Event, Sent

ENDS = ("RUN_FINISHED", "RUN_ERROR")


def check(sent: list[Sent], *, thread_id: str | None = None, run_id: str | None = None) -> None:
    """Judge a whole run.

    It begins with RUN_STARTED and ends with its end; steps and messages open before they go on and close before the
    run does; deltas are not empty and make the message's final record; numbers never go back.
    """
    kinds = [one.kind for one in sent]
    assert kinds[:1] == ["RUN_STARTED"], kinds
    assert kinds[-1] in ENDS, kinds
    seqs = [one.seq for one in sent if one.seq is not None]
    assert seqs == sorted(seqs), "numbers go back"
    assert sent[-1].seq is not None, "an end that can't be gone on after"
    for one in (sent[0], sent[-1]):
        if one.kind != "RUN_ERROR":
            assert thread_id in (None, one.event["threadId"])
            assert run_id in (None, one.event["runId"])
    judge = _Judge()
    for one in sent:
        judge.take(one.event)


class _Judge:
    """What is open while a stream goes by."""

    def __init__(self) -> None:
        self._begun = self._ended = False
        self._steps: list[str] = []
        self._message: str | None = None
        self._texts: dict[str, str] = {}

    def take(self, event: Event) -> None:
        kind = event["type"]
        assert not self._ended, f"{kind} after the end"
        assert self._begun == (kind != "RUN_STARTED"), f"{kind} at the wrong end of the run"
        match kind:
            case "RUN_STARTED":
                self._begun = True
            case "STEP_STARTED":
                assert event["stepName"] not in self._steps
                self._steps.append(event["stepName"])
            case "STEP_FINISHED":
                self._steps.remove(event["stepName"])
            case "TEXT_MESSAGE_START" | "TEXT_MESSAGE_CONTENT" | "TEXT_MESSAGE_END":
                self._text(kind, event)
            case "MESSAGES_SNAPSHOT":
                assert self._message is None, "a snapshot within a message"
                assert all(message.keys() == {"id", "role", "content"} for message in event["messages"])
            case "CUSTOM":
                self._custom(event)
            case "RUN_FINISHED" | "RUN_ERROR":
                assert self._message is None, "a message is left open"
                assert not self._steps, f"steps are left open: {self._steps}"
                self._ended = True
            case _:
                raise AssertionError(f"an unknown event {kind}")

    def _text(self, kind: str, event: Event) -> None:
        message_id = event["messageId"]
        if kind == "TEXT_MESSAGE_START":
            assert self._message is None, "a message within a message"
            assert event["role"] == "assistant"
            self._message = message_id
            self._texts[message_id] = ""
            return
        assert message_id == self._message, f"{kind} of a message that isn't open"
        if kind == "TEXT_MESSAGE_CONTENT":
            assert event["delta"], "an empty delta"
            self._texts[message_id] += event["delta"]
        else:
            self._message = None

    def _custom(self, event: Event) -> None:
        assert event["name"].startswith("helpgraph.")
        assert event["name"] not in (
            "helpgraph.decision.v1",
            "helpgraph.evidence.v1",
            "helpgraph.handoff.v1",
            "helpgraph.contact.v1",
        )
        value = event["value"]
        if event["name"] == "helpgraph.message.v1" and value["message_id"] in self._texts:
            assert self._texts[value["message_id"]] == value["text"], "the deltas are not the message"
