"""A profile of tickets as tables for a terminal."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from evals.tickets.profile import TOP, CategoryProfile, Profile

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SHADES = " ▁▂▃▄▅▆▇█"
_MOST_LISTED = 8


def show(found: Profile, console: Console) -> None:
    """Print the profile."""
    days = max(1, (found.last - found.first).days + 1)
    console.print(
        f"{found.tickets} tickets from {found.first:%Y-%m-%d} to {found.last:%Y-%m-%d}, "
        f"{found.tickets / days * 7:.0f} a week",
        highlight=False,
    )
    for line in found.told:
        console.print(f"  {line}", markup=False, highlight=False)
    if found.heard:
        console.print(
            f"{found.heard} tickets without a category were given to the engine; it heard none in "
            f"{found.uncategorised}. Their volumes are estimates.",
            highlight=False,
        )
    console.print(_categories(found.categories[:TOP]))
    console.print(
        "repeats: human replies that say nearly what another one says; article: replied tickets that got the same one; "
        "person: needed one",
        style="dim",
        highlight=False,
    )
    if len(found.categories) > TOP:
        rest = sum(each.tickets for each in found.categories[TOP:])
        console.print(f"and {len(found.categories) - TOP} smaller ones with {rest} tickets", highlight=False)
    if found.proposed:
        console.print("\n[bold]Begin with[/]")
        for place, proposal in enumerate(found.proposed, 1):
            console.print(f"  {place}. {proposal.name}: {proposal.why}", markup=False, highlight=False)
    if found.clusters:
        console.print("\n[bold]What has no category[/]")
        table = Table("tickets", "words", "for example", box=None, header_style="bold")
        for cluster in found.clusters:
            table.add_row(
                str(cluster.tickets),
                ", ".join(cluster.words),
                f"{cluster.example_id}: {cluster.example}".replace("[", r"\["),
            )
        console.print(table)
    console.print(f"\n[bold]When[/] (hours of {found.timezone})")
    console.print(_hours(found))
    console.print(f"languages: {_listed(found.languages, found.tickets)}", highlight=False)
    console.print(f"channels: {_listed(found.channels, found.tickets)}", highlight=False)


def _categories(categories: tuple[CategoryProfile, ...]) -> Table:
    table = Table(box=None, header_style="bold")
    table.add_column("category", max_width=22, no_wrap=True)
    for name in ("tickets", "share", "easy/middle/hard", "repeats", "article", "person"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in categories:
        table.add_row(
            each.name,
            str(each.tickets),
            f"{each.share:.1%}",
            "/".join(f"{100 * each.complexity[level]:.0f}" for level in ("simple", "moderate", "complex")) + "%",
            f"{each.repeated.value:.0%}" if each.repeated else "-",
            "-" if each.same_article is None else f"{each.same_article:.0%}",
            "-" if each.needs_person is None else f"{each.needs_person:.0%}",
        )
    return table


def _hours(found: Profile) -> Table:
    table = Table("", "tickets", "0   3   6   9   12  15  18  21", box=None, header_style="bold")
    most = max(1, *(max(row) for row in found.hours))
    for day, row in zip(_DAYS, found.hours, strict=True):
        shades = (_SHADES[-(-count * (len(_SHADES) - 1) // most)] for count in row)
        table.add_row(
            day,
            str(sum(row)),
            "".join(f"{shade}" + (" " if hour % 3 == 2 else "") for hour, shade in enumerate(shades)),
        )
    return table


def _listed(counts: Mapping[str, int], total: int) -> str:
    listed = [f"{name} {count / total:.0%}" for name, count in list(counts.items())[:_MOST_LISTED]]
    return ", ".join(listed)
