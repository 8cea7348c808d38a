"""The rules of executions, as dbt_project.yml defines them."""

from __future__ import annotations

from orb_learning.settings import LearningSettings


def rejecting_rules(settings: LearningSettings) -> dict[str, str]:
    """Return the rules whose breach rejects an execution: by name, the SQL that a valid one holds.

    Empty where there is no project in the settings' folder, or nothing that reads YAML.
    """
    try:
        import yaml
    except ImportError:
        return {}
    file = settings.project_path / "dbt_project.yml"
    if not file.is_file():
        return {}
    rules = yaml.safe_load(file.read_text("utf-8"))["vars"]["execution_rules"]
    return {name: rule["holds"] for name, rule in rules.items() if rule["on_break"] == "reject"}
