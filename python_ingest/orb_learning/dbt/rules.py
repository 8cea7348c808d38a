"""The rules of executions, as dbt_project.yml defines them."""

from __future__ import annotations

from orb_learning.dbt.project import find_project
from orb_learning.errors import DbtError
from orb_learning.settings import LearningSettings


def rejecting_rules(settings: LearningSettings) -> dict[str, str]:
    """Return the rules whose breach rejects an execution: by name, the SQL that a valid one holds.

    Empty where there is no project, or nothing that reads YAML.
    """
    try:
        import yaml
    except ImportError:
        return {}
    try:
        file = find_project(settings) / "dbt_project.yml"
    except DbtError:
        return {}
    rules = yaml.safe_load(file.read_text("utf-8"))["vars"]["execution_rules"]
    return {name: rule["holds"] for name, rule in rules.items() if rule["on_break"] == "reject"}
