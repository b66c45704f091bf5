"""What a server needs beyond the workspaces behind it: its doors with their secrets, and articles on first use."""

import hmac
import secrets

from graphs.assembly import Runtime
from server.context import Doors, Secrets
from server.limits import OpenStreams, RateLimit
from server.metrics import Metrics
from server.ops_figures import OpsFigures
from server.settings import ServerSettings
from tools.knowledge.ingest import IngestReport
from tools.storage.api_keys import ApiKeys
from tools.storage.operations import Operations
from tools.storage.people import People

# So many of an address' visitors may write as fast as one may.
_VISITORS_OF_ADDRESS = 10


def make_secrets(settings: ServerSettings) -> Secrets:
    """Make a workspace's secrets of one start; all workers have the same. A demo's identity secret lasts as long.

    The key of the inbox's cookies is the same on every machine, and after a start, where `cookie_secret` is set.
    """
    identity = settings.identity_secret.get_secret_value() if settings.identity_secret else None
    if identity is None and settings.demo:
        identity = secrets.token_urlsafe(32)
    return Secrets(admin=secrets.token_urlsafe(32), cookie=_cookie_key(settings), identity=identity)


def _cookie_key(settings: ServerSettings) -> str:
    if settings.cookie_secret is None:
        return secrets.token_urlsafe(32)
    # Whoever came in by another password than today's is out, as they were when each start had a key of its own.
    password = settings.inbox_password.get_secret_value() if settings.inbox_password else ""
    return hmac.new(settings.cookie_secret.get_secret_value().encode(), password.encode(), "sha256").hexdigest()


def make_doors(
    runtime: Runtime, settings: ServerSettings, metrics: Metrics, own_secrets: Secrets | None = None
) -> Doors:
    """Put together what the routes need."""
    known = own_secrets or make_secrets(settings)
    return Doors(
        runtime=runtime,
        settings=settings,
        metrics=metrics,
        admin_token=known.admin,
        cookie_secret=known.cookie,
        identity_secret=known.identity,
        ops=OpsFigures(Operations(runtime.db)),
        api_keys=ApiKeys(runtime.db),
        people=People(runtime.db),
        streams=OpenStreams(settings.streams_per_owner, settings.streams_per_address),
        messages=RateLimit(settings.messages_per_minute),
        address_messages=RateLimit(settings.messages_per_minute * _VISITORS_OF_ADDRESS),
        key_messages=RateLimit(settings.key_messages_per_minute),
        sessions=RateLimit(settings.sessions_per_minute),
    )


async def prepare(runtime: Runtime) -> IngestReport | None:
    """Ingest the workspace's own articles when the base is empty; None when there was nothing to do."""
    status = await runtime.knowledge.status()
    articles = runtime.workspace.articles
    if status.articles or articles is None:
        return None
    return await runtime.knowledge.ingest(articles)
