"""All that can go wrong with an answer, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.model_server import contents, looks, statuses, transport
from tests.model_server.parts import Times
from tests.model_server.replies import Answer, Reply


class Effect(StrEnum):
    """What a careful client is left with."""

    SAME = "the whole answer, as if nothing were wrong"
    OTHER = "a well-formed reply that is no good answer"
    FAILED = "no whole answer; the client can tell by itself"
    STALLED = "no whole answer for as long as the client waits; only its own clock ends it"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong with any answer: `on(answer)` is the reply that has it."""

    name: str
    effect: Effect
    apply: Callable[[Answer, Times], Reply]

    def on(self, answer: Answer, *, slow_s: float = 30.0, tick_s: float = 0.05) -> Reply:
        """The answer with this fault.

        Args:
            answer: what would be said if all went well; some faults say something of their own instead.
            slow_s: how long what is late is late: longer than the client under test waits.
            tick_s: the interval of what drips: shorter than the client waits between two bytes.
        """
        return self.apply(answer, Times(slow_s, tick_s))


def _status(code: int, message: str) -> Callable[[Answer, Times], Reply]:
    return lambda _answer, _times: statuses.status(code, message)


_TABLE = (
    # What is late.
    Fault("late_head", Effect.STALLED, transport.late_head),
    Fault("late_body", Effect.STALLED, transport.late_body),
    Fault("drip", Effect.SAME, transport.drip),
    Fault("comments_only", Effect.STALLED, transport.comments_only),
    Fault("comments_between", Effect.SAME, looks.comments_between),
    Fault("silence_from_the_start", Effect.STALLED, transport.silence_from_the_start),
    Fault("silence_after_a_token", Effect.STALLED, transport.silence_after_a_token),
    # How the connection ends.
    Fault("closed_at_once", Effect.FAILED, transport.closed_at_once),
    Fault("reset_at_once", Effect.FAILED, transport.reset_at_once),
    Fault("reset_after_a_token", Effect.FAILED, transport.reset_after_a_token),
    Fault("cut_in_a_line", Effect.FAILED, transport.cut_in_a_line),
    Fault("cut_in_a_character", Effect.FAILED, transport.cut_in_a_character),
    Fault("cut_unnoticed", Effect.FAILED, transport.cut_unnoticed),
    Fault("half_closed", Effect.FAILED, transport.half_closed),
    Fault("no_done", Effect.SAME, transport.no_done),
    Fault("nothing_after_the_text", Effect.FAILED, transport.nothing_after_the_text),
    Fault("bad_chunk_size", Effect.FAILED, transport.bad_chunk_size),
    Fault("closed_afterwards", Effect.SAME, transport.closed_afterwards),
    # How the bytes look.
    Fault("broken_json", Effect.FAILED, looks.broken_json),
    Fault("broken_utf8", Effect.FAILED, looks.broken_utf8),
    Fault("byte_order_mark", Effect.SAME, looks.byte_order_mark),
    Fault("crlf", Effect.SAME, looks.crlf),
    Fault("tiny_segments", Effect.SAME, looks.tiny_segments),
    Fault("text_plain", Effect.SAME, looks.text_plain),
    Fault("never_streams", Effect.SAME, looks.never_streams),
    Fault("giant_line", Effect.OTHER, looks.giant_line),
    Fault("endless_tokens", Effect.STALLED, looks.endless_tokens),
    # Which status is answered.
    Fault("status_400", Effect.FAILED, _status(400, "This model's maximum context length is 8192 tokens.")),
    Fault("status_401", Effect.FAILED, _status(401, "Incorrect API key provided.")),
    Fault("status_403", Effect.FAILED, _status(403, "Your region is not supported.")),
    Fault("status_404", Effect.FAILED, _status(404, "The model does not exist.")),
    Fault("status_429", Effect.FAILED, _status(429, "Rate limit reached.")),
    Fault("status_429_retry_seconds", Effect.FAILED, statuses.retry_after_seconds),
    Fault("status_429_retry_date", Effect.FAILED, statuses.retry_after_date),
    Fault("status_500", Effect.FAILED, _status(500, "The server had an error.")),
    Fault("status_502_html", Effect.FAILED, lambda *_: statuses.html_page(502)),
    Fault("status_503", Effect.FAILED, _status(503, "The engine is overloaded.")),
    Fault("status_529", Effect.FAILED, _status(529, "Overloaded.")),
    Fault("html_with_200", Effect.FAILED, lambda *_: statuses.html_page(200)),
    Fault("error_in_body", Effect.FAILED, statuses.error_in_body),
    Fault("error_in_stream", Effect.FAILED, statuses.error_in_stream),
    Fault("rejects_schemas", Effect.SAME, statuses.rejects_schemas),
    Fault("rejects_schemas_and_tools", Effect.SAME, statuses.rejects_schemas_and_tools),
    # What the model says.
    Fault("no_choices", Effect.FAILED, contents.no_choices),
    Fault("no_text", Effect.OTHER, contents.no_text),
    Fault("cut_by_length", Effect.OTHER, contents.cut_by_length),
    Fault("content_filter", Effect.OTHER, contents.content_filter),
    Fault("refusal", Effect.OTHER, contents.refusal),
    Fault("wrong_role", Effect.SAME, contents.wrong_role),
    Fault("lone_surrogate", Effect.OTHER, contents.lone_surrogate),
    Fault("null_character", Effect.OTHER, contents.null_character),
    Fault("calls_end_with_stop", Effect.SAME, contents.calls_end_with_stop),
    Fault("broken_arguments", Effect.OTHER, contents.broken_arguments),
    Fault("unknown_tool", Effect.OTHER, contents.unknown_tool),
    Fault("endless_calls", Effect.OTHER, contents.endless_calls),
    # What a structured answer looks like; other texts just get the decoration.
    Fault("off_schema", Effect.OTHER, contents.off_schema),
    Fault("fenced", Effect.SAME, contents.fenced),
    Fault("prose_around", Effect.SAME, contents.prose_around),
    Fault("extra_keys", Effect.SAME, contents.extra_keys),
)
FAULTS: dict[str, Fault] = {fault.name: fault for fault in _TABLE}
