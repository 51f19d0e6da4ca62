"""Deliveries in PostgreSQL, from a real server on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import time
from typing import Any

import psycopg2
import pytest

from jobs.errors import AssentError
from jobs.extract import inputs
from tests.servers import program

from .conftest import DAY, ROWS, Place, Server, publish_taken

TAX, CONSENT = ROWS["tax"], ROWS["consents"]
PASSWORD = "pass-word-of-the-agency"
TYPED = """
CREATE SCHEMA typed;
CREATE TABLE typed.tax (
  national_id char(11), family_name text, given_name varchar, birth_date date, assessment_id text, tax_year smallint,
  assessed_on timestamp, income_minor numeric(18,2), tax_due_minor double precision, tax_paid_minor bigint,
  currency text, status text, revised_at timestamptz, debt_minor numeric, authority text, delivered_on date
);
"""


@pytest.fixture(scope="module")
def server(unprivileged: Server) -> str:
    folder = unprivileged.folder
    (folder / "password").write_text(PASSWORD)
    if os.geteuid() == 0:
        shutil.chown(folder / "password", unprivileged.user)
    made = unprivileged.start(
        program("initdb", "postgresql"), "-D", folder / "data", "-U", "agency", "--auth=scram-sha-256", f"--pwfile={folder}/password",
        "--encoding=UTF8", "--locale=C", "--no-sync",
    )  # fmt: skip
    assert made.wait(120) == 0, (folder / "server.log").read_text()[-500:]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    unprivileged.start(
        program("postgres", "postgresql"),
        "-D",
        folder / "data",
        "-p",
        port,
        "-h",
        "127.0.0.1",
        "-k",
        folder,
        "-c",
        "fsync=off",
    )
    url = f"postgresql://agency:{PASSWORD}@127.0.0.1:{port}/postgres"
    until = time.monotonic() + 60
    while True:
        try:
            psycopg2.connect(url).close()
            break
        except psycopg2.OperationalError:
            assert time.monotonic() < until, (folder / "server.log").read_text()[-500:]
            time.sleep(0.1)
    run_sql(url, TYPED)
    return url


def run_sql(url: str, sql: str, rows: list[tuple[Any, ...]] | None = None) -> None:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            if rows is None:
                cursor.execute(sql)
            else:
                cursor.executemany(sql, rows)
    finally:
        connection.close()


def table(url: str, schema: str, feed: str, rows: list[dict[str, Any]], more: str = "") -> None:
    """A table of text columns and ``delivered_on``, with rows."""
    names = [*rows[0]]
    columns = ", ".join(f'"{n}" {"date" if n == "delivered_on" else "text"}' for n in names)
    run_sql(url, f'CREATE SCHEMA IF NOT EXISTS "{schema}"; CREATE TABLE "{schema}".{feed} ({columns}{more})')
    marks = ", ".join(["%s"] * len(names))
    run_sql(
        url, f'INSERT INTO "{schema}".{feed} VALUES ({marks})', [tuple(r.get(n) for n in names) for r in rows]
    )


def test_each_day_is_a_delivery(place: Place, server: str) -> None:
    rows = [
        {**TAX, "assessment_id": "T-10", "delivered_on": DAY, "family_name": 'Ča"čić,\nx'},
        {**TAX, "assessment_id": "T-9", "delivered_on": DAY, "family_name": ""},
        {**TAX, "assessment_id": "T-1", "delivered_on": "2026-11-18"},
        {**TAX, "assessment_id": "T-2", "delivered_on": "2026-11-19"},
        {**TAX, "assessment_id": "T-3", "delivered_on": "2026-11-21"},
        {**TAX, "assessment_id": "T-4", "delivered_on": None},
    ]
    table(server, "days", "tax", rows)
    run_sql(server, "CREATE TABLE days.other (a int)")
    place.night.deliveries = f"{server}?schema=days"
    publish_taken(place, [("tax", "2026-11-18/tax.postgresql", None)], "2026-11-18")
    assert place.extract() == {**dict.fromkeys(place_feeds(), 0), "tax": 3}
    assert [(e["file"], e["rows"], e["stopped"]) for e in place.manifest()] == [
        ("2026-11-19/tax.postgresql", 1, None),
        (f"{DAY}/tax.postgresql", 2, None),
    ]
    landed = place.landed()
    assert [(r["assessment_id"], r["family_name"], r["row_number"]) for r in landed] == [
        ("T-2", TAX["family_name"], 1),
        ("T-10", 'Ča"čić,\nx', 1),
        ("T-9", None, 2),
    ]
    assert {k: landed[0][k] for k in TAX} == {**TAX, "assessment_id": "T-2"}
    assert place.said == ["deliveries: 2 of other names ignored, first 'days.other'"]
    first = inputs(place.night)
    assert [i["sha256"] for i in first] == [e["sha256"] for e in place.manifest()]
    # the order in which the rows lie is nothing, their content is
    run_sql(
        server,
        f"UPDATE days.tax SET given_name = given_name WHERE assessment_id = 'T-10' AND delivered_on = '{DAY}'",
    )
    assert inputs(place.night) == first
    run_sql(server, "UPDATE days.tax SET given_name = 'Iva' WHERE assessment_id = 'T-10'")
    assert inputs(place.night) != first


def place_feeds() -> list[str]:
    from schemas.contract import contracts

    return list(contracts())


def test_typed_columns_are_canonical_text(place: Place, server: str) -> None:
    run_sql(
        server,
        f"""INSERT INTO typed.tax VALUES
        ('{TAX["national_id"]}', '{TAX["family_name"]}', 'Ana', '1980-02-29', 'T-1', 2025, '2026-05-01', 4000000.00, 900000,
         0, 'EUR', 'assessed', '2026-05-01 12:00:00+02', NULL, '', '{DAY}'),
        ('{TAX["national_id"]}', '{TAX["family_name"]}', 'Ana', 'infinity', 'T-2', 2025, '2026-05-01 10:30', 12.50, 0.5,
         -3, 'EUR', 'assessed', '2026-05-01 10:00:10.25+00', 'NaN', 'x', '{DAY}'),
        ('{TAX["national_id"]}', '{TAX["family_name"]}', 'Ana', NULL, 'T-3', 2025, 'infinity', 1, 1,
         1, 'EUR', 'assessed', '-infinity', 1e3, 'x', '{DAY}')""",
    )
    run_sql(
        server,
        "ALTER DATABASE postgres SET DateStyle = 'German'; ALTER DATABASE postgres SET TimeZone = 'Asia/Tokyo'",
    )
    place.night.deliveries = f"{server}?schema=typed"
    assert place.extract(["tax"]) == {"tax": 3}
    first, second, third = place.landed()
    assert {k: first[k] for k in TAX} == TAX
    assert first["debt_minor"] is None
    assert first["authority"] is None
    shown = (
        "birth_date",
        "assessed_on",
        "income_minor",
        "tax_due_minor",
        "tax_paid_minor",
        "revised_at",
        "debt_minor",
    )
    assert [second[k] for k in shown] == [
        "infinity", "2026-05-01T10:30:00Z", "12.5", "0.5", "-3", "2026-05-01T10:00:10.25Z", "NaN",
    ]  # fmt: skip
    assert [third[k] for k in shown] == [None, "infinity", "1", "1", "1", "-infinity", "1000"]


@pytest.mark.parametrize(
    ("schema", "feed", "row", "code", "word"),
    [
        ("unknown", "tax", {**TAX, "favourite_colour": "x"}, "unknown_column", "favourite_colour"),
        ("denied", "tax", {**TAX, "homeLocation": "x"}, "denied_column", "location"),
        ("missing", "tax", {k: v for k, v in TAX.items() if k != "currency"}, "missing_column", "currency"),
        ("own_denied", "consents", {**CONSENT, "gender": "x"}, "denied_column", "gender"),
        ("own_unknown", "consents", {**CONSENT, "favourite_colour": "x"}, None, None),
    ],
)
def test_columns(
    place: Place, server: str, schema: str, feed: str, row: dict[str, str], code: Any, word: Any
) -> None:
    table(server, schema, feed, [{**row, "delivered_on": "2026-11-19"}, {**row, "delivered_on": DAY}])
    place.night.deliveries = f"{server}?schema={schema}"
    assert place.extract([feed]) == ({feed: 0, "stopped": 2} if code else {feed: 2})
    assert [e["stopped"] for e in place.manifest(feed)] == [code, code]
    if code:
        assert all(word in e["message"] for e in place.manifest(feed))
        assert place.files(feed) == []
    else:
        assert sum("unknown_column, 1 left out" in s for s in place.said) == 2


def test_rights_on_one_table_do_not_stop_the_others(place: Place, server: str) -> None:
    table(server, "rights", "consents", [{**CONSENT, "delivered_on": DAY}])
    table(server, "rights", "tax", [{**TAX, "delivered_on": DAY, "income_minor": "1"}])
    run_sql(
        server,
        "CREATE ROLE reader LOGIN PASSWORD 'r'; GRANT USAGE ON SCHEMA rights TO reader;"
        "GRANT SELECT ON rights.consents TO reader",
    )
    place.night.deliveries = server.replace(f"agency:{PASSWORD}", "reader:r") + "?schema=rights"
    assert place.extract(["consents", "tax"]) == {"consents": 1, "tax": 0}


def test_many_rows_come_in_batches(place: Place, server: str) -> None:
    table(server, "many", "tax", [{**TAX, "delivered_on": DAY}])
    names = ", ".join(f'"{n}"' for n in TAX if n != "assessment_id")
    run_sql(
        server,
        f"INSERT INTO many.tax (assessment_id, delivered_on, {names}) "
        f"SELECT 'X-' || lpad(i::text, 7, '0'), delivered_on, {names} FROM many.tax, generate_series(1, 150000) AS i",
    )
    place.night.deliveries = f"{server}?schema=many"
    assert place.extract(["tax"]) == {"tax": 150_001}
    landed = place.landed()
    assert [r["row_number"] for r in landed] == list(range(1, 150_002))
    assert [r["assessment_id"] for r in landed[1:]] == [f"X-{i:07d}" for i in range(1, 150_001)]


@pytest.mark.parametrize("fault", ["password", "port", "database", "schema", "option"])
def test_no_password_in_an_error(place: Place, server: str, fault: str) -> None:
    url = {
        "password": server.replace(PASSWORD, "wrong-" + PASSWORD),
        "port": server.rpartition(":")[0] + ":1/postgres",
        "database": server + "_not",
        "schema": server + "?schema=nowhere",
        "option": server + "?nonsense=1",
    }[fault]
    place.night.deliveries = url
    with pytest.raises(AssentError, match=r"deliveries postgresql://127\.0\.0\.1:\d+/") as caught:
        place.extract()
    assert PASSWORD not in str(caught.value)
    assert "agency" not in str(caught.value)
    assert "\n" not in str(caught.value)
