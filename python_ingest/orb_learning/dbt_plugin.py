"""The plugin by the name that profiles.yml gives."""

from orb_learning.dbt.plugin import Plugin as Plugin
