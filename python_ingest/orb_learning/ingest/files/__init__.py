"""``orb import``: files of executions into raw, each whole or not at all."""

from orb_learning.ingest.files.importer import import_file
from orb_learning.ingest.files.ledger import known_file, record_file
from orb_learning.ingest.files.result import Counted, ImportResult

__all__ = ["Counted", "ImportResult", "import_file", "known_file", "record_file"]
