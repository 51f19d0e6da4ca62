"""120 nights with stays, appeals, late service, payment, namesakes, outages and corrections, against a reference of RULES.

The state of every order on every night is judged in one frame: each order and night is a record of its own
(``<key>@<night>``, ``person * 1000 + night``), so that the pipeline's functions see nothing unusual. Then the nights
follow one another, as registers and as packages.
"""

import dataclasses
import datetime as dt
import itertools
import json
import random
from functools import reduce

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.conform import (
    feed_state,
    flagged,
    not_erased,
    order_flags,
    people,
)
from jobs.lake.config import load_policy
from jobs.registers import dated, gone, judged, orders_of
from jobs.rules import disputes, doubt
from jobs.rules.disclosure import applied, disclosure, leaving
from jobs.rules.guards import Guards
from jobs.rules.holds import held
from schemas.contract import contracts
from schemas.tables import DELIVERIES, QUARANTINE, REGISTERS
from tests.registers import history
from tests.registers.history import NIGHTS, day
from tests.tables import current, local

FEEDS = ("court", "tax", "traffic")


@pytest.fixture(scope="module")
def told():
    return history.invent(seed=7, orders=260, people=80)


@pytest.fixture(scope="module")
def due(told):
    return history.truth(told)


def accepted(spark, told, feed):
    contract = contracts()[feed]
    rows = [
        {**{k: v for k, v in r.cells.items() if k in contract.names}, contract.key: o.key, "person_id": r.person,
         "revised_at": r.at, "night": day(r.night)}
        for o in told.orders if o.feed == feed for r in o.revisions
    ]  # fmt: skip
    return local(spark, contract.accepted_ddl(), rows)


def fresh_nights():
    """Whether each order feed is fresh on each night, from the files that came."""
    found = {}
    for n in range(NIGHTS):
        came = [
            {"feed": f, "delivered_on": day(m), "stopped": None}
            for f, out in history.OUTAGES.items() for m in range(n + 1) if m not in out
        ]  # fmt: skip
        state = feed_state(pa.Table.from_pylist(came, schema=DELIVERIES.arrow()), day(n)).to_pylist()
        found[n] = {r["feed"]: r["fresh"] for r in state}
    return found


