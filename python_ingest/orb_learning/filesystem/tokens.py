"""A file of tokens, each of a user, which nobody else may read."""

from __future__ import annotations

import shlex
from pathlib import Path

SHORTEST_TOKEN = 16


def read_token_users(file: Path) -> dict[str, str]:
    """Return the user of each token: a user and a token on each line, # begins a comment.

    Raises:
        ValueError: it cannot be read, others may read it, or a line is not of that form.
    """
    try:
        mode = file.stat().st_mode
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the tokens cannot be read: {error}") from error
    if mode & 0o077:
        raise ValueError(f"others may read the tokens: run `chmod 600 {shlex.quote(str(file))}`")
    users: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match line.split():
            case [user, token] if len(token) >= SHORTEST_TOKEN and token not in users:
                users[token] = user
            case _:
                raise ValueError(
                    f"{file}, line {number}: it must be a user and a token of at least "
                    f"{SHORTEST_TOKEN} characters, each token once; `openssl rand -hex 32` "
                    f"makes one"
                )
    if not users:
        raise ValueError(f"{file} holds no token: write a line `USER TOKEN` for each user")
    return users
