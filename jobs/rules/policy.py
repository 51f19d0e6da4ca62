"""The policy, compiled: what may be joined and sent, held against the floor before any data is read."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from jobs.errors import AssentError
from jobs.rules import floor
from jobs.rules.guards import Guards
from schemas.contract import IDENTITY_NAMES, contracts

REGISTER_COLUMNS = frozenset(
    "national_id family_name given_name birth_date authority legal_basis case_number ordered_on served_on "
    "objection_until expires_on debt_minor currency".split()
)
Pair = tuple[str, str, str]  # purpose, source, recipient
RETENTION = ("landing_days", "quarantine_days", "unconsented_days")
NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
CURRENCY = re.compile(r"[A-Z]{3}")


class PolicyError(AssentError):
    """A policy or scorecard asks for more than the floor allows, or cannot be read. Names file and line."""


@dataclass(frozen=True)
class Purpose:
    """One purpose: sources it may join, who may receive its score, consents live only if granted from ``since``."""

    name: str
    required: tuple[str, ...]
    sources: tuple[str, ...]
    recipients: tuple[str, ...]
    since: dt.date


@dataclass(frozen=True)
class Register:
    """One register: its feed and kind (floor), recipient, authorities, statute in years, exported columns, guards."""

    name: str
    feed: str
    kind: str
    recipient: str
    authorities: tuple[str, ...]
    statute_years: int
    statute_source: str
    columns: tuple[str, ...]
    guards: Guards = field(default_factory=Guards)


@dataclass(frozen=True)
class Sending:
    """How scores and notices leave. Each key may be left out of the policy; the default is the careful one.

    ``bands_used``: recipient -> bands whose lowest score it acts on (a fall below one is an adverse action), all but
    the lowest where it is not named. ``new_consents_share``: of the consents live tonight; more new ones stop the
    export of scores until a person approves. ``pages``: whether each notice is also written as a page.
    """

    operator: str = "the operator of this service"
    contact: str = "the address that your consent names"
    bands_used: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    new_consents_share: float = floor.NEW_CONSENTS_SHARE
    pages: bool = True


@dataclass(frozen=True)
class Policy:
    """The compiled policy. ``sha256`` is of the file's bytes."""

    currency: str
    national_id: str
    language: str
    purposes: dict[str, Purpose]
    registers: dict[str, Register]
    retention: dict[str, int]
    dispute_extensions: tuple[str, ...]
    sha256: str
    path: str
    sending: Sending = field(default_factory=Sending)

    def pairs(self) -> list[Pair]:
        """Every allowed purpose × source × recipient."""
        return [(p.name, s, r) for p in self.purposes.values() for s in p.sources for r in p.recipients]


class Located:
    """A parsed YAML mapping that knows the line of each key, for errors with file and line."""

    def __init__(self, node: Any, path: str) -> None:
        self.node, self.path = node, path

    def fail(self, key: Any, message: str, node: Any = None) -> PolicyError:
        """The error for a key of a mapping or an index of a sequence, to be raised by the caller."""
        node = self.node if node is None else node
        try:
            where: Any = node.lc
            place = where.key(key)[0] if isinstance(node, dict) else where.item(key)[0]
        except (AttributeError, KeyError, TypeError):
            place = getattr(getattr(node, "lc", None), "line", 0) or 0
        return PolicyError(f"{self.path}:{place + 1}: {message}")


def parse(text: str, path: str) -> Located:
    """The YAML mapping of a file with its lines; PolicyError when it is not one."""
    try:
        node = YAML(typ="rt").load(io.StringIO(text))
    except MarkedYAMLError as e:
        line = e.problem_mark.line + 1 if e.problem_mark else 1
        raise PolicyError(f"{path}:{line}: not valid YAML: {e.problem}; mend the file") from None
    except (YAMLError, ValueError) as e:
        said = str(e).splitlines()[0]
        raise PolicyError(f"{path}:1: not valid YAML: {said}; mend the file") from None
    if not isinstance(node, dict):
        raise PolicyError(f"{path}:1: not a mapping; mend the file")
    return Located(node, path)


def pairs_in(node: Mapping[str, Any]) -> frozenset[Pair]:
    """Every purpose × source × recipient in the text of a policy that once held, whatever the floor says today."""
    return frozenset(
        (str(p), str(s), str(r))
        for p, purpose in node["purposes"].items()
        for s in purpose["sources"]
        for r in purpose["recipients"]
    )


