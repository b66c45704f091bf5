"""Finding and talking to the server that owns a data folder, so that a command beside it goes through it."""

import json
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from agent.errors import BadTurn, ConnectorError, Misconfigured, SupportError

FILE_NAME = "server.json"
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A workspace's server on this machine, and the token that proves one may read its data folder."""

    url: str
    token: str

    async def post(self, path: str, body: dict[str, object]) -> Any:
        """Post JSON and return the JSON that came back.

        Raises:
            BadTurn: the server refused the request; its own words.
            ConnectorError: it couldn't be reached or failed.
        """
        async with httpx.AsyncClient(base_url=self.url, timeout=_TIMEOUT, trust_env=False) as client:
            try:
                response = await client.post(path, json=body, headers=self._headers())
            except httpx.HTTPError as exc:
                raise ConnectorError(f"the server at {self.url} can't be reached", retryable=True) from exc
            _raise_for(response)
            return response.json()

    async def stream(self, path: str, body: dict[str, object]) -> AsyncIterator[dict[str, Any]]:
        """Post JSON and yield the JSON lines that come back.

        Raises:
            BadTurn: the server refused the request; its own words.
            ConnectorError: it couldn't be reached, or broke off.
        """
        timeout = httpx.Timeout(60.0, connect=5.0, read=None)
        async with httpx.AsyncClient(base_url=self.url, timeout=timeout, trust_env=False) as client:
            try:
                async with client.stream("POST", path, json=body, headers=self._headers()) as response:
                    if response.is_error:
                        await response.aread()
                    _raise_for(response)
                    async for line in response.aiter_lines():
                        if line.strip():
                            yield json.loads(line)
            except httpx.HTTPError as exc:
                raise ConnectorError(f"the server at {self.url} broke off", retryable=True) from exc

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}


def announce(data_dir: Path, url: str, every: Mapping[str, RunningServer]) -> Path:
    """Leave the server's address, and its workspaces with their tokens by id, in its data folder.

    Only the owner can read it.
    """
    path = data_dir / FILE_NAME
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    said = {
        "url": url,
        "pid": os.getpid(),
        "workspaces": {name: {"url": each.url, "token": each.token} for name, each in every.items()},
    }
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(said, file)
    return path


def find_all_running(data_dir: Path) -> dict[str, RunningServer]:
    """Return the workspaces of the server that owns the data folder, by id; none when its process isn't alive."""
    try:
        said = json.loads((data_dir / FILE_NAME).read_text(encoding="utf-8"))
        os.kill(int(said["pid"]), 0)
        return {
            str(name): RunningServer(str(each["url"]), str(each["token"])) for name, each in said["workspaces"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def find_running(data_dir: Path, workspace_id: str | None = None) -> RunningServer | None:
    """Return the workspace's server on the data folder, if its process is alive; None is whichever it serves alone.

    Raises:
        Misconfigured: the server doesn't serve this workspace, or several and none is named.
    """
    every = find_all_running(data_dir)
    if workspace_id in every:
        return every[workspace_id]
    if workspace_id is None and len(every) == 1:
        return next(iter(every.values()))
    if not every:
        return None
    served = ", ".join(every)
    if workspace_id is None:
        raise Misconfigured(f"the server on {data_dir} serves several workspaces ({served}): name one with --workspace")
    raise Misconfigured(
        f"the server on {data_dir} serves {served}, and not {workspace_id}: name another workspace with --workspace, "
        "another data folder with --data-dir, or start the server anew"
    )


def _raise_for(response: httpx.Response) -> None:
    if not response.is_error:
        return
    try:
        problem = response.json()
        detail = str(problem.get("detail") or problem.get("title"))
    except ValueError:
        detail = f"status {response.status_code}"
    if response.status_code >= 500:
        raise ConnectorError(f"the server failed: {detail}")
    if response.status_code == 422:
        raise BadTurn(detail)
    raise SupportError(f"the server refused: {detail}")
