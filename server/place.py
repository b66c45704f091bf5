"""Where a request's application is: at the root of its host, or below a path of its own beside others."""

import re

from fastapi import Request

_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?")


def below(request: Request) -> str:
    """The path that the application's own addresses begin with; empty at the root."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def own_policy(request: Request, policy: str) -> str:
    """A content security policy whose 'self' is the application's own path, where others share its host.

    Hosts that a policy can't name (IPv6 addresses) keep 'self'.
    """
    host = request.headers.get("host", "")
    if not below(request) or not _HOST.fullmatch(host):
        return policy
    return policy.replace("'self'", f"{host}{below(request)}/")
