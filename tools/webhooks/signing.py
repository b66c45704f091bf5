"""Signatures of webhooks, as https://www.standardwebhooks.com has them (version 1)."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

PREFIX = "whsec_"


def secret_of(master: str, workspace_id: str, name: str) -> str:
    """A webhook's own secret, made of the installation's: no table holds any, and no receiver knows another's."""
    key = hmac.new(master.encode(), f"webhook\0{workspace_id}\0{name}".encode(), hashlib.sha256).digest()
    return PREFIX + base64.b64encode(key).decode()


def signed_headers(secret: str, event_id: str, body: bytes, *, at_s: int) -> Mapping[str, str]:
    """The headers that prove where a body comes from. `at_s` is the time of this attempt, in seconds since 1970."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signature = hmac.new(key, f"{event_id}.{at_s}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }
