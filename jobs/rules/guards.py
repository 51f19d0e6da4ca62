"""Guards of a register: how much of it a night may change before a person has looked (RULES, "Orders").

A guard never keeps somebody listed whom the law takes out: it makes additions and changes wait, and of the removals
it holds back only those that a broken source would also make (:data:`DOUBTFUL`).
"""

from __future__ import annotations

from dataclasses import dataclass

from jobs.rules.floor import SHARE_FROM, WIDEST_GUARDS

# Causes that a fault of the source looks like: a mass of them may be an outage, not a mass of corrections.
DOUBTFUL = ("correction", "source_withdrew")


@dataclass(frozen=True)
class Guards:
    """Bounds of a register: entries it holds, and additions and removals a night, as a number and as a share.

    A share is of the entries of the recipient's last package, and counts from :data:`SHARE_FROM` of them on: half of
    four is no mass.
    """

    least: int = 0
    most: int = int(WIDEST_GUARDS["most"])
    adds: int = int(WIDEST_GUARDS["adds"])
    adds_share: float = WIDEST_GUARDS["adds_share"]
    removes: int = int(WIDEST_GUARDS["removes"])
    removes_share: float = WIDEST_GUARDS["removes_share"]


@dataclass(frozen=True)
class Counts:
    """What a night would do to a register if all of it went out: numbers of entries."""

    before: int
    after: int
    adds: int
    changes: int
    removes: int
    doubtful: int  # of the removals, those for one of DOUBTFUL that no person decided on


@dataclass(frozen=True)
class Tripped:
    """A guard that is outside its bound: its name, what was found, the bound, and whether it holds removals back."""

    guard: str
    found: int
    bound: int
    holds_removals: bool

    def __str__(self) -> str:
        return f"{self.guard} {self.found} (allowed {self.bound})"


def tripped(guards: Guards, counts: Counts) -> tuple[Tripped, ...]:
    """The guards outside their bounds, in the order of :class:`Guards`; shares are told as numbers of entries."""
    found = []
    if counts.after < guards.least:
        found.append(Tripped("least", counts.after, guards.least, True))
    if counts.after > guards.most:
        found.append(Tripped("most", counts.after, guards.most, False))
    share = {
        "adds": int(guards.adds_share * counts.before),
        "removes": int(guards.removes_share * counts.before),
    }
    for kind, number, bound in (
        ("adds", counts.adds, guards.adds),
        ("removes", counts.removes, guards.removes),
    ):
        for name, limit in ((kind, bound), (f"{kind}_share", share[kind])):
            if number > limit and (name == kind or counts.before >= SHARE_FROM):
                holds = kind == "removes" and counts.doubtful > limit
                found.append(Tripped(name, number, limit, holds))
    return tuple(found)
