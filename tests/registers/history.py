"""120 nights of orders, and what RULES says of each on each night, in plain Python: nothing of the pipeline's code.

Orders are told as revisions with the night that took them; a reference decides night by night from the same revisions.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field

START, NIGHTS = dt.date(2026, 1, 1), 120
FRESH = {"court": 3, "tax": 35, "traffic": 3, "disputes": 2}
# nights on which a feed delivers nothing; what happens meanwhile comes with the next delivery
OUTAGES = {"court": range(40, 48), "traffic": range(60, 66), "disputes": range(78, 83), "tax": range(90, 93)}
AUTHORITY = {"court": "Demo Court", "tax": "Demo Tax Office", "traffic": "Demo Traffic Police"}
# register: feed, kind, weight, statute in years, needs an end, needs a debt
REGISTERS = {
    "judgment_debts": ("court", "money_judgment", 8, 6, False, True),
    "insolvencies": ("court", "insolvency", 3, 10, False, False),
    "director_disqualifications": ("court", "director_disqualification", 3, 15, True, False),
    "procurement_debarments": ("court", "procurement_debarment", 3, 5, True, False),
    "tax_debts": ("tax", "final_determination", 4, 10, False, True),
    "driving_disqualifications": ("traffic", "driving_disqualification", 4, 10, True, False),
}
ORDER = (
    "authority legal_basis ordered_on served_on objection_until appeal_lodged_on appeal_decided_on appeal_outcome "
    "stayed_from stayed_until satisfied_on set_aside_on expires_on debt_minor kind status"
).split()
CAUSES = {
    "set_aside": "set_aside",
    "satisfied": "satisfied",
    "expired": "expiry",
    "disputed": "dispute",
    "stayed": "stay",
    "appealed": "appeal",
}


def day(n: int) -> dt.date:
    return START + dt.timedelta(days=n)


def years_later(d: dt.date, years: int) -> dt.date:
    return d.replace(year=d.year + years, day=28 if (d.month, d.day) == (2, 29) else d.day)


@dataclass(frozen=True)
class Revision:
    night: int
    at: dt.datetime
    person: int
    cells: dict


@dataclass
class Order:
    feed: str
    key: str
    revisions: list[Revision] = field(default_factory=list)


@dataclass
class History:
    orders: list[Order] = field(default_factory=list)
    disputes: list[dict] = field(default_factory=list)  # one row a revision of a dispute
    refused: list[dict] = field(default_factory=list)  # rows in quarantine that fill a date
    erased: dict[int, int] = field(default_factory=dict)  # person: night
    dead: dict[int, int] = field(default_factory=dict)
    contested: dict[int, int] = field(default_factory=dict)


def taken(feed: str, n: int) -> int:
    """The night that takes what happened by night n: the next on which the feed delivers."""
    while n in OUTAGES[feed]:
        n += 1
    return n


def identity(person: int) -> dict:
    """Four people share a name, and two of them the birth date too: only the id tells namesakes apart."""
    group = person // 4
    return {
        "national_id": f"ID{person:05}",
        "family_name": f"Name{group}",
        "birth_date": dt.date(1960 + group % 40, 1, 1 + (person % 4) // 2),
    }


def invent(seed: int, orders: int, people: int) -> History:
    rng = random.Random(seed)
    told = History()
    names = list(REGISTERS)
    for number in range(orders):
        name = rng.choices(names, [REGISTERS[n][2] for n in names])[0]
        feed, kind, _, statute, _, _ = REGISTERS[name]
        order = Order(feed, f"{feed[:2]}{number:04}")
        person = rng.randrange(people)
        first = rng.choice((0, 0, rng.randrange(1, 100)))
        ordered = day(first) - dt.timedelta(days=rng.randrange(70, 1500))
        cells = dict.fromkeys(ORDER) | {
            "authority": AUTHORITY[feed],
            "legal_basis": "s. 1",
            "ordered_on": ordered,
            "served_on": ordered + dt.timedelta(days=20),
            "objection_until": ordered + dt.timedelta(days=50),
            "debt_minor": rng.randrange(1, 99) * 1000,
            "kind": kind if feed != "tax" else None,
            "status": kind if feed == "tax" else None,
            "expires_on": day(rng.randrange(150, 900)),
        }
        events: list[tuple[int, dict]] = [(first, {})]
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            t = rng.randrange(first + 1, NIGHTS - 1)
            later = min(t + rng.randrange(1, 25), NIGHTS - 1)
            plot = rng.choice(PLOTS)
            plot(rng, told, order, cells, events, person, t, later, people, statute)
        who = person
        for n, changed in sorted(events, key=lambda e: e[0]):
            changed = dict(changed)
            who = changed.pop("person", who)
            late, before = changed.pop("late", 0), changed.pop("before", 0)
            cells = cells | changed
            night = taken(feed, n + late)
            at = dt.datetime.combine(day(n - before), dt.time(6), dt.UTC) + dt.timedelta(
                seconds=len(order.revisions)
            )
            if night < NIGHTS:
                order.revisions.append(Revision(night, at, who, dict(cells)))
        told.orders.append(order)
    for person in rng.sample(range(people), 12):
        which = rng.choice((told.erased, told.dead, told.contested))
        which[person] = rng.randrange(10, 110)
    # rows of an erased person that come later are refused at the door
    for order in told.orders:
        order.revisions = [r for r in order.revisions if r.night <= told.erased.get(r.person, NIGHTS)]
    told.disputes = [d for d in told.disputes if d["night"] <= told.erased.get(d["person"], NIGHTS)]
    return told


# -- what can happen to an order: each adds events (night, changed cells), disputes or refused rows
def late_service(rng, told, order, cells, events, person, t, later, people, statute):
    cells |= {"served_on": None, "objection_until": None}
    over = day(t) + dt.timedelta(days=rng.randrange(0, 9))
    events.append((t, {"served_on": day(t - 2), "objection_until": over}))


def paid(rng, told, order, cells, events, person, t, later, people, statute):
    events.append(
        (t, rng.choice(({"satisfied_on": day(t - 1)}, {"satisfied_on": day(t)}, {"debt_minor": 0})))
    )


def paid_in_error(rng, told, order, cells, events, person, t, later, people, statute):
    events += [(t, {"satisfied_on": day(t)}), (later, {"satisfied_on": None})]


def annulled(rng, told, order, cells, events, person, t, later, people, statute):
    events.append((t, {"set_aside_on": day(t)}))


def stay(rng, told, order, cells, events, person, t, later, people, statute):
    begins = day(t) + dt.timedelta(days=rng.randrange(0, 4))
    ends = begins + dt.timedelta(days=rng.randrange(0, 12))
    events.append((t, {"stayed_from": begins, "stayed_until": rng.choice((ends, None))}))
    events.append((later, {"stayed_from": None, "stayed_until": None}))


def appeal(rng, told, order, cells, events, person, t, later, people, statute):
    outcome = rng.choice(("dismissed", "allowed", "varied", None))
    events.append((t, {"appeal_lodged_on": day(t)}))
    events.append((later, {"appeal_decided_on": day(later - 1), "appeal_outcome": outcome}))
    if outcome == "varied":
        after = min(later + 5, NIGHTS - 1)
        clear = {"appeal_lodged_on": None, "appeal_decided_on": None, "appeal_outcome": None}
        events.append((after, clear | {"debt_minor": 500}))


def appeal_again(rng, told, order, cells, events, person, t, later, people, statute):
    cells |= {
        "appeal_lodged_on": day(t - 60),
        "appeal_decided_on": day(t - 30),
        "appeal_outcome": "dismissed",
    }
    events.append((t, {"appeal_lodged_on": day(t)}))


def ends(rng, told, order, cells, events, person, t, later, people, statute):
    cells["expires_on"] = day(t)


def prescribed(rng, told, order, cells, events, person, t, later, people, statute):
    d = day(t)
    cells["ordered_on"] = d.replace(year=d.year - statute)
    cells["served_on"] = cells["ordered_on"] + dt.timedelta(days=9)
    cells["objection_until"] = cells["ordered_on"] + dt.timedelta(days=30)


def lacking(rng, told, order, cells, events, person, t, later, people, statute):
    what = rng.choice(({"legal_basis": None}, {"authority": "Tribunal of Elsewhere"}, {"authority": None}))
    events += [(t, what), (later, {"legal_basis": "s. 1", "authority": AUTHORITY[order.feed]})]


def another_kind(rng, told, order, cells, events, person, t, later, people, statute):
    kinds = {
        "court": ("money_judgment", "insolvency", "director_disqualification", "procurement_debarment"),
        "traffic": ("penalty_points",),
        "tax": ("paid", "arrears", "instalments", "assessed"),
    }[order.feed]
    column = "status" if order.feed == "tax" else "kind"
    events += [(t, {column: rng.choice(kinds)}), (later, {column: cells[column]})]


def namesake(rng, told, order, cells, events, person, t, later, people, statute):
    other = person // 4 * 4 + (person + 1) % 4
    events.append((t, {"person": other if other < people else person}))


def old_news(rng, told, order, cells, events, person, t, later, people, statute):
    """A revision of long before, delivered late: accepted, never current."""
    events.append((t, {"satisfied_on": day(t - 90), "before": 80}))
    events.append((t, {"satisfied_on": None}))


def dispute(rng, told, order, cells, events, person, t, later, people, statute):
    who = rng.choice(
        (person, person, person, person // 4 * 4)
    )  # now and then a namesake, whose word counts for nothing
    certified = rng.choice((None, None, "registrar"))
    key = f"d{len(told.disputes)}"
    one = {"dispute_id": key, "feed": order.feed, "record_id": order.key, "person": who, "opened_on": day(t),
           "resolved_on": None, "outcome": None, "certified_by": certified}  # fmt: skip
    told.disputes.append({**one, "night": taken("disputes", t), "at": t})
    outcome = rng.choice(("upheld", "rejected", "corrected", None))
    if outcome:
        done = {"resolved_on": day(later - 1), "outcome": outcome}
        night = taken("disputes", later)
        if night < NIGHTS:
            told.disputes.append({**one, **done, "night": night, "at": later})
        if rng.random() < 0.5:
            events.append((min(later + rng.randrange(0, 6), NIGHTS - 1), {"debt_minor": 700}))


def refused_row(rng, told, order, cells, events, person, t, later, people, statute):
    """A row in quarantine that fills a date; a newer revision mends it, or nothing does."""
    column = rng.choice(("satisfied_on", "set_aside_on", "stayed_from", "appeal_lodged_on"))
    told.refused.append({"night": taken(order.feed, t), "feed": order.feed, "key": order.key, "person": person,
                         "column": column, "at": rng.choice((day(t), None))})  # fmt: skip
    if rng.random() < 0.6:
        events.append((later, {"debt_minor": 900}))


PLOTS = (late_service, paid, paid_in_error, annulled, stay, stay, appeal, appeal, appeal_again, ends, prescribed, lacking,
         another_kind, namesake, old_news, dispute, dispute, refused_row)  # fmt: skip


# -- the reference: RULES, order by order and night by night
def fresh(feed: str, n: int) -> bool:
    def good(f: str) -> bool:
        return any(m not in OUTAGES[f] for m in range(max(0, n - FRESH[f]), n + 1))

    return good(feed) and good("disputes")


def current(told: History, order: Order, n: int) -> tuple[Revision | None, bool]:
    """The version that counts on night n, and whether any version ever was a final determination."""
    seen = [
        r
        for r in order.revisions
        if r.night <= n and not (told.erased.get(r.person, NIGHTS) <= n and r.night <= told.erased[r.person])
    ]
    ever = any(r.cells["status"] == "final_determination" for r in seen)
    return (max(seen, key=lambda r: r.at) if seen else None), ever


def dispute_says(told: History, order: Order, now: Revision, n: int) -> tuple[bool, bool]:
    """(disputed, upheld) of the version ``now`` on night n."""
    d, revised = day(n), now.at.date()
    last: dict[str, dict] = {}
    for row in told.disputes:
        gone = told.erased.get(row["person"], NIGHTS) <= n
        older = last.get(row["dispute_id"], {"at": -1})
        if row["night"] <= n and not gone and row["record_id"] == order.key and row["at"] > older["at"]:
            last[row["dispute_id"]] = row
    upheld = disputed = False
    opened, rejected = [], []
    for row in last.values():
        if row["person"] != now.person or row["opened_on"] > d:
            continue
        clock = row["opened_on"] + dt.timedelta(days=30)
        if row["outcome"] and row["resolved_on"] <= d:
            verdict, decided = row["outcome"], row["resolved_on"]
        elif clock <= d:
            verdict, decided = "upheld", clock
        else:
            verdict, decided = "open", None
        if verdict == "upheld" and not (row["certified_by"] and revised > decided):
            upheld = True
        if verdict == "corrected" and not revised > row["opened_on"]:
            disputed = True
        if verdict == "open" and row["certified_by"]:
            disputed = True
        if verdict == "open" and not row["certified_by"]:
            opened.append(row["opened_on"])
        if verdict == "rejected" and not revised > decided:
            rejected.append(decided)
    return disputed or any(not rejected or o < min(rejected) for o in opened), upheld


def in_doubt(told: History, order: Order, now: Revision, n: int) -> bool:
    for row in told.refused:
        if row["key"] == order.key and row["person"] == now.person and row["night"] <= n:
            newer = now.night > row["night"] or (row["at"] is not None and now.at.date() > row["at"])
            if now.cells[row["column"]] is None and not newer:
                return True
    return False


def state(told: History, order: Order, name: str, now: Revision, ever: bool, n: int) -> str:
    c, d = now.cells, day(n)
    _, _, _, statute, limited, money = REGISTERS[name]
    disputed, upheld = dispute_says(told, order, now, n)
    lodged, decided, outcome = c["appeal_lodged_on"], c["appeal_decided_on"], c["appeal_outcome"]
    decided_since = decided is not None and decided <= d and (lodged is None or decided >= lodged)
    left_tax = ever and order.feed == "tax" and c["status"] != "final_determination"
    if (
        (c["set_aside_on"] and c["set_aside_on"] <= d)
        or upheld
        or (outcome == "allowed" and decided_since)
        or (left_tax and c["status"] != "paid")
    ):
        return "set_aside"
    if (c["satisfied_on"] and c["satisfied_on"] <= d) or left_tax or (money and c["debt_minor"] <= 0):
        return "satisfied"
    if (c["expires_on"] and c["expires_on"] < d) or years_later(c["ordered_on"], statute) <= d:
        return "expired"
    if c["authority"] != AUTHORITY[order.feed] or not c["legal_basis"] or (limited and not c["expires_on"]):
        return "incomplete"
    if in_doubt(told, order, now, n):
        return "in_doubt"
    if disputed:
        return "disputed"
    begins, ends_on = c["stayed_from"], c["stayed_until"]
    if (begins or ends_on) and (not begins or begins <= d) and (not ends_on or d <= ends_on):
        return "stayed"
    if lodged and lodged <= d and not (outcome == "dismissed" and decided_since):
        return "appealed"
    if not c["served_on"] or c["served_on"] > d:
        return "unserved"
    if not c["objection_until"] or d <= c["objection_until"]:
        return "objection_open"
    return "in_force"


def register_of(order: Order, now: Revision, ever: bool) -> str | None:
    if order.feed == "tax":
        return "tax_debts" if ever else None
    for name, (feed, kind, *_) in REGISTERS.items():
        if feed == order.feed and kind == now.cells["kind"]:
            return name
    return None


def truth(told: History) -> list[dict]:
    """One dict a night: (register, record) -> person, state, listed, since, cause, and the order's cells."""
    nights: list[dict] = []
    before: dict = {}
    for n in range(NIGHTS):
        now: dict = {}
        for order in told.orders:
            version, ever = current(told, order, n)
            name = register_of(order, version, ever) if version else None
            if version is None or name is None:
                continue
            found = state(told, order, name, version, ever, n)
            old = before.get((name, order.key))
            mine = old is not None and old["person"] == version.person
            dead = told.dead.get(version.person, NIGHTS) <= n
            barred = dead or told.contested.get(version.person, NIGHTS) <= n
            late = not fresh(order.feed, n) and not (mine and old["listed"])
            if found == "in_force" and (barred or late):
                found = "in_doubt"
            listed = found == "in_force"
            cause = None
            if not listed and old is not None and (old["listed"] or old["cause"]):
                cause = "deceased" if dead else CAUSES.get(found, "correction") if mine else "correction"
            since = old["since"] if mine and old["listed"] == listed else day(n)
            now[name, order.key] = {"person": version.person, "state": found, "listed": listed, "since": since,
                                    "cause": cause, "cells": version.cells}  # fmt: skip
        for (name, key), old in before.items():
            if old["listed"] and (name, key) not in now:
                erased = told.erased.get(old["person"], NIGHTS) <= n
                now[name, key] = {"person": old["person"], "state": "incomplete", "listed": False, "since": day(n),
                                  "cause": "erasure" if erased else "correction", "cells": None}  # fmt: skip
        nights.append(now)
        before = now
    return nights
