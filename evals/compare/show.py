"""A comparison for people at a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from evals.compare.comparison import Change, Comparison, TicketChange
from evals.compare.folders import Differing
from evals.compare.gate import Checked

_IDS = 20
_WIDEST = 250
_SAYS = {
    "better": "[green]better[/]",
    "worse": "[red]worse[/]",
    "bought": "[yellow]bought[/]",
    "cannot_tell": "can't tell",
    "mixed": "[yellow]better and worse[/]",
    "passed": "[green]passed[/]",
    "dropped": "[red]dropped[/]",
    "too_few": "[yellow]can't tell[/]",
}


def show_comparison(
    comparison: Comparison, differs: Sequence[Differing], console: Console, *, same_run: bool = False
) -> None:
    """Print it: what differs, the metrics, what it cost in missed people, and which tickets."""
    if same_run:
        console.print("the same run twice: there is nothing to compare", highlight=False)
    for each in differs:
        console.print(f"differs: {escape(each.name)}: {escape(each.before)} -> {escape(each.after)}", highlight=False)
    left = (
        (comparison.left_out, "broke down or leaked in one run"),
        (comparison.only_before, "only in the first"),
        (comparison.only_after, "only in the second"),
    )
    beside = "".join(f", {count} {what}" for count, what in left if count)
    console.print(f"{comparison.tickets} tickets of {comparison.customers} customers in both{beside}", highlight=False)
    heads = ("before", "after", "change", "95 % interval", "n", "+", "-", "McNemar", "")
    # Names that are cut would be one another's, and a number in two lines is read wrong: better a wide table.
    table = Table(*(Column(head, no_wrap=True) for head in ("metric", *heads)), box=None)
    for change in (*_headlines(comparison), *_others(comparison)):
        table.add_row(*_row(change))
    width = console.width
    console.width = max(width, console.measure(table, options=console.options.update_width(_WIDEST)).maximum)
    console.print(table, crop=False)
    console.width = width
    _show_missed(comparison, console)
    _show_tickets("better", comparison.better, console)
    _show_tickets("worse", comparison.worse, console)
    console.print(f"all in all: {'the same run' if same_run else _SAYS[comparison.verdict]}")


def show_gate(checked: Sequence[Checked], console: Console) -> None:
    """Print a gate's results."""
    for each in checked:
        console.print(f"gate {each.metric}: {_SAYS[each.result]} ({escape(each.why)})", highlight=False, soft_wrap=True)


def _headlines(comparison: Comparison) -> list[Change]:
    return [change for change in comparison.changes if change.headline]


def _others(comparison: Comparison) -> list[Change]:
    return [change for change in comparison.changes if not change.headline and change.difference.value]


def _row(change: Change) -> tuple[str, ...]:
    difference = change.difference
    said = _SAYS[change.verdict] if change.verdict else ""
    if change.price:
        said += f" with {', '.join(change.price)}"
    if change.verdict == "cannot_tell":
        said += f" (below {difference.detectable:.3f})"
    paired = change.mcnemar is not None
    return (
        change.name,
        f"{change.before:.3f}",
        f"{change.after:.3f}",
        f"{difference.value:+.3f}",
        escape(f"[{difference.low:+.3f}, {difference.high:+.3f}]"),
        str(difference.n),
        str(change.gained) if paired else "",
        str(change.lost) if paired else "",
        f"{change.mcnemar:.3f}" if change.mcnemar is not None else "",
        said,
    )


def _show_missed(comparison: Comparison, console: Console) -> None:
    """Beside every gain in containment stand the people who should have got a person and no longer do."""
    newly, no_longer = comparison.newly_missed, comparison.no_longer_missed
    console.print(
        f"needed a person: {len(newly)} newly missed, {len(no_longer)} no longer missed"
        + (f"; newly missed: {_ids(newly)}" if newly else ""),
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _show_tickets(what: str, tickets: Sequence[TicketChange], console: Console) -> None:
    if not tickets:
        return
    console.print(f"{len(tickets)} tickets {what}:", highlight=False)
    for each in tickets[:_IDS]:
        said = f"  {each.ticket_id}  {each.cost:+g}  {each.before} -> {each.after}"
        console.print(said, highlight=False, markup=False)
    if len(tickets) > _IDS:
        console.print(f"  and {len(tickets) - _IDS} more (--json has them all)", highlight=False)


def _ids(ticket_ids: Sequence[str]) -> str:
    return ", ".join(ticket_ids[:_IDS]) + (f" and {len(ticket_ids) - _IDS} more" if len(ticket_ids) > _IDS else "")
