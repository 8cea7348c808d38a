"""What an index of vectors holds, as it was noted when it was written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from orb_learning.filesystem import read_regular

FORMAT = 1
MANIFEST = "manifest.json"


class UnusableError(Exception):
    """Why an index is not used."""


@dataclass(frozen=True)
class IndexManifest:
    """Which rows the index holds, and in which file."""

    format: int
    model: str
    database_id: str
    last_number: int
    """The largest text_number that the index knows."""
    row_count: int
    """The model's rows up to there, those without a vector too."""
    fingerprint: int
    vector_count: int
    measured_count: int
    """Vectors for which the breadth of its search was chosen; 0 if it compares all."""
    file: str
    file_sha256: str

    def text(self) -> str:
        """Return it as it is written, with its own SHA-256."""
        fields = asdict(self)
        return json.dumps(fields | {"manifest_sha256": _digest(fields)}, indent=2)


def read_manifest(folder: Path) -> IndexManifest:
    """Return the manifest of the index in a folder.

    Raises:
        UnusableError: there is none, it is of another version, or it is not as it was written.
    """
    try:
        kept = json.loads(read_regular(folder / MANIFEST))
        if kept["format"] != FORMAT:
            raise UnusableError("it is of another version of this package")
        if kept.pop("manifest_sha256") != _digest(kept):
            raise UnusableError("its manifest is damaged")
        manifest = IndexManifest(**kept)
        if Path(manifest.file).name != manifest.file:
            raise UnusableError("its manifest names a file elsewhere")
        return manifest
    except FileNotFoundError:
        raise UnusableError("there is none; `orb index` builds it") from None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise UnusableError(f"its manifest is damaged: {error}") from error


def _digest(fields: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
