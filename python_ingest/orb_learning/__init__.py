"""The learning database of an orchestrator of AI agents.

Executions come in through Python, are checked and summed up by dbt in one DuckDB file,
and are read as marts. Nothing is opened or imported that a caller does not use.
"""
