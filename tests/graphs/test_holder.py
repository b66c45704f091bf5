"""Who is known to be gone, and who is not."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from graphs import holder
from graphs.holder import Holder
from tests.fakes import fake_deps
from tests.graphs.installation import ended, installation, kinds

ASK = "from graphs.holder import Holder; print(Holder.this_process().name, flush=True); input()"


def test_a_process_is_gone_when_it_has_ended_and_not_before() -> None:
    here = Holder.this_process()
    with subprocess.Popen([sys.executable, "-c", ASK], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        name = other.stdout.readline().decode().strip()
        assert not here.is_gone(name)

        other.kill()
        # A zombie that nobody has waited for yet is as dead as any.
        while not here.is_gone(name):
            assert other.returncode is None
        other.wait()
        assert here.is_gone(name)


def test_nobody_is_taken_for_gone_who_may_live() -> None:
    here = Holder.this_process()
    machine, pid, started, token = here.name.split(":")

    assert not here.is_gone(here.name)
    assert not here.is_gone(f"another-machine:{pid}:1:{token}")
    assert not here.is_gone("worker-0123456789abcdef")
    assert not here.is_gone(f"{machine}:{pid}::{token}")
    assert not here.is_gone(f":{pid}:{started}:{token}")
    assert not here.is_gone("")


def test_a_number_that_is_used_again_is_another_process() -> None:
    here = Holder.this_process()
    machine, pid, started, token = here.name.split(":")

    assert here.is_gone(f"{machine}:{pid}:{int(started) - 1}:{token}")


def test_a_process_that_the_system_hides_is_not_taken_for_gone(
    dead: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Holder.this_process()
    monkeypatch.setattr(holder, "_PROC", tmp_path)

    assert not here.is_gone(here.name)
    assert here.is_gone(dead)


@pytest.fixture
def dead() -> str:
    """The name of a process that has ended."""
    ask = "from graphs.holder import Holder; print(Holder.this_process().name)"
    return subprocess.run([sys.executable, "-c", ask], capture_output=True, check=True).stdout.decode().strip()


async def test_a_turn_of_a_dead_process_is_not_waited_for(tmp_path: Path, dead: str) -> None:
    """The dead one's lease would last an hour."""
    async with installation(tmp_path, fake_deps()) as here:
        conversation_id = await here.begin()
        assert await here.log.claim(conversation_id, holder=dead, ttl_s=3600) is not None
        await here.say(conversation_id, "Where are my invoices?")
        events = await here.until(conversation_id, ended())

    assert kinds(events)[-1] == "RUN_FINISHED"


async def test_a_turn_of_a_process_that_may_live_is_left_to_it(tmp_path: Path) -> None:
    async with installation(tmp_path, fake_deps()) as here:
        conversation_id = await here.begin()
        assert await here.log.claim(conversation_id, holder="another-machine:7:1:x", ttl_s=2.0) is not None
        await here.say(conversation_id, "Where are my invoices?")
        await asyncio.sleep(1.2)
        assert "RUN_STARTED" not in kinds(await here.events(conversation_id))
        events = await here.until(conversation_id, ended())

    assert kinds(events)[-1] == "RUN_FINISHED"
