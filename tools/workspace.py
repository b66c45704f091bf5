"""A workspace folder: who the product is, what may be automated, its pages and its accounts."""

import re
from dataclasses import dataclass, replace
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from agent.errors import Misconfigured
from agent.fast_yaml import parse_yaml
from agent.policy import BusinessHours, CategoryPolicy, Costs, Policy, Queue
from agent.types import Language

_Cost = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Rate = Annotated[float, Field(ge=0, le=1)]
FILE_NAME = "workspace.yaml"
_ADDRESS = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Hours(_Strict):
    timezone: str = "UTC"
    days: dict[str, list[tuple[str, str]]] | None = None
    holidays: list[str | date] = []

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as exc:
            raise ValueError(f"no such time zone: {value!r}") from exc
        return value

    def to_policy(self) -> BusinessHours:
        if self.days is None:
            # Left out is not "never": then nobody would ever be said to be there.
            return BusinessHours(self.timezone, holidays=tuple(str(holiday) for holiday in self.holidays))
        days: dict[int, tuple[tuple[time, time], ...]] = {}
        for name, spans in self.days.items():
            for day in _expand_days(name):
                days[day] = tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in spans)
        return BusinessHours(self.timezone, days, tuple(str(holiday) for holiday in self.holidays))


def _expand_days(name: str) -> range:
    """Read `mon` or `mon-fri`."""
    first, _, last = name.lower().partition("-")
    try:
        return range(_DAYS.index(first), _DAYS.index(last or first) + 1)
    except ValueError as exc:
        raise ValueError(f"business_hours.days: {name!r} is not like 'mon' or 'mon-fri'") from exc


class _Queue(_Strict):
    queue_id: str
    name: str
    categories: list[str] = []
    tiers: list[str] = []


class _Costs(_Strict):
    wrong_answer: _Cost = 10.0
    needless_handoff: _Cost = 3.0
    missed_handoff: _Cost = 12.0
    needless_question: _Cost = 1.5
    needless_ticket: _Cost = 4.0


class _Category(_Strict):
    id: str
    name: str
    description: str = ""
    scope: Literal["off", "suggest", "answer"] = "answer"
    needs_person: bool = False
    queue: str | None = None
    target_containment: tuple[_Rate, _Rate] | None = None
    examples: list[str] = []
    costs: _Costs = _Costs()

    @field_validator("target_containment")
    @classmethod
    def _is_a_range(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and value[0] > value[1]:
            raise ValueError("the lower end comes first, as in [0.5, 0.9]")
        return value


class _Workspace(_Strict):
    name: str
    workspace_id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{1,62}$")
    languages: list[Language] = Field(default=["en"], min_length=1)
    link_hosts: list[str] = []
    support_email: str | None = Field(default=None, max_length=254)
    business_hours: _Hours = _Hours()
    reply_promise_minutes: int = Field(default=15, ge=1)
    queues: list[_Queue] = []
    categories: list[_Category] = []
    costs: _Costs = _Costs()
    high_tiers: list[str] = ["strategic"]

    @field_validator("support_email")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None and _ADDRESS.fullmatch(value) is None:
            raise ValueError("an e-mail address is meant, such as help@example.com")
        return value


@dataclass(frozen=True, slots=True)
class Workspace:
    """A loaded workspace. `folder` is None for the bare default that has no files."""

    workspace_id: str
    name: str
    languages: tuple[Language, ...]
    policy: Policy
    folder: Path | None
    support_email: str | None = None

    @property
    def articles(self) -> Path | None:
        """The folder's own articles, when it ships some."""
        if self.folder is None or not (self.folder / "articles").is_dir():
            return None
        return self.folder / "articles"


def default_workspace() -> Workspace:
    """Return a workspace for someone who has articles and nothing else yet."""
    return Workspace("default", "our product", ("en", "de", "es"), Policy(), None)


def load_workspace(folder: Path) -> Workspace:
    """Read `workspace.yaml` in `folder`.

    Raises:
        Misconfigured: the folder or file is missing or wrong; the message names the place in the file.
    """
    path = folder / FILE_NAME
    if held := workspace_folders(folder):
        names = ", ".join(each.name for each in held)
        raise Misconfigured(f"{folder} holds several workspaces ({names}): name one, as in --workspace {held[0]}")
    if not path.exists():
        raise Misconfigured(
            f"no workspace at {path}: write one, of two lines at least, name: Your product and workspace_id: "
            "your-product; or leave HELPGRAPH_WORKSPACE and --workspace out, for a workspace without files"
        )
    raw = read_yaml(path, what="workspace")
    try:
        data = _Workspace.model_validate(raw)
        policy = _to_policy(data)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(f"{path}: {where}: {first['msg']}") from exc
    except ValueError as exc:
        raise Misconfigured(f"{path}: {exc}") from exc
    return Workspace(data.workspace_id, data.name, tuple(data.languages), policy, folder, data.support_email)


def workspace_folders(folder: Path) -> list[Path]:
    """Return the folders of the workspaces that `folder` holds, by name; none when it is no folder of workspaces.

    It is one when it has no workspace.yaml itself and a folder in it has. Names that begin with a dot don't count.

    Raises:
        Misconfigured: one of its folders is no workspace: none is left out because a file's name was misspelt.
    """
    if (folder / FILE_NAME).is_file() or not folder.is_dir():
        return []
    inside = sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))
    lacking = [each for each in inside if not (each / FILE_NAME).is_file()]
    if len(lacking) == len(inside):
        return []
    if lacking:
        raise Misconfigured(
            f"{lacking[0]} has no {FILE_NAME}, and {folder} holds workspaces: each folder in it must be one, or have a "
            "name that begins with a dot"
        )
    return inside


