"""Who may use the server over HTTP: the tokens of a file, each of a user."""

from __future__ import annotations

import hmac
from pathlib import Path

from mcp.server.auth.provider import AccessToken

from orb_learning.errors import McpServerError

SHORTEST_TOKEN = 16


class Tokens:
    """Tells whose a token is; the SDK's TokenVerifier.

    Args:
        users: the user of each token.
    """

    def __init__(self, users: dict[str, str]):
        self._users = {token.encode(): user for token, user in users.items()}

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return who has the token, or None."""
        given = token.encode(errors="surrogatepass")
        found = None
        for known, user in self._users.items():  # all of them, so that the time tells nothing
            if hmac.compare_digest(known, given):
                found = user
        return None if found is None else AccessToken(token=token, client_id=found, scopes=[])


def read_tokens(file: Path) -> Tokens:
    """Read a file with a user and a token on each line; lines that begin with # are skipped.

    Raises:
        McpServerError: it cannot be read, others may read it, or a line is not of that form.
    """
    try:
        mode = file.stat().st_mode
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise McpServerError(f"the tokens cannot be read: {error}") from error
    if mode & 0o077:
        raise McpServerError(f"others may read the tokens: run `chmod 600 {file}`")
    users: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match line.split():
            case [user, token] if len(token) >= SHORTEST_TOKEN and token not in users:
                users[token] = user
            case _:
                raise McpServerError(
                    f"{file}, line {number}: it must be a user and a token of at least "
                    f"{SHORTEST_TOKEN} characters, each token once; `openssl rand -hex 32` "
                    f"makes one"
                )
    if not users:
        raise McpServerError(f"{file} holds no token: write a line `USER TOKEN` for each user")
    return Tokens(users)
