"""`helpgraph ask`: one question, its answer, and how it came about."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from graphs.asking import AskBody, Asked, ask
from graphs.assembly import find_server, open_runtime
from graphs.running import RunningServer
from graphs.settings import Settings, load_settings
from tools.observing.logs import set_up_logging


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ask")(ask_command)


def ask_command(
    question: Annotated[str, typer.Argument(help="What the customer would write.")],
    page: Annotated[str | None, typer.Option(help="The route they are on, e.g. /settings/billing.")] = None,
    account: Annotated[str | None, typer.Option(help="The account they are signed in to, e.g. acct_001.")] = None,
    workspace: Annotated[Path | None, typer.Option(help="Workspace folder. [env: HELPGRAPH_WORKSPACE]")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder. [env: HELPGRAPH_DATA_DIR]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Ask one question; prints the answer, its citations, the signals and the path through the graph.

    Nothing is logged, no bug is filed, nobody is notified. Beside a running server the question
    goes through that server, which owns the index.
    """
    set_up_logging("warning")
    settings = load_settings(workspace=workspace, data_dir=data_dir)
    asked = asyncio.run(_ask(settings, AskBody(question=question, page=page, account=account)))
    if as_json:
        typer.echo(asked.model_dump_json(indent=2))
        return
    _show(asked, Console())


async def _ask(settings: Settings, body: AskBody) -> Asked:
    server: RunningServer | None = find_server(settings)
    if server is not None:
        return Asked.model_validate(await server.post("/v1/admin/ask", body.model_dump()))
    async with open_runtime(settings) as runtime:
        if not (await runtime.knowledge.status()).articles:
            typer.echo("there are no articles to answer from: fill it with: helpgraph ingest PATH", err=True)
        return await ask(runtime, body)


def _show(asked: Asked, console: Console) -> None:
    console.print(Markdown(asked.answer or "*(nothing is said; a person has the conversation)*"))
    for citation in asked.citations:
        where = " › ".join(part for part in (citation["title"], citation["section"]) if part)
        console.print(f"  [{citation['n']}] {where}  {citation['url'] or ''}".rstrip(), markup=False)
    if asked.guidance:
        steps = ", ".join(step["element_id"] for step in asked.guidance["steps"])
        console.print(f"  points at: {steps}", markup=False)
    if asked.handoff:
        console.print(
            f"  handoff: {asked.handoff['reason']} → {asked.handoff['queue_id']} ({asked.handoff['priority']})",
            markup=False,
        )
    console.print()
    console.print(f"outcome   {asked.outcome}    engine {asked.engine}", markup=False)
    _show_engine(asked, console)
    console.print(f"path      {' → '.join(asked.path)}", markup=False)
    heard = asked.decision.get("understanding", {})
    if heard:
        console.print(
            f"heard     {heard['kind']} {heard['kind_confidence']:.2f} · {heard['category']} "
            f"{heard['category_confidence']:.2f} · {heard['language']} · sentiment {heard['sentiment']:+.2f}",
            markup=False,
        )
        console.print(f"evidence  {asked.evidence['probability']:.2f}", markup=False)
    _show_reasons(asked, console)


def _show_engine(asked: Asked, console: Console) -> None:
    told = asked.engine_report
    if told.get("calls"):
        cost = f", cost {told['cost']:.4f}" if told["cost"] else ""
        console.print(
            f"model     {told['model']}: {told['calls']} calls, {told['input_tokens']} tokens in, "
            f"{told['output_tokens']} out{cost}",
            markup=False,
        )
    for fallback in told.get("fallbacks", ()):
        console.print(f"fallback  {fallback['ability']}: {fallback['reason']}, by the local engine", markup=False)


def _show_reasons(asked: Asked, console: Console) -> None:
    if asked.decision.get("reasons"):
        table = Table("signal", "value", "weight", "towards", box=None, header_style="bold")
        for reason in asked.decision["reasons"]:
            value = f"{reason['value']:.2f}" if isinstance(reason["value"], float) else str(reason["value"])
            table.add_row(reason["name"], value, f"{reason['weight']:.2f}", reason["towards"])
        console.print(table)
    if asked.decision.get("expected_cost"):
        costs = "  ".join(f"{route} {cost:.2f}" for route, cost in asked.decision["expected_cost"].items())
        console.print(f"expected cost  {costs}", markup=False)
