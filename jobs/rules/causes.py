"""What changed a score between two nights: records, time, feeds, consents, scorecard and policy.

Pure, over what each night knew of one person (:class:`Known`). A cause names the features that it may have moved, and
what no cause explains is said (:func:`unexplained`), so that a change without a cause cannot hide. Sources: GDPR art.
15(1)(h), FCRA 15 USC 1681g(f); the rules themselves stand in ``counting``, ``disputes``, ``doubt`` and ``consent``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.rules.dates import WINDOW_MONTHS, anniversary, months_back, whole_months
from jobs.rules.floor import FEATURES_BY_SOURCE, LONGEST, ORDER_FEEDS

Row = Mapping[str, Any]
JUDGMENT = ("judgments_unsatisfied", "judgments_satisfied", "months_since_judgment")


@dataclass(frozen=True)
class Cause:
    """One cause: its code (``schemas.reasons.CHANGE_CAUSES``), the delivered row behind it, what it may have moved.

    ``source`` is the source of the application that counts otherwise now (None: all of it). ``record_id`` is a record
    of ``feed``; ``file`` and ``row_number`` are where the row that says so was delivered, which of a dispute is the
    dispute's and of a doubt the refused row's. ``before`` and ``after`` are versions, or months of the window.
    """

    cause: str
    source: str | None = None
    feed: str | None = None
    record_id: str | None = None
    file: str | None = None
    row_number: int | None = None
    features: tuple[str, ...] = ()
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True)
class Known:
    """What a published night knew of one person.

    ``records``: feed -> key -> current record as conformed, of the feeds but transactions. ``bookings``: those of the
    features' window by ``transaction_id``, with ``struck`` (None, ``disputed`` or ``upheld``). ``disputes``: conformed,
    with ``verdict``. ``consents``: conformed consents by id. ``declared``: every accepted row of ``consents``.
    ``refused``: rows of quarantine: ``feed, record_key, kind, contested, night, file, row_number``. ``fresh``: feed ->
    usable in scores; ``own_fresh``: whether its own last delivery is. ``pairs``: (purpose, source, recipient) -> since.
    """

    night: dt.date
    records: Mapping[str, Mapping[str, Row]] = field(default_factory=dict)
    bookings: Mapping[str, Row] = field(default_factory=dict)
    disputes: tuple[Row, ...] = ()
    consents: Mapping[str, Row] = field(default_factory=dict)
    declared: tuple[Row, ...] = ()
    refused: tuple[Row, ...] = ()
    fresh: Mapping[str, bool] = field(default_factory=dict)
    own_fresh: Mapping[str, bool] = field(default_factory=dict)
    pairs: Mapping[tuple[str, str, str], dt.date] = field(default_factory=dict)
    born: dt.date | None = None


# -- records
def entered(feed: str, row: Row) -> tuple[str, ...]:
    """The features that a record of a feed may enter."""
    if feed == "court":
        return {"money_judgment": JUDGMENT, "insolvency": ("insolvencies",)}.get(row["kind"], ())
    if feed == "traffic":
        if row["kind"] == "driving_disqualification":
            return ("driving_disqualifications",)
        return (f"penalty_points_{row['severity']}",)
    return FEATURES_BY_SOURCE[feed]


def limits(feed: str, row: Row) -> tuple[dt.date, ...]:
    """The days from which a record is too old for a score; of a tax year counted from its assessment."""
    kind = {
        "court": "insolvency" if row.get("kind") == "insolvency" else "judgment",
        "traffic": f"traffic_{row.get('severity')}",
        "tax": "tax",
    }.get(feed)
    starts = [row.get("ordered_on"), row.get("assessed_on")]
    return tuple(anniversary(d, LONGEST[f"{kind}_score_years"]) for d in starts if d is not None and kind)


def _counts_no_more(feed: str, row: Row | None, night: dt.date) -> bool:
    """Whether there is no record, or one that is too old for every feature, whatever becomes of it."""
    return row is None or ((ends := limits(feed, row)) != () and max(ends) <= night)


def _stayed(row: Row, night: dt.date) -> bool:
    since, until = row.get("stayed_from"), row.get("stayed_until")
    return bool(since or until) and (since is None or since <= night) and (until is None or until >= night)


def _by_time(feed: str, old: Row, new: Row, before: dt.date, after: dt.date) -> Iterator[str]:
    """What the calendar alone did to a record; of dates that a revision changed nothing is said here."""

    def kept(*columns: str) -> bool:
        return all(old.get(c) == new.get(c) for c in columns)

    if kept("ordered_on", "assessed_on") and any(before < end <= after for end in limits(feed, new)):
        yield "record_obsolete"
    if feed not in ORDER_FEEDS:
        return
    objection = new.get("objection_until")
    if kept("objection_until") and objection is not None and before <= objection < after:
        yield "objection_over"
    if kept("expires_on") and (end := new.get("expires_on")) is not None and before <= end < after:
        yield "order_ended"
    if kept("stayed_from", "stayed_until") and _stayed(old, before) != _stayed(new, after):
        yield "stay_began" if _stayed(new, after) else "stay_ended"


def _flags(old: Row, new: Row) -> Iterator[str]:
    """What disputes and doubt did to a record or a consent."""
    if new["upheld"] and not old["upheld"]:
        yield "dispute_upheld"
    elif new["disputed"] and not old["disputed"]:
        yield "record_disputed"
    if old["upheld"] and not new["upheld"]:
        yield "record_restored"
    elif old["disputed"] and not new["disputed"] and not new["upheld"]:
        yield "dispute_ended"
    if new["in_doubt"] != old["in_doubt"]:
        yield "record_in_doubt" if new["in_doubt"] else "doubt_ended"


def said_by(code: str, feed: str, record: str, row: Row, before: Known, after: Known) -> Row:
    """The delivered row behind a cause: of a dispute its own row, of a doubt the refused one, else the record's."""
    if code in ("record_disputed", "dispute_upheld", "dispute_ended", "record_restored"):
        was = {d["dispute_id"]: d.get("verdict") for d in before.disputes}
        mine = [
            d for d in after.disputes if (d["feed"], d["record_id"]) == (feed, record) and d.get("verdict")
        ]
        moved = [d for d in mine if was.get(d["dispute_id"]) != d["verdict"]]
        return max(moved or mine, key=lambda d: (d["night"], d["dispute_id"]), default=row)
    if code == "record_in_doubt":
        found = [r for r in after.refused if (r["feed"], r["record_key"]) == (feed, record)]
        return max(found, key=lambda r: (r["night"], r["file"], r["row_number"]), default=row)
    return row


