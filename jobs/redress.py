"""Redress: what came of the disputes and reviews that people asked for, and whose clock runs out.

Part of ``notify``. 15 USC 1681i: a record that a dispute removed comes back only certified, and the person is told.
GDPR art. 22(3): a named person decides a review, and the person is told who and how.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.lake.ask import ask
from jobs.lake.letters import Letters
from jobs.lake.night import Night
from jobs.rules.disputes import CLOCK_DAYS
from jobs.rules.reviews import ALARM_DAYS, REVIEW_DAYS, Review, reviews
from schemas.contract import contracts
from schemas.tables import NOTICES

# days a dispute is open: the operator is told, ten days before it ends in the person's favour
WARNED_FROM = 20

# A record that a dispute had taken out and that counts again: certified since, or decided otherwise after its clock had
# run out. What was told of it since that dispute is not told again.
BACK_AGAIN = """
SELECT r.record_id, r.person_id, max(d.certified_by) AS certified_by, any_value(r.authority) AS authority
FROM records r LEFT JOIN records_before b USING (record_id, person_id)
LEFT JOIN disputes d ON d.feed = getvariable('feed') AND d.record_id = r.record_id AND d.person_id = r.person_id
    AND d.verdict IN ('upheld', 'rejected')
WHERE NOT r.upheld AND NOT r.disputed AND (b.upheld OR d.verdict = 'upheld') AND NOT EXISTS (
    SELECT 1 FROM told t WHERE t.kind = 'reinserted' AND t.person_id = r.person_id
    AND t.subject = getvariable('feed') || '/' || r.record_id AND t.night >= d.decided_on)
GROUP BY ALL ORDER BY record_id, person_id
"""
RECORDS = pa.schema(
    [
        ("record_id", pa.string()),
        ("person_id", pa.int64()),
        ("upheld", pa.bool_()),
        ("disputed", pa.bool_()),
        ("authority", pa.string()),
    ]
)


def disputes_of(night: Night) -> pa.Table | None:
    """Tonight's disputes and reviews, few by their nature; None where there is no such table."""
    if night.pinned("conformed/disputes") is None:
        return None
    return night.arrow("conformed/disputes", pa.schema([]))


def _records(night: Night, feed: str, version: int | None, disputed: pa.Table) -> pa.Table:
    """RECORDS of a conformed feed that have a dispute, whatever came of it."""
    if version is None:
        return RECORDS.empty_table()
    data = night.lake.dataset(f"conformed/{feed}", version)
    key = contracts()[feed].key
    columns = {"record_id": pc.field(key), **{n: pc.field(n) for n in ("person_id", "upheld", "disputed")}}
    columns["authority"] = (
        pc.field("authority") if "authority" in data.schema.names else pc.scalar(pa.scalar(None, pa.string()))
    )
    mine = (
        disputed.filter(pc.field("feed") == feed).column("record_id").combine_chunks()
    )  # typed also where empty
    return data.to_table(columns=columns, filter=pc.field(key).isin(mine)).cast(RECORDS)


def back_again(records: pa.Table, before: pa.Table, disputes: pa.Table, told: Any, feed: str) -> pa.Table:
    """``record_id, person_id, certified_by, authority`` of a feed's records that count again after a dispute.

    ``records`` and ``before`` are RECORDS of tonight and of the night before, ``told`` the notices of earlier nights.
    """
    tables = {"records": records, "records_before": before, "disputes": disputes, "told": told}
    return ask(BACK_AGAIN, tables, feed=feed)


def tell_back_again(letters: Letters) -> None:
    """A notice for each record that a dispute had removed and that counts again (1681i(a)(5)(B)(ii))."""
    night = letters.night
    disputes = disputes_of(night)
    if disputes is None or disputes.num_rows == 0:
        return
    version = night.lake.version("notices")
    told: Any = NOTICES.arrow().empty_table()
    if version is not None:
        told = night.lake.dataset("notices", version).filter(pc.field("night") < pa.scalar(night.date))
    for feed, contract in contracts().items():
        place = f"conformed/{feed}"
        if contract.mode == "append" or feed == "disputes" or night.pinned(place) is None:
            continue
        now = _records(night, feed, night.pinned(place), disputes)
        before = _records(night, feed, night.pinned_before(place), disputes)
        for r in back_again(now, before, disputes, told, feed).to_pylist():
            letters.add("reinserted", r["person_id"], f"{feed}/{r['record_id']}", {**r, "feed": feed})


def tell_reviews(letters: Letters) -> None:
    """A notice for each review that was asked for or decided in tonight's deliveries."""
    night = letters.night
    disputes = disputes_of(night)
    if disputes is None:
        return
    fresh = disputes.filter(pc.field("night") == pa.scalar(night.date)).to_pylist()
    for review in reviews(fresh, night.date):
        values = {n: getattr(review, n) for n in Review.__dataclass_fields__}
        dates = {n: v.isoformat() for n, v in values.items() if n.endswith("_on") and v is not None}
        letters.add("review", review.person_id, f"{review.purpose}/{review.recipient}", {**values, **dates})


def warn_of_clocks(night: Night) -> None:
    """Tells the operator how many disputes and reviews near the end of their clock, in counts alone."""
    disputes = disputes_of(night)
    if disputes is None:
        return
    rows = disputes.to_pylist()
    near = [r for r in rows if r["verdict"] == "open" and (night.date - r["opened_on"]).days >= WARNED_FROM]
    if near:
        night.say(
            f"disputes: {len(near)} open for {WARNED_FROM} days or more; "
            f"after {CLOCK_DAYS} without an outcome they end in the person's favour"
        )
    waiting = [r for r in reviews(rows, night.date) if r.alarming(night.date)]
    if waiting:
        late = sum(r.overdue(night.date) for r in waiting)
        past = f", {late} of them past their {REVIEW_DAYS} days" if late else ""
        night.say(
            f"reviews: {len(waiting)} wait for a named person for {ALARM_DAYS} days or more{past}; "
            "decide them and deliver outcome and certified_by in disputes"
        )
