"""Run the server as a process: `python -m tests.model_server --port 9000 --script script.json`."""

import argparse
import asyncio
import signal
from pathlib import Path

import uvloop

from tests.model_server.hosting import read_script
from tests.model_server.server import ModelServer, Script


async def serve(script: Script, port: int) -> None:
    """Serve until SIGINT or SIGTERM; the base URL is the first line of the output."""
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    async with ModelServer(script, port=port) as server:
        print(server.url, flush=True)
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.model_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--script", type=Path, required=True, help="a JSON script (see hosting.read_script)")
    given = parser.parse_args()
    script = read_script(given.script.read_text(encoding="utf-8"))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(script, given.port))


if __name__ == "__main__":
    main()
