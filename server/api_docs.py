"""The API's own pages, with their scripts served from here: nothing is fetched from elsewhere."""

from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from server.place import below, own_policy

router = APIRouter(include_in_schema=False)

_MOUNT = "/docs-assets"
# The page that FastAPI generates has its start-up script inline.
_CSP = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """Swagger UI."""
    here = below(request)
    page = get_swagger_ui_html(
        openapi_url=f"{here}/openapi.json",
        title="Helpgraph API",
        swagger_js_url=f"{here}{_MOUNT}/swagger-ui-bundle.js",
        swagger_css_url=f"{here}{_MOUNT}/swagger-ui.css",
        swagger_favicon_url=f"{here}{_MOUNT}/favicon.png",
    )
    page.headers["Content-Security-Policy"] = own_policy(request, _CSP)
    return page


def mount(app: FastAPI) -> None:
    """Serve Swagger UI's files, which the package fastapi-offline carries."""
    spec = find_spec("fastapi_offline")
    if spec is not None and spec.origin is not None:
        app.mount(_MOUNT, StaticFiles(directory=Path(spec.origin).parent / "static"), name="docs-assets")
