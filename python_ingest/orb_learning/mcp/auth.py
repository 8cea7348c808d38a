"""Who may use the server over HTTP: the tokens of a file, each of a user."""

from __future__ import annotations

import hmac
from pathlib import Path

from mcp.server.auth.provider import AccessToken

from orb_learning.errors import McpServerError
from orb_learning.filesystem import read_token_users


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
    """Read a file of tokens, as ``read_token_users`` does.

    Raises:
        McpServerError: it cannot be read, others may read it, or a line is not of that form.
    """
    try:
        return Tokens(read_token_users(file))
    except ValueError as error:
        raise McpServerError(str(error)) from error
