"""Loopback: an HTTP server of a test's own there, in a thread, and what clients need."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For a client's `verify`: nothing on loopback is encrypted, and reading the authorities' certificates takes 40 ms."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], *, before_the_end: Callable[[], object]) -> Iterator[str]:
    """The server's address, until the block ends; `before_the_end` lets go of requests that wait."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        before_the_end()
        server.shutdown()
        server.server_close()
        thread.join()
