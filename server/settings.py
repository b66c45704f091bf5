"""What an operator can set about the doors. Built once at start-up and passed down."""

import ipaddress
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from agent.errors import Misconfigured
from graphs.own_settings import AT_THE_DOORS, read_own
from tools.observing.logs import LogFormat

MIN_SECRET = 16


class ServerSettings(BaseSettings):
    """Settings of the HTTP server. Every name has the prefix `HELPGRAPH_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="HELPGRAPH_", env_file=".env", extra="ignore", frozen=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    public_url: str | None = Field(
        default=None,
        description="The address that browsers use, when a proxy stands in front: others reach the server then.",
    )
    inbox_password: SecretStr | None = Field(
        default=None, description="Password of the inbox. Must be set when not on loopback; unset on loopback: open."
    )
    cookie_secret: SecretStr | None = Field(
        default=None,
        description="Secret behind the inbox's cookies, one for all machines. Unset: another one at each start.",
    )
    api_keys: Annotated[list[SecretStr], NoDecode] = Field(
        default_factory=list,
        description="Keys of bots, by commas, beside those of `helpgraph keys`. None on loopback: any works.",
    )
    allowed_origins: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="Origins of the product's pages that may open the widget, by commas."
    )
    identity_secret: SecretStr | None = Field(
        default=None,
        description="Secret (HS256) with which the product signs who its user is. Unset: everyone is anonymous.",
    )
    identity_hash_secret: SecretStr | None = Field(
        default=None,
        description="Another secret, with which the product hashes its user's id (HMAC-SHA256). Unset: no such hashes.",
    )
    session_hours: float = Field(default=24 * 14, gt=0, description="How long a widget's session lasts, in hours.")
    demo: bool = Field(default=False, description="Serve the example product at /demo; on loopback only.")
    messages_per_minute: int = Field(
        default=30,
        ge=1,
        description="Messages of one user or visitor in a minute; ten times as many of an address's visitors.",
    )
    key_messages_per_minute: int = Field(default=600, ge=1, description="Messages of one bot's key in a minute.")
    streams_per_owner: int = Field(default=8, ge=1, description="Open event streams of one session.")
    streams_per_address: int = Field(default=64, ge=1, description="Open event streams of one address.")
    log_format: LogFormat = Field(default="text", description="How log lines are written: text, or json for machines.")
    sessions_per_minute: int = Field(default=60, ge=1, description="New widget sessions of one address in a minute.")

    @field_validator("api_keys", "allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("public_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value and not (value.startswith(("https://", "http://")) and urlsplit(value).hostname):
            raise ValueError("it is no address like https://help.example.com")
        return value or None

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, value: list[str]) -> list[str]:
        for origin in value:
            if not origin.startswith(("https://", "http://")) or origin.count("/") != 2:
                raise ValueError(f"{origin!r} is not an origin like https://app.example.com")
        return value

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server, by itself or through a proxy."""
        hosts = [self.host] if self.public_url is None else [self.host, urlsplit(self.public_url).hostname or ""]
        return all(_is_loopback(host) for host in hosts)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load_server_settings(workspace: Path | None = None, /, **overrides: object) -> ServerSettings:
    """Build the settings; `overrides` (from the command line) win, None means not given.

    What the folder of the workspace has of its own (`settings.env`) wins over the environment.

    Raises:
        Misconfigured: a value is wrong or missing; the message names the variable, and the workspace's file if there
            is one.
    """
    given = {key: value for key, value in overrides.items() if value is not None}
    own = read_own(workspace, ServerSettings, AT_THE_DOORS)
    if own is None:
        return _checked(given)
    try:
        return _checked({**own.values, **given})
    except Misconfigured as exc:
        raise Misconfigured(f"{own.path}: {exc}") from exc


def read_server_settings(given: dict[str, object]) -> ServerSettings:
    """Build the settings without asking whether they fit together: for what is the process's own among them.

    Raises:
        Misconfigured: a value is wrong; the message names the variable.
    """
    try:
        return ServerSettings(**given)  # type: ignore[arg-type]  # Pydantic validates the mixed values.
    except ValidationError as exc:
        first = exc.errors(include_input=False)[0]
        name = "HELPGRAPH_" + str(first["loc"][0]).upper() if first["loc"] else "settings"
        raise Misconfigured(f"{name}: {first['msg']}") from exc


def _checked(given: dict[str, object]) -> ServerSettings:
    settings = read_server_settings(given)
    if not settings.on_loopback and settings.inbox_password is None:
        raise Misconfigured(
            f"HELPGRAPH_INBOX_PASSWORD must be set when listening on {settings.public_url or settings.host}: "
            "others can reach the inbox"
        )
    if not settings.on_loopback and settings.demo:
        raise Misconfigured("HELPGRAPH_DEMO signs anyone in as anyone: it works on 127.0.0.1 only")
    if settings.identity_secret is not None and settings.identity_secret == settings.identity_hash_secret:
        # A user id may be what a token is signed over: its hash would then be that token's signature.
        raise Misconfigured("HELPGRAPH_IDENTITY_HASH_SECRET must be another secret than HELPGRAPH_IDENTITY_SECRET")
    if not settings.on_loopback and (short := short_secrets(settings)):
        raise Misconfigured(f"{short[0]} is too short: use at least {MIN_SECRET} characters")
    return settings


def short_secrets(settings: ServerSettings) -> list[str]:
    """Return the names of the secrets that are too short for a server that others can reach."""
    return [
        f"HELPGRAPH_{name.upper()}"
        for name in ("identity_secret", "identity_hash_secret", "inbox_password", "cookie_secret")
        if (secret := getattr(settings, name)) is not None and len(secret.get_secret_value()) < MIN_SECRET
    ]
