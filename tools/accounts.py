"""Accounts from a JSON file: the lookup a team starts with, before a CRM is connected."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from agent.errors import Misconfigured
from agent.ports import NoArguments, ToolContext, ToolOffer
from agent.types import (
    AccountFacts,
    ClockOrder,
    Identity,
    IdentityLevel,
    Source,
    ToolCall,
    ToolResult,
    Untrusted,
)

_TEXT_LIMIT = 200


class _Order(BaseModel):
    model_config = ConfigDict(extra="ignore")
    order_id: str
    status: str
    ordered_on: str
    expected_on: str | None = None
    carrier: str | None = None
    tracking: str | None = None
    items: Any = ""


class _Event(BaseModel):
    at: str
    text: str


class _User(BaseModel):
    user_id: str
    name: str
    email: str
    role: str


class AccountRecord(BaseModel):
    """An account as the file has it. Fields we don't use are allowed and ignored."""

    model_config = ConfigDict(extra="ignore")
    account_id: str
    name: str
    plan: str | None = None
    tier: str | None = None
    billing_status: str | None = None
    renewal_on: str | None = None
    seats: int | None = None
    seats_used: int | None = None
    health: float | None = None
    open_tickets: int | None = None
    recent_events: list[_Event] = []
    clock_orders: list[_Order] = []
    users: list[_User] = []


@dataclass(frozen=True, slots=True)
class AccountUser:
    """A user of an account, for pages that let one choose who to be."""

    user_id: str
    account_id: str
    name: str
    account_name: str
    plan: str | None


class FileAccounts:
    """Implements `AccountLookup` over a list of records held in memory."""

    def __init__(self, records: list[AccountRecord]) -> None:
        self._by_account = {record.account_id: record for record in records}
        self._by_user = {user.user_id: record for record in records for user in record.users}

    def __bool__(self) -> bool:
        """Whether there is any account to look up."""
        return bool(self._by_account)

    @classmethod
    def load(cls, path: Path) -> "FileAccounts":
        """Read the accounts file; a missing file is an empty list.

        Raises:
            Misconfigured: the file is not JSON or an account lacks what it needs.
        """
        if not path.exists():
            return cls([])
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(data, dict):
                data = data.get("accounts")
            return cls(TypeAdapter(list[AccountRecord]).validate_python(data))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as exc:
            raise Misconfigured(f"{path}: not readable as JSON ({exc})") from exc
        except ValidationError as exc:
            first = exc.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise Misconfigured(f"{path}: {where}: {first['msg']}") from exc

    def users(self) -> list[AccountUser]:
        """Every user, in the file's order."""
        return [
            AccountUser(user.user_id, record.account_id, user.name, record.name, record.plan)
            for record in self._by_account.values()
            for user in record.users
        ]

    def user(self, user_id: str) -> AccountUser | None:
        """One user by id."""
        return next((user for user in self.users() if user.user_id == user_id), None)

    async def facts(self, identity: Identity) -> AccountFacts | None:
        """Return the verified user's account; nothing at all for anyone else."""
        if identity.level is not IdentityLevel.VERIFIED:
            return None
        record = self._record(identity)
        if record is None:
            return None
        role = next((user.role for user in record.users if user.user_id == identity.user_id), None)
        return AccountFacts(
            account_id=record.account_id,
            name=Untrusted.of(record.name, Source.ACCOUNT, limit=_TEXT_LIMIT),
            plan=record.plan,
            tier=record.tier,
            billing_status=record.billing_status,
            renewal_on=record.renewal_on,
            seats=record.seats,
            seats_used=record.seats_used,
            health=record.health,
            user_role=role,
            recent_events=tuple(
                Untrusted.of(f"{event.at}: {event.text}", Source.ACCOUNT, limit=_TEXT_LIMIT)
                for event in record.recent_events[:10]
            ),
            orders=tuple(
                ClockOrder(
                    order_id=order.order_id,
                    status=order.status,
                    ordered_on=order.ordered_on,
                    expected_on=order.expected_on,
                    carrier=order.carrier,
                    tracking=order.tracking,
                    items=order.items if isinstance(order.items, str) else json.dumps(order.items),
                )
                for order in record.clock_orders
            ),
            open_tickets=record.open_tickets,
        )

    def _record(self, identity: Identity) -> AccountRecord | None:
        """Find by user first; an account id alone is enough only when no user is named."""
        if identity.user_id is not None:
            record = self._by_user.get(identity.user_id)
            if record is not None and identity.account_id not in (None, record.account_id):
                return None
            return record
        return self._by_account.get(identity.account_id or "")


class AccountStatusTool:
    """Plan, billing status, renewal and seats of the customer's own account."""

    offer = ToolOffer(
        "account_status",
        "Look up the customer's own plan, billing status, renewal date and seats. Takes no arguments.",
        NoArguments,
    )

    def __init__(self, accounts: FileAccounts) -> None:
        self._accounts = accounts

    async def call(self, call: ToolCall, arguments: NoArguments, context: ToolContext) -> ToolResult:
        """Read the account that the session belongs to."""
        facts = await self._accounts.facts(context.identity)
        if facts is None:
            return ToolResult(call.call_id, self.offer.name, ok=False, facts={}, error="no verified account")
        found = {
            "plan": facts.plan,
            "billing_status": facts.billing_status,
            "renewal_on": facts.renewal_on,
            "seats": facts.seats,
            "seats_used": facts.seats_used,
            "role": facts.user_role,
        }
        return ToolResult(
            call.call_id,
            self.offer.name,
            ok=True,
            facts={name: str(value) for name, value in found.items() if value is not None},
        )


class OrderStatusTool:
    """The newest order of the customer's own account."""

    offer = ToolOffer(
        "order_status",
        "Look up the customer's own newest order: status, carrier, tracking, expected date. Takes no arguments.",
        NoArguments,
    )

    def __init__(self, accounts: FileAccounts) -> None:
        self._accounts = accounts

    async def call(self, call: ToolCall, arguments: NoArguments, context: ToolContext) -> ToolResult:
        """Read the orders that belong to the session's account."""
        facts = await self._accounts.facts(context.identity)
        if facts is None:
            return ToolResult(call.call_id, self.offer.name, ok=False, facts={}, error="no verified account")
        if not facts.orders:
            return ToolResult(call.call_id, self.offer.name, ok=True, facts={"orders": "0"})
        newest = max(facts.orders, key=lambda order: order.ordered_on)
        found = {
            "orders": str(len(facts.orders)),
            "order_id": newest.order_id,
            "status": newest.status,
            "ordered_on": newest.ordered_on,
            "expected_on": newest.expected_on,
            "carrier": newest.carrier,
            "tracking": newest.tracking,
        }
        return ToolResult(
            call.call_id,
            self.offer.name,
            ok=True,
            facts={name: str(value) for name, value in found.items() if value is not None},
        )
