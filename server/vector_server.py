"""A Chroma server on loopback that the workers of one machine share."""

import ctypes
import logging
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx

from agent.errors import Misconfigured
from tools.knowledge.sweeping import sweep

logger = logging.getLogger(__name__)

_CHROMA = "from chromadb.cli.cli import app; app()"
_START_S = 60.0
_STOP_S = 10.0
_PR_SET_PDEATHSIG = 1


class ChromaServer:
    """A Chroma server on loopback for this installation's workers; the one owner of the folder of vectors.

    What it holds can be made again from the database, and workers search in copies in memory, so its death costs
    nothing but ingests that fail until it is back.
    """

    def __init__(self, folder: Path, log: Path) -> None:
        self._folder = folder
        self._log = log
        with socket.create_server(("127.0.0.1", 0)) as chosen:
            self._port: int = chosen.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            Misconfigured: it doesn't start; its log says why.
        """
        sweep(self._folder)
        self._spawn()
        deadline = time.monotonic() + _START_S
        while not self._answers():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise Misconfigured(f"the server of the vector index doesn't start: {self._log} says why")
            time.sleep(0.1)

    def keep_alive(self) -> None:
        """Start it again if it died."""
        if self._process is not None and self._process.poll() is not None:
            logger.error("the vector index died and is started again status=%d", self._process.returncode)
            self._spawn()

    def close(self) -> None:
        """Stop it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _spawn(self) -> None:
        command = [sys.executable, "-c", _CHROMA, "run", "--path", str(self._folder)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # Nothing in it comes from outside.
                [*command, "--host", "127.0.0.1", "--port", str(self._port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
                # Ctrl-C in a terminal reaches every process of the group; this one ends after its clients.
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  # No thread of ours holds a lock at that moment.
            )

    def _answers(self) -> bool:
        try:
            # Nothing on loopback is encrypted, and reading the authorities' certificates takes 40 ms each time.
            none = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            return httpx.get(f"{self.url}/api/v2/heartbeat", timeout=2.0, trust_env=False, verify=none).is_success
        except httpx.TransportError:
            return False


def _end_with_parent() -> None:
    """Have the kernel stop the child when its parent dies, however it dies; where it can't, the child stays."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