def cause_of(code: str, feed: str, record: str | None, row: Row, features: Iterable[str] = ()) -> Cause:
    """A cause with the place of its row."""
    return Cause(code, None, feed, record, row["file"], row["row_number"], tuple(features))


def of_records(feed: str, before: Known, after: Known) -> Iterator[Cause]:
    """Causes among the current records of a feed that both nights could read, each with what it may enter."""
    old, new = before.records.get(feed, {}), after.records.get(feed, {})
    for key in sorted({*old, *new}):
        a, b = new.get(key), old.get(key)
        if _counts_no_more(feed, b, before.night) and _counts_no_more(feed, a, after.night):
            continue
        if a is None or b is None:
            if a is not None:
                yield cause_of("record_new", feed, key, a, entered(feed, a))
            elif b is not None:
                yield cause_of("record_gone", feed, key, b, entered(feed, b))
            continue
        may = tuple(dict.fromkeys((*entered(feed, b), *entered(feed, a))))
        if (a["file"], a["row_number"]) != (b["file"], b["row_number"]):
            yield cause_of("record_revised", feed, key, a, may)
        for code in (*_flags(b, a), *_by_time(feed, b, a, before.night, after.night)):
            yield cause_of(code, feed, key, said_by(code, feed, key, a, before, after), may)


def of_bookings(before: Known, after: Known) -> Iterator[Cause]:
    """Causes among the bookings of the window, and the window itself."""
    every = FEATURES_BY_SOURCE["transactions"]
    month_before, month_after = (n.night.strftime("%Y-%m") for n in (before, after))
    if month_before != month_after:
        yield Cause("window_moved", features=every, before=month_before, after=month_after)
    since = months_back(after.night, WINDOW_MONTHS)
    for key in sorted({*before.bookings, *after.bookings}):
        a, b = after.bookings.get(key), before.bookings.get(key)
        if b is not None and b["booked_on"] < since:
            continue  # it left with the window
        if a is None or b is None:
            if a is not None and a["struck"] is None:
                yield cause_of("record_new", "transactions", key, a, every)
            elif b is not None:
                yield cause_of("record_gone", "transactions", key, b, every)
            continue
        flags = [
            {k: row["struck"] == k for k in ("disputed", "upheld")} | {"in_doubt": False} for row in (b, a)
        ]
        for code in _flags(*flags):
            yield cause_of(
                code, "transactions", key, said_by(code, "transactions", key, a, before, after), every
            )


# feed -> the feature that counts time since a record, from which day, in how many months
SINCE = {
    "court": ("months_since_judgment", "ordered_on", 1),
    "education": ("years_since_award", "awarded_on", 12),
}


def of_time(
    feed: str, before: Known, after: Known, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Cause]:
    """A feature that counts time since a record: the record that both nights hold, and that gave both values."""
    if feed in SINCE:
        feature, column, unit = SINCE[feed]
        for key, row in sorted(after.records.get(feed, {}).items()):
            since = row.get(column)
            if key not in before.records.get(feed, {}) or since is None or feature not in entered(feed, row):
                continue
            then, now = (whole_months(since, n.night) // unit for n in (before, after))
            if then != now and (old.get(feature), new.get(feature)) == (then, now):
                yield cause_of("time_passed", feed, key, row, (feature,))


# -- feeds
def of_feed(source: str, before: Known, after: Known) -> Iterator[Cause]:
    """A source that became late, or came back: by its own delivery, or by that of disputes (RULES, "Orders")."""
    if before.fresh[source] == after.fresh[source]:
        return
    code = "feed_back" if after.fresh[source] else "feed_late"
    feeds = (source, "disputes") if source in ORDER_FEEDS else (source,)
    for feed in feeds:
        if before.own_fresh[feed] != after.own_fresh[feed]:
            yield Cause(code, feed=feed, features=FEATURES_BY_SOURCE[source])
