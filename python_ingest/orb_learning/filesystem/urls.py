"""What may be shown of a URL: its user information and its query may be secrets."""

from __future__ import annotations

import re
from urllib.parse import unquote

_URL = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*:/{1,2})([^\s'\"]+)")
"""One slash as well: a path shortens two."""


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_SECRET_WORD = re.compile(r"(password|secret|token)\s*=", re.IGNORECASE)


def is_url(text: str) -> bool:
    """Whether a text begins as URLs do, and as names of databases that an extension would open."""
    return _SCHEME.match(text) is not None


def names_a_secret(text: str) -> bool:
    """Whether a text has a word of a connection string that gives a secret: ``password=…``."""
    return _SECRET_WORD.search(text) is not None


def public_value(value: object) -> str:
    """Return a setting's value as an error may show it; of what follows a scheme, only a place."""
    if isinstance(value, str) and (scheme := _SCHEME.match(value)) and "://" not in value:
        return repr(f"{scheme[0]}…")
    if isinstance(value, str) and names_a_secret(value):
        return repr("…")
    return without_secrets(repr(value))


def public_url(url: str) -> str:
    """Return a URL without its user information, query and parameters; another text as it is."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url
    place = re.split(r"[?#;]", rest, maxsplit=1)[0] if "@" not in rest else rest
    place = place.rpartition("@")[2]
    return f"{scheme}://{re.split(r'[?#;]', place, maxsplit=1)[0]}"


def without_secrets(text: str, *urls: str | None) -> str:
    """Return a text without the user information and query of any URL in it.

    Args:
        text: an error's, a message's.
        urls: whose secrets are in no form in it: not alone and not decoded either.
    """
    for url in filter(None, urls):
        text = text.replace(url, public_url(url))
        for secret in sorted(_secrets_of(url), key=len, reverse=True):
            text = text.replace(secret, "…")
    return _URL.sub(lambda found: _public_part(*found.groups()), text)


def _public_part(scheme: str, rest: str) -> str:
    before, mark, after = rest.rpartition("@")
    return scheme + re.sub(r"\?[^)\]};,]*|;[^)\]};,]+", "", after if mark else rest or before)


def _secrets_of(url: str) -> set[str]:
    rest = url.partition("://")[2]
    user, _, place = rest.rpartition("@")
    query = "".join(re.split(r"[?#;]", place, maxsplit=1)[1:])
    secrets = {user, user.partition(":")[2], query}
    secrets |= {part.partition("=")[2] for part in re.split("[&;]", query)}
    return {form for secret in secrets for form in (secret, unquote(secret)) if len(form) > 2}
