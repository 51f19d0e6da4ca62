"""What each agency receives on each night, read with the standard library and pyarrow alone."""

import csv
import hashlib
import io
import json

import pyarrow.parquet as pq
import pytest

from tests.edges.conftest import APPROVED, LATE, NIGHTS
from tests.opened import opened

RECIPIENTS = {
    "judgment_debts": "enforcement-office",
    "tax_debts": "enforcement-office",
    "insolvencies": "insolvency-service",
    "director_disqualifications": "company-registry",
    "procurement_debarments": "procurement-agency",
    "driving_disqualifications": "licensing-authority",
}
FEEDS = {"tax_debts": "tax", "driving_disqualifications": "traffic"}
# the nights on which a register's feed is fresh and disputes are: on the others additions wait
FRESH = {
    "tax": (*NIGHTS, LATE[0], LATE[2]),
    "traffic": (*NIGHTS, LATE[0]),
    "court": (*NIGHTS, LATE[0], LATE[2]),
}


def files(history, register, night):
    return opened(history.root / "lake", RECIPIENTS[register], f"{register}-{night}")


def table(history, register, night, name):
    held = files(history, register, night)
    found = list(csv.DictReader(io.StringIO(held[f"{name}.csv"].decode(), newline="")))
    typed = pq.read_table(io.BytesIO(held[f"{name}.parquet"])).to_pylist()
    assert [r["record_id"] for r in typed] == [r["record_id"] for r in found]
    return found


@pytest.fixture(scope="module")
def listed(history):
    """register -> night -> record -> its row in the view."""
    return {
        register: {
            night: {
                r["record_id"]: r
                for r in history.query(f"from registers where register = '{register}'", night)
            }
            for night in (*NIGHTS, *LATE)
        }
        for register in RECIPIENTS
    }


@pytest.mark.parametrize("register", RECIPIENTS)
def test_snapshots_and_changes_follow_the_register_and_the_approval(history, listed, register):
    """Removals go out every night; what is new waits for approval and for a fresh feed."""
    before: dict[str, dict[str, str]] = {}
    held = False
    for night in (*NIGHTS, *LATE):
        view = listed[register][night]
        now = {r for r, row in view.items() if row["listed"]}
        changes = {r["record_id"]: r for r in table(history, register, night, "changes")}
        snapshot = {r["record_id"]: r for r in table(history, register, night, "snapshot")}
        approved = night in APPROVED and night in FRESH[FEEDS.get(register, "court")]
        gone = before.keys() - now
        assert {r for r, c in changes.items() if c["change"] == "REMOVE"} - {"handed-over"} == gone
        added = {r for r, c in changes.items() if c["change"] == "ADD"}
        assert added == (now - before.keys() if approved else set())
        for record in gone:
            assert changes[record]["cause"] == view[record]["cause"], (night, record)
        if not approved:
            held = held or bool(now - before.keys())
            assert {c["change"] for c in changes.values()} <= {"REMOVE"}
            assert snapshot == {r: row for r, row in before.items() if r not in changes}
        else:
            assert snapshot.keys() == now
        known = {
            **before,
            **{
                r: {k: v for k, v in c.items() if k not in ("change", "cause", "changed")}
                for r, c in changes.items()
            },
        }
        removed = {r for r, c in changes.items() if c["change"] == "REMOVE"}
        assert snapshot == {r: row for r, row in known.items() if r not in removed}
        before = snapshot
    assert held or register != "judgment_debts"


def test_the_person_to_whom_an_order_never_belonged_leaves_at_once(history):
    """The order is handed over on an approved night: the agency gets the new person in place of the old."""
    first = {r["record_id"]: r for r in table(history, "judgment_debts", NIGHTS[0], "snapshot")}
    third = {r["record_id"]: r for r in table(history, "judgment_debts", NIGHTS[2], "snapshot")}
    assert first["handed-over"]["national_id"] == history.national_id("giver")
    assert third["handed-over"]["national_id"] == history.national_id("taker")
    (sent,) = [
        r for r in table(history, "judgment_debts", NIGHTS[2], "changes") if r["record_id"] == "handed-over"
    ]
    assert sent["change"] == "CHANGE"


def test_a_changed_entry_waits_for_approval(history):
    sent = {
        night: [
            (r["change"], r["debt_minor"])
            for r in table(history, "judgment_debts", night, "changes")
            if r["record_id"] == "amended"
        ]
        for night in NIGHTS
    }
    assert sent == {
        NIGHTS[0]: [("ADD", "1000")],
        NIGHTS[1]: [],
        NIGHTS[2]: [("CHANGE", "5")],
        NIGHTS[3]: [],
        NIGHTS[4]: [],
    }


@pytest.mark.parametrize("register", RECIPIENTS)
def test_descriptor_and_checksums_are_of_the_files(history, register):
    for night in (*NIGHTS, *LATE):
        held = files(history, register, night)
        descriptor = json.loads(held["datapackage.json"])
        for resource in descriptor["resources"]:
            content = held[resource["path"]]
            assert resource["bytes"] == len(content)
            assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        for line in held["SHA256SUMS"].decode().splitlines():
            sha, _, name = line.partition("  ")
            assert hashlib.sha256(held[name]).hexdigest() == sha
        assert descriptor["counts"]["snapshot"] == len(table(history, register, night, "snapshot"))


def test_no_entry_leaves_before_its_notice(history):
    told: dict[tuple[str, str], str] = {}
    for night in (*NIGHTS, *LATE):
        path = history.root / "lake.out" / "notices" / f"{night}.ndjson"
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            notice = json.loads(line)
            if notice["kind"] == "listing":
                told.setdefault((notice["subject"], notice["to"]["national_id"]), night)
        for register in RECIPIENTS:
            for r in table(history, register, night, "snapshot"):
                assert (f"{register}/{r['record_id']}", r["national_id"]) in told


def test_the_ledger_says_what_was_sent(history):
    sent = {
        (str(r["night"]), r["subject"], r["change"])
        for r in history.query("from disclosures", LATE[2])
        if r["subject"].split("/")[0] in RECIPIENTS  # and not a score
    }
    due = {
        (night, f"{register}/{r['record_id']}", r["change"])
        for night in (*NIGHTS, *LATE)
        for register in RECIPIENTS
        for r in table(history, register, night, "changes")
    }
    # another person's order is a removal of the one and an addition of the other
    handed = "judgment_debts/handed-over"
    due = due - {(NIGHTS[2], handed, "CHANGE")} | {(NIGHTS[2], handed, c) for c in ("REMOVE", "ADD")}
    assert sent == due
