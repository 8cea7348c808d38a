"""``orb import``: files of executions into raw, each whole or not at all."""

from orb_learning.importing.importer import ImportResult, import_file
from orb_learning.importing.ledger import file_sha256, known_file, record_file

__all__ = ["ImportResult", "file_sha256", "import_file", "known_file", "record_file"]
