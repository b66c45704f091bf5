"""Play the conversations of the invented help centres against a real server, and count what they came to."""

import argparse
import asyncio
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from agent.fast_yaml import parse_yaml
from tests.forking import ROOT
from tests.help_centres.judging import Expected, Seen, judge, shares
from tests.installed import use_models
from tests.serving import served_anew

_FOLDER = Path(__file__).parent
NAMES = tuple(sorted(path.parent.name for path in _FOLDER.glob("*/conversations.yaml")))
_AT_ONCE = 6
_ENVIRONMENT = {
    "HELPGRAPH_EMBEDDING": "minilm",
    "HELPGRAPH_API_KEYS": "a-key-for-help-centres",
    "HELPGRAPH_KEY_MESSAGES_PER_MINUTE": "1000000",
}


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.help_centres",
        description="Play conversations of invented help centres, and count how many turns came out as expected.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones (default all: {', '.join(NAMES)})")
    parser.add_argument("--out", type=Path, help="a JSON file for every turn, with what was said")
    read = parser.parse_args(given)
    unknown = sorted(set(read.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no help centre {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return read


def conversations(name: str) -> list[dict[str, Any]]:
    """The conversations of a help centre, as they were written."""
    read: list[dict[str, Any]] = parse_yaml((_FOLDER / name / "conversations.yaml").read_text(encoding="utf-8"))
    return read


async def play(url: str, name: str, tell: Callable[[int, int], None]) -> tuple[list[Seen], list[dict[str, Any]]]:
    """Play all conversations of a help centre; what follows a handoff is for a person, and isn't played."""
    seen: list[Seen] = []
    turns: list[dict[str, Any]] = []
    all_of_them, done, free = conversations(name), 0, asyncio.Semaphore(_AT_ONCE)
    headers = {"Authorization": f"Bearer {_ENVIRONMENT['HELPGRAPH_API_KEYS']}"}
    async with httpx.AsyncClient(base_url=url, timeout=120, trust_env=False, headers=headers) as http:

        async def one(conversation: dict[str, Any]) -> None:
            nonlocal done
            async with free:
                for place, turn in enumerate(conversation["turns"]):
                    answer = await http.post(
                        "/v1/chat/completions",
                        json={"model": "helpgraph", "messages": [{"role": "user", "content": turn["user"]}]},
                        headers={"X-Conversation-Id": conversation["id"]},
                    )
                    said = answer.raise_for_status().json()
                    text = said["choices"][0]["message"]["content"]
                    found = judge(Expected.read(turn), text, said["helpgraph"])
                    seen.append(found)
                    came_to = {
                        "outcome": found.outcome,
                        "as_expected": found.as_expected,
                        "shown": found.shown,
                        "text": text,
                    }
                    turns.append(
                        {"help_centre": name, "id": conversation["id"], "turn": place, **turn, **came_to, "text": text}
                    )
                    if found.outcome == "person":
                        break
            done += 1
            tell(done, len(all_of_them))

        await asyncio.gather(*map(one, all_of_them))
    return seen, sorted(turns, key=lambda turn: (turn["id"], turn["turn"]))


def main() -> int:
    """Play what was asked for and print the shares."""
    given = arguments()
    console = Console(stderr=True)
    kept: list[dict[str, Any]] = []
    models = ROOT / "var" / "help-centres-models"
    models.mkdir(parents=True, exist_ok=True)
    for name in given.names or NAMES:
        folder = Path(tempfile.mkdtemp(prefix="help-centre"))
        try:
            use_models(folder, models)
            with (
                served_anew(folder, HELPGRAPH_WORKSPACE=str(_FOLDER / name), **_ENVIRONMENT) as server,
                console.status(f"{name}: starting") as status,
            ):
                played = play(server.url, name, lambda done, total: status.update(f"{name}: {done} of {total}"))  # noqa: B023
                seen, turns = asyncio.run(played)
                server.stop(signal.SIGTERM)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        kept += turns
        print(name)
        for what, value in shares(seen).items():
            print(f"  {what:24} {value:.0f}" if what in ("turns", "answerable") else f"  {what:24} {value:.3f}")
    if given.out is not None:
        given.out.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