def _to_policy(data: _Workspace) -> Policy:
    queues = tuple(Queue(q.queue_id, q.name, tuple(q.categories), tuple(q.tiers)) for q in data.queues)
    known = {queue.queue_id for queue in queues}
    _refuse_twice([queue.queue_id for queue in queues], "queues", "queue_id")
    _refuse_twice([category.id for category in data.categories], "categories", "id")
    for category in data.categories:
        if category.queue is not None and category.queue not in known:
            raise ValueError(f"category {category.id!r} names the queue {category.queue!r}, which is not in queues")
    categories = {category.id for category in data.categories}
    for number, queue in enumerate(queues):
        if unknown := [each for each in queue.categories if each not in categories]:
            raise ValueError(
                f"queues.{number}.categories: queue {queue.queue_id!r} names {unknown[0]!r}, which is not in categories"
            )
    costs = Costs(**data.costs.model_dump())
    return Policy(
        categories=tuple(
            CategoryPolicy(
                category_id=c.id,
                name=c.name,
                description=c.description,
                scope=c.scope,
                needs_person=c.needs_person,
                queue=c.queue,
                target_containment=c.target_containment,
                examples=tuple(c.examples),
                costs=_own_costs(c.costs, costs),
            )
            for c in data.categories
        ),
        queues=queues or Policy().queues,
        costs=costs,
        business_hours=data.business_hours.to_policy(),
        reply_promise_minutes=data.reply_promise_minutes,
        high_tiers=tuple(data.high_tiers),
        link_hosts=tuple(host.lower() for host in data.link_hosts),
    )


def _refuse_twice(ids: list[str], place: str, name: str) -> None:
    for number, each in enumerate(ids):
        if each in ids[:number]:
            raise ValueError(f"{place}.{number}.{name}: {each!r} is there already")


def _own_costs(stated: _Costs, otherwise: Costs) -> Costs | None:
    own = stated.model_dump(exclude_unset=True)
    return replace(otherwise, **own) if own else None


def read_yaml(path: Path, *, what: str) -> Any:
    """Read a YAML file of the operator's.

    Raises:
        Misconfigured: it isn't there, isn't UTF-8 or isn't YAML.
    """
    try:
        return parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise Misconfigured(f"no {what} at {path}: check HELPGRAPH_WORKSPACE or --workspace") from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise Misconfigured(f"{path}: can't be read ({exc})") from exc
    except yaml.YAMLError as exc:
        problem = " ".join(str(exc).split())
        raise Misconfigured(f"{path}: not valid YAML ({problem})") from exc
