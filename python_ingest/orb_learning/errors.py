"""Every error that this package raises on purpose, under one root."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MALFORMED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What Python raises of a value that is not what it should be, where a stranger chose the value."""


class OrbError(Exception):
    """The root: its message says what failed, where, and what to do."""


class SettingsError(OrbError):
    """A setting is unknown, of the wrong type, or out of its range."""


class DatabaseError(OrbError):
    """The database file cannot be used as it is."""


class DatabaseMissingError(DatabaseError):
    """There is no database file to read."""


class DatabaseLockedError(DatabaseError):
    """Another process kept the database for longer than the caller would wait."""


class NotADatabaseError(DatabaseError):
    """The file is not a database that this version of DuckDB can open."""


class NewerDatabaseError(DatabaseError):
    """The database was written by a newer version of this package or of DuckDB."""


class NotOnALakeError(DatabaseError):
    """What was asked for is done on a file, and not on a lake."""


class LakeError(DatabaseError):
    """The lake's catalog, its data or an extension cannot be used as it is."""


class DiskFullError(DatabaseError):
    """The disk had no room; the transaction was rolled back."""


class ImportFileError(OrbError):
    """A file cannot be imported; nothing of it was loaded."""


class OutboxError(OrbError):
    """The outbox cannot be loaded as it is."""


class LoaderBusyError(OutboxError):
    """Another loader drained the outbox for longer than the caller would wait."""


class DeadLetterError(OrbError):
    """There is no such dead letter, or it cannot be replayed."""


class NotBuiltError(DatabaseError):
    """A relation or a column is missing: nothing was built, or by another version."""


class ReaderPoolTimeoutError(DatabaseError):
    """All connections of the pool were in use for longer than the caller would wait."""


class ExecutionRefusedError(OrbError):
    """An execution was not stored: it is no record, or the outbox did not take it."""


class FeedbackError(OrbError):
    """Feedback was not taken: a rule is broken, it is switched off, or the outbox refused it."""


class EmbeddingError(OrbError):
    """Texts cannot be embedded: a model or a package is missing, or is not what it should be."""


class VectorIndexError(OrbError):
    """The index of vectors cannot be built or written; search does without it."""


class DbtError(OrbError):
    """A dbt command failed."""


class ArchiveError(OrbError):
    """An archived day cannot be used as it is; nothing was changed."""


class BackupError(OrbError):
    """A backup cannot be made, found or copied; the database is as it was."""


class InvalidBackupError(BackupError):
    """A backup is damaged, or not what it was when it was made."""


class RestoreError(BackupError):
    """A backup was not restored; the present database is as it was."""


class MaintenanceError(OrbError):
    """A step of the maintenance did what it could, and that is not all that it should."""


class MaintenanceBusyError(OrbError):
    """Another run of the maintenance is at work."""


class McpServerError(OrbError):
    """The MCP server cannot be started as it is."""


class CollectorError(OrbError):
    """The collector of spans cannot be started as it is."""


class QueryRefusedError(OrbError):
    """A query from outside may not run, or took too much."""


class ExportError(OrbError):
    """The copy for reading cannot be written."""


class PageError(OrbError):
    """The page cannot be made or written."""


def did_you_mean(name: str, known: Iterable[str], *, likeness: float = 0.7) -> str:
    """Return the known name that is nearest to a wrong one, as a question; empty if none is.

    Args:
        name: the wrong one.
        known: those that there are.
        likeness: the least likeness, 0 to 1, by which one may be meant by the other.
    """
    nearest = get_close_matches(name, list(known), n=1, cutoff=likeness)
    return f"; did you mean {nearest[0]}?" if nearest else ""
