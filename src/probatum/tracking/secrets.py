"""Credentials are for the store alone: nothing that is shown, recorded or sent holds them."""

from __future__ import annotations

import re

_USER_INFO = re.compile(r"(?<=://)[^/\s@'\"]+@")
_SECRET = re.compile(r"token|secret|password|passwd|credential|api_?key|access_?key", re.IGNORECASE)


def without_credentials(text: str) -> str:
    """Return a text in which no address holds a user or a password.

    Example:
        >>> without_credentials("at https://ada:lovelace@host:5000/x")
        'at https://host:5000/x'
    """
    return _USER_INFO.sub("", text)


def is_secret(name: str) -> bool:
    """Return whether a name announces a secret, as in `hub_token`; a count of tokens is none.

    Example:
        >>> is_secret("data.api_key"), is_secret("train.max_tokens")
        (True, False)
    """
    last = name.rpartition(".")[2]
    return bool(_SECRET.search(re.sub(r"tokens|tokeni[sz]", "", last, flags=re.IGNORECASE)))
