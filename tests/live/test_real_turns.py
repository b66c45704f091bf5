"""Whole turns with a real, very small model: it isn't clever, and must be handled.

What the model says differs from build to build, so nothing is asserted of its wit: only that every turn ends in an
answer, a question or a person, that each sentence said stands in the articles, and that nothing broke.
"""

import time
from pathlib import Path

import pytest

from graphs.asking import AskBody, ask
from graphs.assembly import open_runtime
from graphs.settings import load_settings
from tests.live.harness import ROOT, Endpoint

pytestmark = pytest.mark.live

QUESTIONS = [
    ("How do I cancel the plan?", "/settings/billing"),
    ("Where do I download receipts?", None),
    ("How can I invite a member?", None),
    ("Wie setze ich mein Passwort zurück?", None),
    ("¿Cómo registro el tiempo?", None),
    ("What plan am I on, and how many seats are left?", None),
    ("My timer stopped working and shows an error", None),
    ("Can I get a refund? I want to talk to a person", None),
    ("Thanks, bye!", None),
]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("judges", ["never", "always"])
async def test_every_turn_ends_well(
    endpoint: Endpoint, tmp_path: Path, model_cache: Path, judges: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "models").symlink_to(model_cache)
    settings = load_settings(
        workspace=ROOT / "examples" / "orrery",
        data_dir=tmp_path,
        model=endpoint.model,
        model_url=endpoint.url,
        model_key=endpoint.key,
        model_temperature=0.0,
        model_judges=judges,
        # Two slow cores write here: the clocks are those of a patient customer.
        model_first_token_s=60,
        model_token_gap_s=20,
        model_call_s=100,
        model_judgement_s=60,
        model_turn_s=150,
        model_max_tokens=160,
        turn_timeout_s=200,
    )
    ended = []
    async with open_runtime(settings) as runtime:
        assert runtime.workspace.articles is not None
        await runtime.knowledge.ingest(runtime.workspace.articles)
        for question, page in QUESTIONS if judges == "never" else QUESTIONS[-4:]:
            began = time.perf_counter()
            asked = await ask(runtime, AskBody(question=question, page=page, account="acct_001"))
            took = time.perf_counter() - began
            ended.append((asked.outcome, bool(asked.answer.strip()), "Traceback" in asked.answer))
            report = asked.engine_report
            with capsys.disabled():
                print(
                    f"\n{question}\n  {asked.outcome} in {took:.1f} s, {report['calls']} calls, "
                    f"{report['input_tokens']} + {report['output_tokens']} tokens, fell back: "
                    f"{[f['ability'] + ' ' + f['reason'] for f in report['fallbacks']]}\n  {asked.answer[:300]!r}"
                )

    assert {outcome for outcome, _, _ in ended} <= {"answered", "asked", "bug_filed", "bug_counted", "handed_off"}
    assert all(said for _, said, _ in ended)
    assert not any(broken for _, _, broken in ended)