def allowed_since(
    policy: Policy, before: Sequence[tuple[dt.date, frozenset[Pair]]], night: dt.date
) -> dict[Pair, dt.date]:
    """Since when a consent to each allowed pair may have been granted.

    ``before`` are the earlier published nights with the pairs of their policies, oldest first. What the first of them
    allowed counts from the purpose's ``since``; a pair that was added later from the night that first had it: a consent
    granted before never becomes live (RULES, "Consents").
    """
    found = {}
    for pair in policy.pairs():
        since = policy.purposes[pair[0]].since
        if before and pair not in before[0][1]:
            since = max(since, next((n for n, pairs in before if pair in pairs), night))
        found[pair] = since
    return found


def _known(doc: Located, node: Any, allowed: frozenset[str] | set[str], what: str) -> None:
    for key in node:
        if key not in allowed:
            raise doc.fail(
                key,
                f"{what} {key!r} is outside the floor (allowed: {', '.join(sorted(allowed))}); remove it",
                node,
            )


def _strings(doc: Located, node: Any, key: str) -> tuple[str, ...]:
    value = node.get(key)
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise doc.fail(key, f"{key} must be a list of words", node)
    if twice := sorted({v for v in value if value.count(v) > 1}):
        raise doc.fail(key, f"{key} names {twice[0]} twice; name it once", node)
    return tuple(str(v) for v in value)


