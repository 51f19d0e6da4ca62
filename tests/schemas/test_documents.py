"""What is derived from the contracts is current, whole, and agrees with itself."""

from pathlib import Path

import pyarrow as pa
import pytest
from ruamel.yaml import YAML

from jobs.rules import floor
from schemas import reasons
from schemas.contract import IDENTITY_NAMES, SPARK_TYPES, contracts
from schemas.features import FEATURES
from schemas.render import documents, odcs, undescribed
from schemas.tables import TABLES

ROOT = Path(__file__).resolve().parents[2]
FEEDS = sorted(contracts())
# FEEDS.md, "Reason codes of quarantined rows"
PROMISED = """bad_type missing_required out_of_range unknown_value bad_check_digit identity_conflict impossible_date
date_order ambiguous_revision conflicting_duplicate currency_not_supported forbidden_by_policy consent_rewritten
receipt_reused erased malformed_row encoding""".split()


@pytest.mark.parametrize("name", sorted(documents()))
def test_a_derived_document_is_current(name):
    written = (ROOT / name).read_text(encoding="utf-8") if (ROOT / name).exists() else "nothing"
    assert written == documents()[name], f"{name} is not current: run `make docs`"


def test_no_document_is_left_of_a_feed_that_is_gone():
    assert sorted(p.stem for p in (ROOT / "docs" / "odcs").glob("*.yaml")) == FEEDS


@pytest.mark.parametrize("feed", FEEDS)
def test_an_odcs_document_has_what_the_standard_requires(feed):
    doc = YAML(typ="safe").load(documents()[f"docs/odcs/{feed}.yaml"])
    assert {k: type(doc[k]) for k in ("apiVersion", "kind", "id", "version", "status")} == dict.fromkeys(
        ("apiVersion", "kind", "id", "version", "status"), str
    )
    assert doc["apiVersion"] == "v3.0.1"  # 3.0.2 names no version of its own in its schema
    assert doc["kind"] == "DataContract"
    (table,) = doc["schema"]
    contract = contracts()[feed]
    assert [p["name"] for p in table["properties"]] == list(contract.names)
    assert [p["name"] for p in table["properties"] if p["primaryKey"]] == [contract.key]
    for p in table["properties"]:
        assert p["logicalType"] in {"string", "date", "number", "integer", "object", "array", "boolean"}
        assert p["physicalType"] == SPARK_TYPES[contract.column(p["name"]).type]
        assert p["required"] is contract.column(p["name"]).required
        assert p["description"]
    fresh = [s for s in doc["slaProperties"] if s["property"] == "freshness"]
    assert [(s["value"], s["unit"]) for s in fresh] == [(contract.freshness_days, "d")]
    for rule in [*table["quality"], *(q for p in table["properties"] for q in p.get("quality", ()))]:
        assert rule["type"] in {"text", "library"}
        assert rule["severity"] in {"warning", "critical"}
        assert rule["type"] == "text" or rule["rule"] in {"validValues", "rowCount"}


def test_a_word_list_is_a_rule():
    kind = next(p for p in odcs(contracts()["traffic"])["schema"][0]["properties"] if p["name"] == "kind")
    assert kind["quality"][0]["validValues"] == ["penalty_points", "driving_disqualification"]


def test_every_promised_reason_code_has_a_meaning():
    assert set(PROMISED) <= set(reasons.ROW_REASONS)
    text = documents()["docs/data-dictionary.md"]
    for codes in (
        reasons.ROW_REASONS,
        reasons.FILE_CODES,
        reasons.NO_SCORE_REASONS,
        reasons.ORDER_STATES,
        reasons.REMOVAL_CAUSES,
    ):
        for code, meaning in codes.items():
            assert f"| `{code}` | {meaning} |" in text


def test_every_column_is_in_the_dictionary():
    text = documents()["docs/data-dictionary.md"]
    for contract in contracts().values():
        section = text.split(f"### `{contract.feed}`: ")[1].split("\n### ")[0]
        for column in contract.columns:
            assert f"| `{column.name}` | {column.type} |" in section
    for table in [*TABLES.values(), FEATURES]:
        section = text.split(f"### `{table.name}`\n")[1].split("\n### ")[0]
        for name, kind, _ in table.columns:
            assert f"| `{name}` | {kind} |" in section


def test_every_feature_of_the_floor_has_a_meaning():
    assert undescribed() == []


@pytest.mark.parametrize("feed", FEEDS)
def test_a_contract_carries_identity_key_and_no_denied_word(feed):
    contract = contracts()[feed]
    assert contract.names[: len(IDENTITY_NAMES)] == IDENTITY_NAMES
    assert set(IDENTITY_NAMES) | {contract.key} <= set(contract.required)
    assert len(set(contract.names)) == len(contract.names)
    assert [n for n in contract.names if floor.denied_word(n)] == []
    assert ("revised_at" in contract.required) == (contract.mode == "upsert")


@pytest.mark.parametrize("feed", FEEDS)
def test_landing_is_text_and_accepted_is_typed(feed):
    contract = contracts()[feed]
    landing = contract.landing_schema()
    assert {landing.field(n).type for n in contract.names} == {pa.string()}
    typed = dict(part.split(" ", 1) for part in contract.accepted_ddl().split(", "))
    assert {n: typed[n] for n in contract.names} == {c.name: SPARK_TYPES[c.type] for c in contract.columns}
    assert not set(IDENTITY_NAMES) & set(contract.conformed_ddl().replace(",", "").split())


def test_no_owned_table_outside_the_vault_holds_an_identity():
    open_tables = [t for n, t in TABLES.items() if n != "vault"]
    assert [t.name for t in open_tables if set(t.names) & set(IDENTITY_NAMES)] == []
