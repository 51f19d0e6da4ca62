"""The faults a command reports in one line: of the data or a check (1), and of the caller (2)."""


class AssentError(Exception):
    """A check stopped it. The message is one line: feed, rule, count and what to do. Exit status 1."""

    status = 1


class UnreachedError(AssentError):
    """A server does not answer, or not now: trying again later may help. Exit status 1."""


class UsageError(AssentError):
    """Wrong use of a command. Exit status 2."""

    status = 2


class RecipientsStopped(AssentError):
    """Some recipients have no package, or it did not reach them; everything else of the night is done."""
