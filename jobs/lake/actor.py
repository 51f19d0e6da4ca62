"""Who looks or decides, and when: the one clock of the project, for what has no night."""

from __future__ import annotations

import datetime as dt
import os
import pwd


def actor() -> str:
    """The operating-system user, from the process and not from a variable that anybody may set."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def moment() -> dt.datetime:
    """The time (UTC) of a look or a decision. No published table holds it."""
    return dt.datetime.now(dt.UTC)
