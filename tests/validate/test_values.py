"""Which codes a row's own values get: each line is one row of its feed with one value changed."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.arrival import checked
from jobs.lake.ask import ask
from jobs.rules import split
from jobs.rules.checks import FORMS, contract_checks, typed
from schemas.contract import Column, contracts
from tests.extract.conftest import Place, as_csv, oib

IDENTITY = {"family_name": "Horvat", "given_name": "Ana", "birth_date": "1980-01-01"}
ORDER = {"ordered_on": "2026-01-10", "served_on": "2026-01-20", "objection_until": "2026-02-20"}
GOOD = {
    "transactions": {
        "transaction_id": "T", "account_id": "A", "booked_on": "2026-10-01", "category": "salary",
        "amount_minor": "100", "currency": "EUR", "days_past_due": "",
    },
    "court": {
        "order_id": "O", "kind": "money_judgment", "case_number": "K", "debt_minor": "5", "currency": "EUR",
        "revised_at": "2026-03-01T10:00:00Z", "appeal_lodged_on": "", "appeal_decided_on": "", "appeal_outcome": "",
        "stayed_from": "", "stayed_until": "", "satisfied_on": "", "set_aside_on": "", "expires_on": "", **ORDER,
    },
    "consents": {
        "consent_id": "C", "kind": "consent", "purpose": "consumer_credit", "source": "transactions",
        "recipient": "demo-lender", "granted_on": "2026-01-01", "expires_on": "2026-12-01", "withdrawn_on": "",
        "receipt_sha256": "ab" * 32, "revised_at": "2026-01-01T10:00:00Z",
    },
    "disputes": {
        "dispute_id": "D", "feed": "court", "record_id": "O", "kind": "inaccurate", "opened_on": "2026-11-01",
        "resolved_on": "", "outcome": "", "certified_by": "", "revised_at": "2026-11-01T10:00:00Z",
    },
}  # fmt: skip
# the night is 2026-11-20; `code` is what the row gets, nothing where it is accepted
CASES: dict[str, list[tuple[dict[str, str], str]]] = {
    "transactions": [
        ({}, ""),
        *[({"amount_minor": v}, "bad_type") for v in ("12.50", "1,250", "1.234,56", "1e3", "12 ", " 12", "--1", "0x1")],
        *[({"amount_minor": v}, "bad_type") for v in ("12\n", "\n12", "١٢", "12\u00a0")],
        *[({"amount_minor": v}, "") for v in ("+12", "-12", "0", "007")],
        *[({"booked_on": v}, "bad_type") for v in ("21/11/2026", "2026-2-3", "2026-02-30", "20261101", "2026-10-01\n")],
        *[({"booked_on": v}, "bad_type") for v in ("2026-10-01T00:00:00Z", "0000-01-01", "+2026-10-01")],
        *[({"booked_on": v}, "impossible_date") for v in ("2026-11-21", "1979-12-31")],
        *[({"booked_on": v}, "") for v in ("2026-11-20", "1980-01-01")],
        *[({"currency": v}, "currency_not_supported") for v in ("USD", "eur", "EUR ")],
        *[({"category": v}, "unknown_value") for v in ("groceries", "Salary")],
        *[({c: ""}, "missing_required") for c in ("transaction_id", "amount_minor", "currency", *IDENTITY)],
        ({"days_past_due": "-1"}, "out_of_range"),
        ({"amount_minor": "x", "category": "y", "currency": ""}, "bad_type missing_required unknown_value"),
        *[({"birth_date": v}, "bad_type") for v in ("01.01.1980", "1980-01-01\n", "0000-01-01", "1980-W01-1")],
        ({"birth_date": "2026-11-21"}, "impossible_date"),
        ({"family_name": "---"}, "bad_type"),
        ({"national_id": "12345678900"}, "bad_check_digit"),
        ({"national_id": ""}, "missing_required"),
        ({"national_id": "HR" + oib(7)}, ""),
    ],
    "court": [
        ({}, ""),
        ({"served_on": "2026-01-09", "objection_until": ""}, "date_order"),
        ({"expires_on": "2026-01-09"}, "date_order"),
        ({"objection_until": "2026-01-19"}, "date_order"),
        ({"stayed_from": "2026-05-02", "stayed_until": "2026-05-01"}, "date_order"),
        # nothing else is an order of dates
        ({"stayed_until": "2026-05-01"}, ""),
        ({"appeal_lodged_on": "2026-05-02", "appeal_decided_on": "2026-05-01", "appeal_outcome": "dismissed"}, ""),
        *[({c: "2025-01-01"}, "") for c in ("satisfied_on", "set_aside_on", "appeal_lodged_on", "stayed_from")],
        ({"served_on": ""}, ""),
        ({"ordered_on": "", "served_on": "2020-01-01"}, ""),
        ({"served_on": "2026-01-10", "objection_until": "2026-01-10", "expires_on": "2026-01-10"}, ""),
        ({"stayed_from": "2026-05-01", "stayed_until": "2026-05-01"}, ""),
        *[({c: "2026-11-21"}, "impossible_date") for c in ("satisfied_on", "set_aside_on", "appeal_lodged_on")],
        ({"appeal_decided_on": "2026-11-21"}, "impossible_date"),
        ({"served_on": "2026-11-21", "objection_until": ""}, "impossible_date"),
        ({"ordered_on": "2026-11-21", "served_on": "", "objection_until": ""}, "impossible_date"),
        *[({c: "2030-01-01"}, "") for c in ("objection_until", "stayed_from", "stayed_until", "expires_on")],
        *[({"revised_at": v}, "") for v in ("2026-11-20T23:59:59Z", "2026-03-01T10:00:00.123456Z")],
        *[({"revised_at": v}, "bad_type") for v in ("2026-03-01T10:00:00", "2026-03-01", "2026-03-01T10:00:00Z\n")],
        ({"revised_at": "2026-11-21T00:00:00Z"}, "impossible_date"),
        *[({c: ""}, "") for c in ("debt_minor", "currency")],
        ({"debt_minor": "-5"}, ""),
        ({"kind": "parking"}, "unknown_value"),
        ({"appeal_outcome": "maybe"}, "unknown_value"),
        ({"authority": "Any Court"}, ""),
    ],
    "consents": [
        ({}, ""),
        *[({c: ""}, "missing_required") for c in ("receipt_sha256", "expires_on", "purpose", "source", "recipient")],
        ({"expires_on": "2027-01-01"}, ""),
        ({"expires_on": "2027-01-02"}, "out_of_range"),
        ({"expires_on": "2025-12-31"}, "out_of_range"),
        *[({c: "whatever"}, "unknown_value") for c in ("purpose", "source", "recipient", "kind")],
        *[({"source": v}, "forbidden_by_policy") for v in ("education", "traffic", "consents", "disputes")],
        *[({"recipient": v}, "forbidden_by_policy") for v in ("demo-insurer", "enforcement-office")],
        ({"purpose": "motor_cover", "recipient": "demo-insurer"}, "forbidden_by_policy"),
        ({"granted_on": "2026-11-21", "expires_on": "2027-01-01"}, "impossible_date"),
        ({"withdrawn_on": "2027-01-01"}, ""),
        # the other kinds need the key, revised_at, an identity and granted_on, and nothing else
        *[
            ({"kind": k, **dict.fromkeys(("purpose", "source", "recipient", "receipt_sha256"), ""), "expires_on": v}, "")
            for k in ("withdrawal", "erasure", "access", "death")
            for v in ("", "tomorrow")
        ],
        ({"kind": "withdrawal", "purpose": "whatever"}, "unknown_value"),
        ({"kind": "erasure", "purpose": "whatever", "withdrawn_on": "2080-01-01"}, ""),
        ({"kind": "withdrawal", "granted_on": ""}, "missing_required"),
    ],
    "disputes": [
        ({}, ""),
        *[({"feed": v}, "") for v in ("tax", "court", "traffic", "education", "transactions", "consents")],
        *[({"feed": v}, "unknown_value") for v in ("scores", "disputes", "speech")],
        ({"kind": "review", "feed": "scores", "record_id": "consumer_credit/other-lender"}, ""),
        ({"kind": "review", "feed": "scores", "record_id": "consumer_credit/demo-insurer"}, "unknown_value"),
        ({"kind": "review"}, "unknown_value"),
        *[({c: "2026-11-21"}, "impossible_date") for c in ("opened_on", "resolved_on")],
        ({"outcome": "won"}, "unknown_value"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("feed", CASES)
def test_the_codes_of_a_row(spark: Any, place: Place, feed: str) -> None:
    contract = contracts()[feed]
    rows = [
        {"national_id": oib(100 + n), **IDENTITY, "authority": "Demo Court", "legal_basis": "law", **GOOD[feed], **more}
        for n, (more, _) in enumerate(CASES[feed])
    ]  # fmt: skip
    place.deliver(f"{feed}.csv", as_csv([{k: v for k, v in r.items() if k in contract.names} for r in rows]))
    assert place.extract([feed]) == {feed: len(rows)}
    (entry,) = place.manifest(feed)
    landing = place.night.lake.parquet(entry["landing"])
    checks = contract_checks(contract, place.night.date, place.night.policy)
    found = {
        r["row_number"]: " ".join(r["reasons"])
        for r in checked(landing, contract, checks).select("row_number", "reasons").collect()
    }
    expected = dict(enumerate((code for _, code in CASES[feed]), 1))
    wrong = {str(CASES[feed][n - 1][0]): (found[n], code) for n, code in expected.items() if found[n] != code}
    assert wrong == {}


TEXTS = st.one_of(
    *(st.from_regex(form.replace(r"\z", r"\Z"), fullmatch=True) for form in FORMS.values()),
    st.dates().map(str),
    st.datetimes().map(lambda t: f"{t:%Y-%m-%dT%H:%M:%S}Z".rjust(20, "0")),
    st.datetimes().map(lambda t: f"{t:%Y-%m-%d %H:%M:%S.%f}+00:00".rjust(32, "0")),
    st.text(max_size=12),
    st.sampled_from(
        ["infinity", "epoch", "2026-1-5", " 2026-01-05", "2026-01-05 10:00:00", "1d", "NaN", "0000-01-01"]
    ),
)


@settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
@given(found=st.lists(TEXTS, min_size=150, max_size=300, unique=True))
def test_what_the_checks_have_typed_is_written_so(spark: Any, found: list[str]) -> None:
    """Spark evaluates the checks, and DuckDB writes the rows that they pass: what it has besides, no check passes.

    Where a column may hold anything it has nothing besides.
    """
    texts = pa.table({"x": pa.array(found, pa.string())})
    for kind in FORMS:
        column = Column("x", kind, "x")
        checked_as = spark.createDataFrame(texts).selectExpr("x", f"{typed(column)} AS value").toArrow()
        expected = {r["x"]: r["value"] for r in checked_as.to_pylist()}
        good = pa.table(
            {"x": pa.array([x for x, value in expected.items() if value is not None], pa.string())}
        )
        # 24:00 is the next day's midnight for one of them
        for asked, any_text in ((good, False), (good if kind == "timestamp" else texts, True)):
            written_as = ask(
                f"SELECT x, {split.typed(column, any_text)} AS value FROM texts", {"texts": asked}
            )
            assert written_as.num_rows == asked.num_rows
            for row in written_as.to_pylist():
                assert row["value"] == expected[row["x"]], (kind, row)
