"""What `helpgraph serve` prints when it is ready."""

from rich.console import Console
from rich.markup import escape

from server.installation import Installation, Place
from server.unknown_settings import unknown_settings

_NO_DEMO = "nothing: the workspace's folder has no web/ with an example product to show"
_ORIGINS = "  (on pages of yours: name their origins in HELPGRAPH_ALLOWED_ORIGINS)"


def say_what_is_where(console: Console, url: str, installation: Installation, workers: int = 1) -> None:
    """Print where everything is."""
    console.print(f"[bold]Helpgraph[/] serves on {url}")
    if installation.several:
        for place in installation.places:
            address = f"{url}{place.path}"
            _rows(console, [("workspace", f"{_what(place)}, {address}/"), *_doors(address, place)])
    else:
        (place,) = installation.places
        _rows(console, [("workspace", _what(place, workers)), *_doors(url, place)])
    data = str(installation.settings.data_dir.resolve())
    _rows(console, [("data", data + (f", {workers} workers" if installation.several and workers > 1 else ""))])
    for said in unknown_settings():
        console.print(f"[yellow]note[/] {escape(said)}", soft_wrap=True)
    console.print("Ctrl-C stops.")


def _what(place: Place, workers: int = 1) -> str:
    engine = place.settings.model or "local"
    return f"{place.name}, engine {engine}" + (f", {workers} workers" if workers > 1 else "")


def _doors(url: str, place: Place) -> list[tuple[str, str]]:
    settings = place.server_settings
    return [
        *([("try it", f"{url}/demo/settings/billing" if place.has_example else _NO_DEMO)] if settings.demo else []),
        ("inbox", f"{url}/inbox" + ("" if settings.inbox_password else "  (no password: this machine only)")),
        ("bugs", f"{url}/bugs"),
        ("API", f"{url}/docs"),
        ("widget", f'<script src="{url}/widget.js" defer></script>' + ("" if settings.allowed_origins else _ORIGINS)),
    ]


def _rows(console: Console, rows: list[tuple[str, str]]) -> None:
    for name, where in rows:
        console.print(f"  {name:<10} ", end="")
        console.print(where, markup=False, soft_wrap=True)
