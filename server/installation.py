"""Which workspaces a server is to serve, each with its settings and secrets: read, and compared, before it starts."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.errors import Misconfigured
from graphs.assembly import read_files
from graphs.own_settings import FILE_NAME
from graphs.settings import Settings, load_settings
from server.context import Secrets
from server.opening import make_secrets
from server.settings import ServerSettings, load_server_settings, read_server_settings
from tools.workspace import workspace_folders


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace behind the server. `path` is below the server's address; empty when it is served alone."""

    workspace_id: str
    name: str
    path: str
    settings: Settings
    server_settings: ServerSettings
    secrets: Secrets

    @property
    def has_example(self) -> bool:
        """Whether the workspace's folder has an example product to show."""
        folder = self.settings.workspace
        return folder is not None and (folder / "web").is_dir()


@dataclass(frozen=True, slots=True)
class Installation:
    """What one server serves. The settings are the process's; each place has those that may be its own."""

    settings: Settings
    server_settings: ServerSettings
    places: tuple[Place, ...]
    several: bool


def path_of(workspace_id: str) -> str:
    """Where a workspace is, below the address of the server, when it is one of several."""
    return f"/w/{workspace_id}"


def load_installation(given: dict[str, object], at_the_doors: dict[str, object]) -> Installation:
    """Read what `given` (settings) and `at_the_doors` (the server's settings) of a command line lead to.

    Raises:
        Misconfigured: a setting or a workspace's file is wrong, all broken workspaces are named; two workspaces have
            one id, or a secret that opens both; an example product is to be shown, and there is none.
    """
    settings = load_settings(**given)
    folders = workspace_folders(settings.workspace) if settings.workspace is not None else []
    if settings.workspace is None or not folders:
        server_settings = load_server_settings(settings.workspace, **at_the_doors)
        place = _read(settings, server_settings, several=False)
        _refuse_nothing_to_show([place])
        return Installation(settings, server_settings, (place,), several=False)
    if (settings.workspace / FILE_NAME).exists():
        raise Misconfigured(f"{settings.workspace / FILE_NAME}: it belongs into the folder of a workspace")
    places: list[Place] = []
    broken: list[str] = []
    for folder in folders:
        try:
            own = load_settings(**{**given, "workspace": folder})
            places.append(_read(own, load_server_settings(folder, **at_the_doors), several=True))
        except Misconfigured as exc:
            said = str(exc)
            broken.append(said if str(folder) in said else f"{folder}: {said}")
    if broken:
        raise Misconfigured("\n".join(broken))
    _refuse_common_ids(places)
    _refuse_common_secrets(places)
    _refuse_nothing_to_show(places)
    of_the_process = {key: value for key, value in at_the_doors.items() if value is not None}
    return Installation(settings, read_server_settings(of_the_process), tuple(places), several=True)


def _read(settings: Settings, server_settings: ServerSettings, *, several: bool) -> Place:
    workspace = read_files(settings).workspace
    path = path_of(workspace.workspace_id) if several else ""
    secrets = make_secrets(server_settings)
    return Place(workspace.workspace_id, workspace.name, path, settings, server_settings, secrets)


def _refuse_nothing_to_show(places: list[Place]) -> None:
    if any(place.server_settings.demo for place in places) and not any(place.has_example for place in places):
        raise Misconfigured(
            "--demo (HELPGRAPH_DEMO) serves an example product, and no workspace here has one, in a folder web/: set "
            "HELPGRAPH_WORKSPACE or --workspace to examples/orrery, or leave --demo out"
        )


def _refuse_common_ids(places: list[Place]) -> None:
    known: dict[str, Path | None] = {}
    for place in places:
        if place.workspace_id in known:
            raise Misconfigured(
                f"{known[place.workspace_id]} and {place.settings.workspace} have the same workspace_id: "
                f"{place.workspace_id}"
            )
        known[place.workspace_id] = place.settings.workspace


def _refuse_common_secrets(places: list[Place]) -> None:
    """A secret of one workspace must open no other: neither its own of the same kind, nor one of another kind."""
    known: dict[str, tuple[Place, str]] = {}
    for place in places:
        for name, secret in _secrets(place):
            _refuse_same(known.setdefault(secret, (place, name)), (place, name))
    # Those of which others are made may be one for all, but nobody's who could then make another's.
    for place in places:
        for name, secret in _masters(place):
            if (found := known.get(secret)) is not None:
                _refuse_same(found, (place, name))


def _refuse_same(known: tuple[Place, str], found: tuple[Place, str]) -> None:
    (one, name), (other, others_name) = known, found
    if one is not other:
        raise Misconfigured(
            f"{name} of {one.settings.workspace} and {others_name} of {other.settings.workspace} are the same: it "
            f"would open both. Give each workspace its own, in {FILE_NAME} in its folder"
        )


def _secrets(place: Place) -> Iterator[tuple[str, str]]:
    settings = place.server_settings
    for name, secret in (
        ("HELPGRAPH_INBOX_PASSWORD", settings.inbox_password),
        ("HELPGRAPH_IDENTITY_SECRET", settings.identity_secret),
        ("HELPGRAPH_IDENTITY_HASH_SECRET", settings.identity_hash_secret),
        *(("HELPGRAPH_API_KEYS", key) for key in settings.api_keys),
    ):
        if secret is not None:
            yield name, secret.get_secret_value()


def _masters(place: Place) -> Iterator[tuple[str, str]]:
    for name, secret in (
        ("HELPGRAPH_COOKIE_SECRET", place.server_settings.cookie_secret),
        ("HELPGRAPH_WEBHOOK_SECRET", place.settings.webhook_secret),
    ):
        if secret is not None:
            yield name, secret.get_secret_value()
