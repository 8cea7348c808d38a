"""What goes wrong while a file is read, as an error that names the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from orb_learning.errors import ImportFileError


@contextmanager
def read_errors(file: Path) -> Iterator[None]:
    """Turn what goes wrong while a file is read into an ImportFileError.

    Errors about the disk and the database's own file stay what they are, and so do errors in our
    SQL, which no file should cause.

    Raises:
        ImportFileError: names the file and what is wrong.
    """
    try:
        yield
    except OSError as error:
        raise ImportFileError(
            f"{file} cannot be read: {error.strerror or error}; check its permissions and its disk"
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise ImportFileError(
            f"{file} has a value, a record, or a page or dictionary of Parquet, that needs more "
            f"memory than an import takes; write it anew in smaller records, Parquet in smaller "
            f"row groups. "
            f"{str(error).splitlines()[0]}"
        ) from error
    except (
        duckdb.BinderException,
        duckdb.CatalogException,
        duckdb.ParserException,
        duckdb.TransactionException,
    ):
        raise
    except (duckdb.InternalException, duckdb.FatalException) as error:
        raise ImportFileError(
            f"{file} has a value at which DuckDB fails, so nothing of it was loaded: "
            f"{str(error).splitlines()[0]}"
        ) from error
    except duckdb.Error as error:
        text = str(error)
        if "No space left" in text or "not enough space" in text.lower():
            raise
        raise ImportFileError(
            f"{file} is damaged, incomplete, or not what its name's ending says: "
            f"{text.splitlines()[0]}; copy it again from where it came from"
        ) from error
