"""The error tree. Split by who must act.

SupportError
├── BadTurn             the caller sent something that can't be a turn
├── NotFound            the caller named something that isn't theirs or isn't there
├── Conflict            the caller's request contradicts what is stored
├── Misconfigured       the operator must change a setting, a file or a store
├── ConnectorError      an outside service failed (`retryable` says whether again may help)
│   ├── DatabaseAway
│   ├── KnowledgeError
│   ├── TrackerError
│   └── ModelFailed     a language model's endpoint failed, refused, was too slow or too dear
├── ModelMisbehaved     a model returned what it must not
└── LeaseLost           another writer owns the conversation now; this one must stop quietly
"""


class SupportError(Exception):
    """Any failure that Helpgraph names itself."""


class BadTurn(SupportError):
    """The caller sent something that can't be a turn. `field` names what, when it can be named."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFound(SupportError):
    """What was asked for isn't there, or isn't the caller's: the two are never told apart."""


class Conflict(SupportError):
    """The request contradicts what is stored (the same message id with another text, a move the mode forbids)."""


class Misconfigured(SupportError):
    """The operator must act; the message names the setting, file or store and what to do."""


class ConnectorError(SupportError):
    """An outside service failed."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class DatabaseAway(ConnectorError):
    """The database can't be reached, is full, was locked too long, or its disk fails. It may be back in a moment."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)


class KnowledgeError(ConnectorError):
    """The knowledge base couldn't be read or written."""


class TrackerError(ConnectorError):
    """The bug tracker couldn't be read or written."""


class ModelFailed(ConnectorError):
    """A language model gave nothing that can be used. `reason` is one word for counting, such as `rate_limited`."""

    def __init__(self, reason: str, *, retryable: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(f"the model failed: {reason}", retryable=retryable)
        self.reason = reason
        self.retry_after_s = retry_after_s


class ModelMisbehaved(SupportError):
    """A model returned something that fails its schema or its policy."""


class LeaseLost(SupportError):
    """Another writer owns the conversation now."""
