"""Sessions: who a token speaks for, and for how long."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from agent.errors import NotFound
from tests.tools.storage.arrange import ADA, IDENTITY, NOW, STAFF
from tools.storage.database import Database
from tools.storage.schema import sessions
from tools.storage.sessions import NewSession, Sessions


async def begin(kept: Sessions, ttl_s: float = 60) -> NewSession:
    return await kept.create(ADA, identity=IDENTITY, conversation_id="c1", ttl_s=ttl_s, now=NOW)


async def test_token_gives_back_scope_identity_and_conversation(database: Database) -> None:
    kept = Sessions(database)
    made = await begin(kept)
    found = await kept.lookup("orrery", made.token, now=NOW)
    assert found is not None
    assert (found.scope, found.identity, found.conversation_id) == (ADA, IDENTITY, "c1")
    assert found.expires_at == made.expires_at == NOW + timedelta(seconds=60)

    staff = await kept.create(STAFF, identity=IDENTITY, conversation_id=None, ttl_s=60, now=NOW)
    seen = await kept.lookup("orrery", staff.token, now=NOW)
    assert seen is not None
    assert seen.scope == STAFF


async def test_token_itself_is_nowhere_in_the_table(database: Database) -> None:
    made = await begin(Sessions(database))
    async with database.reading() as conn:
        [row] = (await conn.execute(select(sessions))).all()
    assert made.token not in str(row)


async def test_unknown_foreign_and_expired_tokens_find_nothing(database: Database) -> None:
    kept = Sessions(database)
    made = await begin(kept)
    assert await kept.lookup("orrery", "guess", now=NOW) is None
    assert await kept.lookup("orrery", "\ud800\x00", now=NOW) is None
    assert await kept.lookup("elsewhere", made.token, now=NOW) is None
    assert await kept.lookup("orrery", made.token, now=NOW + timedelta(seconds=60)) is None


async def test_prolonged_session_lives_on_in_its_conversation(database: Database) -> None:
    kept = Sessions(database)
    made = await begin(kept)
    later = NOW + timedelta(seconds=59)
    await kept.prolong("orrery", made.token, conversation_id="c2", ttl_s=60, now=later)
    found = await kept.lookup("orrery", made.token, now=NOW + timedelta(seconds=100))
    assert found is not None
    assert found.conversation_id == "c2"
    with pytest.raises(NotFound):
        await kept.prolong("orrery", made.token, conversation_id="c2", ttl_s=60, now=NOW + timedelta(days=1))


async def test_ended_sessions_are_gone(database: Database) -> None:
    kept = Sessions(database)
    made, old = await begin(kept), await begin(kept, ttl_s=1)
    await kept.expire("elsewhere", made.token)
    assert await kept.purge(now=NOW + timedelta(seconds=30)) == 1
    assert await kept.lookup("orrery", old.token, now=NOW) is None
    assert await kept.lookup("orrery", made.token, now=NOW) is not None
    await kept.expire("orrery", made.token)
    assert await kept.lookup("orrery", made.token, now=NOW) is None
