"""``orb import``: files of executions into raw, each whole or not at all."""

from orb_learning.ingest.files.importer import ImportResult, import_file
from orb_learning.ingest.files.ledger import known_file, record_file

__all__ = ["ImportResult", "import_file", "known_file", "record_file"]
