"""What a turn does outside happens once, however often the turn runs."""

import hashlib

from agent.types import TurnRequest


def effect_key(request: TurnRequest, effect: str, ordinal: int = 0) -> str:
    """The key under which an effect of this turn happens once."""
    name = f"{request.workspace_id}\n{request.conversation_id}\n{request.turn_id}\n{effect}\n{ordinal}"
    return hashlib.sha256(name.encode()).hexdigest()
