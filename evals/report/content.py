"""What a report is made of, gathered once for its HTML, Markdown and JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.policy import Policy
from agent.wire import JsonObject
from evals.report.baseline import Baseline
from evals.report.choosing import Survey
from evals.scoring.summary import Summary


@dataclass(frozen=True, slots=True)
class Content:
    """All of it but the cases. `titles` are those of articles, by id; an article without one goes by its id."""

    summary: Summary
    survey: Survey
    manifest: JsonObject
    policy: Policy
    baseline: Baseline | None
    titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Whose run it is."""
        workspace = self.manifest.get("workspace", {})
        return str(workspace.get("name") or workspace.get("workspace_id") or "a workspace")

    @property
    def days(self) -> str:
        """When its tickets were created."""
        first, last = self.survey.first_day, self.survey.last_day
        return str(first) if first == last else f"{first} to {last}"

    def to_json(self) -> JsonObject:
        """As `report.json` holds it."""
        return {
            "format": 1,
            "summary": self.summary.to_json(),
            "verdicts": dict(self.survey.verdicts),
            "first_day": self.survey.first_day,
            "last_day": self.survey.last_day,
            "baseline": self.baseline.to_json() if self.baseline is not None else None,
            "manifest": self.manifest,
        }