@pytest.fixture(scope="module")
def judged_nights(spark, told):
    """What the pipeline says of each order on each night, whatever the night before: n -> rows of ``judged``."""
    fresh = fresh_nights()
    nights = local(
        spark,
        "n BIGINT, d DATE, " + ", ".join(f"fresh_{f} BOOLEAN" for f in FEEDS),
        [{"n": n, "d": day(n), **{f"fresh_{f}": fresh[n][f] for f in FEEDS}} for n in range(NIGHTS)],
    )

    def each_night(frame, *keys):
        many = frame.crossJoin(F.broadcast(nights)).where(F.col("night") <= F.col("d"))
        apart = {k: F.concat_ws("@", k, "n") for k in keys}
        return many.withColumns({**apart, "person_id": F.col("person_id") * 1000 + F.col("n")})

    consents = [
        {"consent_id": f"{kind}{p}", "kind": kind, "person_id": p, "granted_on": day(n), "night": day(n)}
        for kind, who in (("erasure", told.erased), ("death", told.dead)) for p, n in who.items()
    ]  # fmt: skip
    consents = each_night(local(spark, contracts()["consents"].accepted_ddl(), consents), "consent_id")
    refused = [
        {"night": day(r["night"]), "person_id": r["person"], "record_key": r["key"], "contested": False,
         "verbatim": json.dumps({r["column"]: "?", "revised_at": r["at"] and f"{r['at']}T23:59:59Z"})}
        for r in told.refused
    ]  # fmt: skip
    contested = [
        {"night": day(n), "person_id": p, "contested": True, "verbatim": "{}"}
        for p, n in told.contested.items()
    ]
    quarantine = each_night(local(spark, QUARANTINE.ddl(), refused), "record_key")
    own = each_night(local(spark, QUARANTINE.ddl(), contested))
    said = [
        {**{k: v for k, v in r.items() if k not in ("person", "at")}, "kind": "inaccurate", "person_id": r["person"],
         "night": day(r["night"]), "revised_at": dt.datetime.combine(day(r["at"]), dt.time(9), dt.UTC)}
        for r in told.disputes
    ]  # fmt: skip
    said = each_night(local(spark, contracts()["disputes"].accepted_ddl(), said), "dispute_id", "record_id")
    who = people(consents, doubt.stopped_people(own, consents), doubt.contested_people(own), F.col("d"))
    verdicts = disputes.verdicts(
        current(not_erased(said, who.erased), contracts()["disputes"]), F.col("d"), []
    )
    policy = load_policy()
    parts = []
    for feed in FEEDS:
        contract = contracts()[feed]
        rows = not_erased(each_night(accepted(spark, told, feed), contract.key), who.erased)
        records = flagged(current(rows, contract), contract, verdicts, quarantine)
        records = order_flags(records, contract, who)
        parts += [
            judged(orders_of(records, r), r, F.col(f"fresh_{feed}"), F.col("d"))
            for r in policy.registers.values() if r.feed == feed
        ]  # fmt: skip
    found: dict[int, list] = {n: [] for n in range(NIGHTS)}
    for row in reduce(DataFrame.unionByName, parts).toArrow().to_pylist():
        key, n = row["record_id"].split("@")
        found[int(n)].append({**row, "record_id": key, "person_id": row["person_id"] // 1000})
    return found


JUDGED = (
    "register STRING, feed STRING, record_id STRING, person_id BIGINT, recipient STRING, state STRING, "
    "barred BOOLEAN, deceased BOOLEAN, late BOOLEAN"
)


@pytest.fixture(scope="module")
def nights(spark, told, judged_nights):
    """REGISTERS of each night, one after the other."""
    before, found = [], []
    keys = [{"feed": o.feed, "record_id": o.key} for o in told.orders]
    for n in range(NIGHTS):
        tonight = local(spark, JUDGED, judged_nights[n])
        previous = local(spark, REGISTERS.ddl(), before)
        out = dated(tonight, previous, day(n))
        now = {(r["register"], r["record_id"]) for r in judged_nights[n]}
        left = [r for r in before if r["listed"] and (r["register"], r["record_id"]) not in now]
        if left:  # of nobody there is nothing to be said
            erased = [{"person_id": p} for p, e in told.erased.items() if e <= n]
            known = [k for k in keys if k["record_id"] in {r["record_id"] for r in left}]
            out = out.unionByName(
                gone(
                    out,
                    previous,
                    local(spark, "person_id BIGINT", erased),
                    day(n),
                    local(spark, "feed STRING, record_id STRING", known),
                )
            )
        before = out.toArrow().to_pylist()
        found.append({(r["register"], r["record_id"]): r for r in before})
    return found


def test_every_register_is_right_on_every_night(nights, due):
    wrong = []
    for n in range(NIGHTS):
        assert nights[n].keys() == due[n].keys(), n
        for key, expected in due[n].items():
            row = nights[n][key]
            mine = (row["person_id"], row["state"], row["listed"], row["since"], row["cause"])
            theirs = tuple(expected[k] for k in ("person", "state", "listed", "since", "cause"))
            if mine != theirs:
                wrong.append((n, key, mine, theirs))
    assert wrong == []


def test_the_history_holds_what_it_must(due):
    states = {r["state"] for night in due for r in night.values()}
    assert states == {"set_aside", "satisfied", "expired", "incomplete", "in_doubt", "disputed", "stayed",
                      "appealed", "unserved", "objection_open", "in_force"}  # fmt: skip
    left = {
        now["cause"]
        for before, after in itertools.pairwise(due)
        for key, now in after.items()
        if key in before and before[key]["listed"] and not now["listed"]
    }
    assert left == {"satisfied", "set_aside", "stay", "appeal", "expiry", "dispute", "correction", "erasure",
                    "deceased"}  # fmt: skip
    moved = [k for b, a in itertools.pairwise(due) for k in a if k in b and a[k]["person"] != b[k]["person"]]
    assert len(moved) > 5
    assert all(any(r["listed"] and k[0] == name for k, r in due[60].items()) for name in history.REGISTERS)


ENTRY = pa.schema(
    [("record_id", pa.string()), ("national_id", pa.string()), ("family_name", pa.string()),
     ("birth_date", pa.date32()), ("debt_minor", pa.int64()), ("since", pa.date32())]
)  # fmt: skip


def entries(night, name):
    """The entries due in a register on a night, as its recipient sees them."""
    rows = [
        {"record_id": key, **history.identity(r["person"]), "debt_minor": r["cells"]["debt_minor"], "since": r["since"]}
        for (register, key), r in sorted(night.items()) if register == name and r["listed"]
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=ENTRY)


@pytest.mark.parametrize("name", list(history.REGISTERS))
@pytest.mark.parametrize("tight", [False, True], ids=["wide guards", "tight guards"])
def test_packages_are_right_on_every_night_they_are_sent(due, nights, name, tight):
    """Nights are skipped, approved or not, guarded, recalled and refused; each package is held against the truth."""
    rng = random.Random(f"{name}{tight}")
    guards = Guards(adds=2, removes=1, least=5) if tight else Guards()
    feed = history.REGISTERS[name][0]
    previous = entries({}, name)
    decisions, answers, causes, last = [], [], {}, {}
    versions = {}
    removed, tripped = 0, 0
    for n in range(NIGHTS):
        for (register, key), r in nights[n].items():
            if register == name:
                causes[key] = r["cause"]  # as the last night says that knows the record
        for (register, key), r in due[n].items():
            if register == name:
                last[key] = r
                versions[key] = dt.datetime.combine(r["since"], dt.time(), dt.UTC)
        if rng.random() < 0.2:
            continue
        at = dt.datetime.combine(day(n), dt.time(12), dt.UTC)
        known = previous["record_id"].to_pylist()
        if known and rng.random() < 0.1:
            key = rng.choice(known)
            decisions.append(
                {"decided_at": at, "record_id": key, "event": "recall", "revised_at": versions[key]}
            )
        if known and rng.random() < 0.1:
            answers.append({"taken_at": at, "record_id": rng.choice(known), "outcome": "refused"})
        if answers and rng.random() < 0.1:
            key = rng.choice(answers)["record_id"]
            decisions.append({"decided_at": at, "record_id": key, "event": "release", "revised_at": None})
        out = held(decisions, answers, versions)
        approved, accepted = rng.random() < 0.6, rng.random() < 0.2
        current = entries(due[n], name)
        left = leaving(previous, current, out)
        made = disclosure(previous, current, {k: causes.get(k) for k in left}, guards=guards, approved=approved,
                          accepted=accepted, fresh=history.fresh(feed, n), held=out)  # fmt: skip
        assert made.snapshot == applied(previous, made.changes)
        sent = {r["record_id"]: r for r in made.snapshot.to_pylist()}
        right = {r["record_id"]: r for r in current.to_pylist() if r["record_id"] not in out}
        ids = {k: r["national_id"] for k, r in sent.items()}
        wrongful = {k for k in sent if k not in right or right[k]["national_id"] != ids[k]}
        # nobody is in it who should not be, but where a guard holds a correction back
        assert {last[k]["cause"] for k in wrongful} <= ({"correction"} if made.tripped else set())
        assert not wrongful or any(t.holds_removals for t in made.tripped)
        assert not wrongful & out.keys()
        if made.released:
            assert sent == right  # and nobody is missing
        for r in made.changes.to_pylist():
            if r["change"] == "REMOVE":
                removed += 1
                cause = last[r["record_id"]]["cause"]
                assert r["cause"] == (cause or "correction"), (n, r["record_id"])
        tripped += bool(made.tripped)
        previous = made.snapshot
    assert removed > 5
    assert bool(tripped) == tight


def test_no_removal_goes_out_without_its_night_also_after_skipped_nights(due, nights):
    """With one package in five nights the cause is still the truth's of the last night that knew the record."""
    for name in ("judgment_debts", "driving_disqualifications"):
        previous, last = entries({}, name), {}
        for n in range(NIGHTS):
            last |= {k: r["cause"] for (g, k), r in nights[n].items() if g == name}
            if n % 5:
                continue
            current = entries(due[n], name)
            left = leaving(previous, current)
            made = disclosure(previous, current, {k: last[k] for k in left}, guards=dataclasses.replace(Guards()),
                              approved=True, fresh=True)  # fmt: skip
            for r in made.changes.to_pylist():
                if r["change"] == "REMOVE":
                    found = due[n].get((name, r["record_id"])) or next(
                        due[m][name, r["record_id"]]
                        for m in range(n, -1, -1)
                        if (name, r["record_id"]) in due[m]
                    )
                    assert r["cause"] == found["cause"]
            assert made.snapshot == current
            previous = made.snapshot
