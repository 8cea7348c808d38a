"""User information and queries leave a URL before it is in any text."""

from __future__ import annotations

import pytest

from orb_learning.filesystem.urls import public_url, without_secrets


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("/var/backups", "/var/backups"),
        ("s3://bucket/a", "s3://bucket/a"),
        ("sftp://ada:pa55@host/a", "sftp://host/a"),
        ("sftp://ada:p@/5?5@host/a?b=c", "sftp://host/a"),
        ("https://host/a?sig=5ecret#x", "https://host/a"),
        ("az://c/a;AccountKey=5ecret", "az://c/a"),
        ("https://host/a#5ecret", "https://host/a"),
        ("simplecache::s3://key:5ecret@bucket/a?b=c", "simplecache::s3://bucket/a"),
        ("ada@host", "ada@host"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert public_url(url) == shown
    assert without_secrets(f"no {url}: gone", url) == f"no {shown}: gone"


def test_secrets_leave_a_text_in_every_form() -> None:
    url = "https://ada:pa%2F55@host/a?sig=5ecr%20et"
    for text in ("ada:pa/55 refused", "sig=5ecr et", "pa%2F55", repr(url), "5ecr%20et", "'pa/55'"):
        shown = without_secrets(text, url)
        assert "55" not in shown
        assert "5ecr" not in shown
    unknown = without_secrets("cannot open 'ftp://eve:hunter2@h/x?k=v' (ftp:/eve:hunter2@h/x)")
    assert without_secrets("no https://h/x?a=b;k=v;w=u; go on") == "no https://h/x; go on"
    assert unknown == "cannot open 'ftp://h/x' (ftp:/h/x)"