def _recipients(doc: Located, node: Any, key: str, names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not NAME.fullmatch(name):
            raise doc.fail(
                key, f"recipient {name!r} must be small letters, digits and hyphens: it names a folder", node
            )
        if word := floor.denied_word(name):
            raise doc.fail(key, f"recipient {name!r} has the denied word {word!r}; remove it", node)
    return names


def _in_range(value: Any, most: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most


def _mapping(doc: Located, key: str) -> Any:
    value = doc.node.get(key)
    if not isinstance(value, dict):
        raise doc.fail(key, f"{key} must be a mapping")
    return value


def _purpose(doc: Located, name: str, node: Any) -> Purpose:
    limits = floor.PURPOSES[name]
    if not isinstance(node, dict):
        raise doc.fail(name, f"purpose {name} must be a mapping", doc.node["purposes"])
    _known(doc, node, {"since", "sources", "recipients", "law"}, "key")
    sources = _strings(doc, node, "sources")
    for source in sources:
        if source not in limits["sources"]:
            raise doc.fail("sources", f"{name} may never read {source}; remove it", node)
    for source in limits["required"]:
        if source not in sources:
            raise doc.fail("sources", f"{name} needs {source}; add it or remove the purpose", node)
    if "traffic" in sources and not node.get("law"):
        raise doc.fail("sources", f"{name} reads traffic and names no law (GDPR art. 10); add law:", node)
    since = node.get("since")
    if not isinstance(since, dt.date) or isinstance(since, dt.datetime):
        raise doc.fail("since", f"{name} needs since: <date from which consents count>", node)
    recipients = _recipients(doc, node, "recipients", _strings(doc, node, "recipients"))
    return Purpose(name, limits["required"], sources, recipients, since)


def _guards(doc: Located, name: str, node: Any) -> Guards:
    """The guards of a register; what is not named is as wide as the floor lets it be."""
    given = node.get("guards") or {}
    if not isinstance(given, dict):
        raise doc.fail("guards", f"{name}: guards must be a mapping", node)
    _known(doc, given, {"least", *floor.WIDEST_GUARDS}, "guard")
    for key, value in given.items():
        widest = floor.WIDEST_GUARDS.get(key)
        number = int | float if key.endswith("_share") else int
        sound = isinstance(value, number) and not isinstance(value, bool) and value >= 0
        if not sound or (widest is not None and value > widest):
            most = "" if widest is None else f" and at most {widest}"
            raise doc.fail(key, f"{name}: guard {key} must be a number from 0 on{most}", given)
    numbers: dict[str, Any] = {k: float(v) if k.endswith("_share") else int(v) for k, v in given.items()}
    guards = dataclasses.replace(Guards(), **numbers)
    if guards.least > guards.most:
        raise doc.fail("least", f"{name}: guard least is above most", given)
    return guards


def _register(doc: Located, name: str, node: Any) -> Register:
    if not isinstance(node, dict):
        raise doc.fail(name, f"register {name} must be a mapping", doc.node["registers"])
    _known(
        doc,
        node,
        {"recipient", "authorities", "statute_years", "statute_source", "columns", "guards"},
        "key",
    )
    recipient, years = node.get("recipient"), node.get("statute_years")
    if not isinstance(recipient, str):
        raise doc.fail("recipient", f"{name} needs one recipient", node)
    _recipients(doc, node, "recipient", (recipient,))
    if not _in_range(years, floor.LONGEST_STATUTE_YEARS[name]):
        raise doc.fail(
            "statute_years", f"{name}: statute_years must be 1..{floor.LONGEST_STATUTE_YEARS[name]}", node
        )
    if not node.get("statute_source"):
        raise doc.fail("statute_source", f"{name} names no source of its statute; add statute_source:", node)
    columns = _strings(doc, node, "columns")
    feed, kind = floor.REGISTERS[name]
    held = REGISTER_COLUMNS & {*IDENTITY_NAMES, *contracts()[feed].names}
    for column in columns:
        if column not in held:
            raise doc.fail(
                "columns",
                f"column {column!r} may not be sent from {feed} (allowed: {', '.join(sorted(held))}); remove it",
                node,
            )
    if len(set(columns)) < len(columns):
        raise doc.fail("columns", f"{name} names a column twice; remove one", node)
    return Register(
        name,
        feed,
        kind,
        recipient,
        _strings(doc, node, "authorities"),
        years,
        node["statute_source"],
        columns,
        _guards(doc, name, node),
    )


def _sending(doc: Located, recipients: set[str]) -> Sending:
    """The keys of :class:`Sending`; PolicyError for a recipient or band that is none, or a share beyond the floor."""
    found: dict[str, Any] = {}
    if "operator" in doc.node:
        node = _mapping(doc, "operator")
        _known(doc, node, {"name", "contact"}, "key")
        for key, name in (("name", "operator"), ("contact", "contact")):
            if not isinstance(node.get(key), str) or not node[key].strip():
                raise doc.fail(key, f"operator needs {key}: who answers a person who was rated", node)
            found[name] = str(node[key])
    if "bands_used" in doc.node:
        node, bands = _mapping(doc, "bands_used"), {}
        for recipient in node:
            if recipient not in recipients:
                raise doc.fail(recipient, f"{recipient} receives no score; remove it", node)
            words = _strings(doc, node, recipient)
            if not words or not set(words) <= set(floor.BANDS[:-1]):
                raise doc.fail(
                    recipient,
                    f"bands of {recipient} must be of {', '.join(floor.BANDS[:-1])}, one at least",
                    node,
                )
            bands[str(recipient)] = words
        found["bands_used"] = bands
    if "new_consents_share" in doc.node:
        share = doc.node["new_consents_share"]
        most = floor.LARGEST_NEW_CONSENTS_SHARE
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= most:
            raise doc.fail("new_consents_share", f"new_consents_share must be 0..{most}")
        found["new_consents_share"] = float(share)
    if "notice_pages" in doc.node:
        if not isinstance(doc.node["notice_pages"], bool):
            raise doc.fail("notice_pages", "notice_pages must be true or false")
        found["pages"] = doc.node["notice_pages"]
    return Sending(**found)


def compile_policy(text: str, path: str) -> Policy:
    """The policy in a file's text, or PolicyError with file and line where it widens the floor."""
    doc = parse(text, path)
    known = {
        "version",
        "currency",
        "national_id",
        "language",
        "purposes",
        "registers",
        "retention",
        "dispute_extensions",
        "operator",
        "bands_used",
        "new_consents_share",
        "notice_pages",
    }
    _known(doc, doc.node, known, "key")
    purposes, registers = _mapping(doc, "purposes"), _mapping(doc, "registers")
    _known(doc, purposes, set(floor.PURPOSES), "purpose")
    _known(doc, registers, set(floor.REGISTERS), "register")
    compiled = {n: _purpose(doc, n, node) for n, node in purposes.items()}
    listed = {n: _register(doc, n, node) for n, node in registers.items()}
    roles: dict[str, str] = {}
    for p in compiled.values():
        for r in p.recipients:
            if roles.setdefault(r, p.name) != p.name:
                raise doc.fail(
                    p.name, f"recipient {r} may serve one purpose, has {roles[r]} and {p.name}", purposes
                )
    for g in listed.values():
        if g.recipient in roles:
            raise doc.fail(
                g.name, f"recipient {g.recipient} receives scores and may never receive a register", registers
            )
    retention = _mapping(doc, "retention")
    _known(doc, retention, set(RETENTION), "retention")
    for key, days in retention.items():
        if not _in_range(days, floor.LONGEST[key]):
            raise doc.fail(key, f"{key} must be 1..{floor.LONGEST[key]}", retention)
    for key in ("currency", "national_id", "language"):
        if not isinstance(doc.node.get(key), str):
            raise doc.fail(key, f"{key} must be a word")
    if not CURRENCY.fullmatch(doc.node["currency"]):
        raise doc.fail("currency", "currency must be an ISO 4217 code, three capitals")
    doc.node.setdefault("dispute_extensions", [])
    return Policy(
        currency=doc.node["currency"],
        national_id=doc.node["national_id"],
        language=doc.node["language"],
        purposes=compiled,
        registers=listed,
        retention={k: int(retention.get(k, floor.LONGEST[k])) for k in RETENTION},
        dispute_extensions=_strings(doc, doc.node, "dispute_extensions"),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        path=path,
        sending=_sending(doc, set(roles)),
    )
