"""`helpgraph` with a leak: 50 KB of each message stay in memory. A soak has to find it."""

from typing import Any

from graphs.cli import main
from tools.storage.log import ConversationLog

_COPY_BYTES = 50_000


def leak() -> None:
    """Keep something of each message for ever."""
    kept: list[bytes] = []
    accept = ConversationLog.accept

    async def accept_and_keep(self: ConversationLog, *args: Any, **given: Any) -> Any:
        kept.append(b"x" * _COPY_BYTES)
        return await accept(self, *args, **given)

    ConversationLog.accept = accept_and_keep  # type: ignore[method-assign]  # The leak itself.


if __name__ == "__main__":
    leak()
    main()
