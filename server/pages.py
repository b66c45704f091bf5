"""Pages and files: the front page, the inbox, the widget's script, the example product."""

import hashlib
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from agent.errors import NotFound
from agent.wire import JsonObject
from server.auth import sign_identity
from server.context import Doors, InDoors
from server.place import below, own_policy

router = APIRouter(include_in_schema=False)

STATIC = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".txt": "text/plain", ".html": "text/html"}
_PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html dompurify"
)
_PLAIN_CSP = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_DEMO_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/")
async def front(request: Request, doors: InDoors) -> Response:
    """What is where."""
    if doors.settings.demo and _web(doors) is not None:
        return RedirectResponse(f"{below(request)}/demo/dashboard")
    name = doors.runtime.workspace.name
    body = (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Helpgraph</title><h1>Helpgraph</h1>"
        f"<p>Serving {_escape(name)}.</p><ul><li><a href=inbox>Inbox</a><li><a href=bugs>Bugs</a>"
        "<li><a href=ops>Operations</a><li><a href=docs>API</a></ul></html>"
    )
    return HTMLResponse(body, headers={"Content-Security-Policy": own_policy(request, _PLAIN_CSP)})


@router.get("/inbox")
async def inbox(request: Request) -> Response:
    """The inbox; it signs in by itself."""
    return _page(request, "inbox.html")


@router.get("/bugs")
async def bugs(request: Request) -> Response:
    """The bugs page."""
    return _page(request, "bugs.html")


@router.get("/ops")
async def ops(request: Request) -> Response:
    """How the installation does."""
    return _page(request, "ops.html")


def _page(request: Request, name: str) -> Response:
    return FileResponse(STATIC / name, headers={"Content-Security-Policy": own_policy(request, _PAGE_CSP)})


@router.get("/widget.js")
async def widget(if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """The widget, one file, cached until it changes."""
    return _file(STATIC / "widget.js", if_none_match)


@router.get("/favicon.ico")
async def no_icon() -> Response:
    """Browsers ask for one, whatever a page says; there is none."""
    return Response(status_code=204, headers={"Cache-Control": "public, max-age=86400"})


@router.get("/assets/{name}")
async def asset(name: str, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """The built files of the pages."""
    path = STATIC / name
    if path.parent != STATIC or path.suffix not in _TYPES or not _is_file(path):
        raise NotFound("no such file")
    return _file(path, if_none_match)


def _is_file(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _file(path: Path, if_none_match: str | None) -> Response:
    content = path.read_bytes()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache", "Cross-Origin-Resource-Policy": "cross-origin"}
    if if_none_match == etag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=_TYPES[path.suffix], headers=headers)


# --- the example product -----------------------------------------------------------------------------------------


def _web(doors: Doors) -> Path | None:
    folder = doors.runtime.workspace.folder
    return (folder / "web").resolve() if folder is not None and (folder / "web").is_dir() else None


def _demo_folder(doors: Doors) -> Path:
    folder = _web(doors)
    if not doors.settings.demo or folder is None:
        raise NotFound("no example product here")
    return folder


@router.get("/demo/accounts.json")
async def demo_accounts(doors: InDoors) -> list[JsonObject]:
    """Whom one can be in the example."""
    _demo_folder(doors)
    return [
        {"user_id": user.user_id, "name": user.name, "account": user.account_name, "plan": user.plan}
        for user in doors.runtime.accounts.users()
    ]


@router.get("/demo/identity")
async def demo_identity(doors: InDoors, user_id: Annotated[str, Query(max_length=200)]) -> JsonObject:
    """Sign the example's user in, as a product's own backend would."""
    _demo_folder(doors)
    user = doors.runtime.accounts.user(user_id)
    if user is None or doors.identity_secret is None:
        raise NotFound("no such user")
    token = sign_identity(
        doors.identity_secret,
        workspace_id=doors.runtime.workspace.workspace_id,
        user_id=user.user_id,
        account_id=user.account_id,
        name=user.name,
    )
    return {"token": token}


@router.get("/demo")
async def demo_root(request: Request, doors: InDoors) -> Response:
    """The example's first page."""
    _demo_folder(doors)
    return RedirectResponse(f"{below(request)}/demo/dashboard")


@router.get("/demo/{path:path}")
async def demo(path: str, request: Request, doors: InDoors) -> Response:
    """The example's files; every other path is its one page."""
    folder = _demo_folder(doors)
    page = wanted = folder / "app.html"
    if _is_file(folder / path):
        wanted = (folder / path).resolve()
    if not wanted.is_relative_to(folder) or wanted.suffix not in _TYPES:
        wanted = page
    headers = {"Content-Security-Policy": own_policy(request, _DEMO_CSP), "Cache-Control": "no-cache"}
    if wanted.suffix == ".html":
        # The one page stands at every depth, so its own addresses can't be relative ones.
        text = wanted.read_text(encoding="utf-8").replace('="/demo/', f'="{below(request)}/demo/')
        return HTMLResponse(text, headers=headers)
    return FileResponse(wanted, media_type=_TYPES[wanted.suffix], headers=headers)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
