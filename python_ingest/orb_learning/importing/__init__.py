"""``orb import``: files of executions into raw, each whole or not at all."""

from orb_learning.importing.importer import ImportResult, import_file
from orb_learning.importing.ledger import known_file, record_file

__all__ = ["ImportResult", "import_file", "known_file", "record_file"]
