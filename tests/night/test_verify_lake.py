"""`assent verify --lake` holds the chain of publications, and finds what was changed behind it."""

import base64
import datetime as dt
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import DeltaTable, write_deltalake

from jobs.errors import AssentError
from jobs.lake.contents import chained, content
from jobs.lake.lake import Lake
from jobs.publish import row_hash
from jobs.verify import check_lake, check_table
from tests.night.conftest import NIGHTS, Place, assent


@pytest.fixture
def copy(place, tmp_path, monkeypatch):
    for name in ("ASSENT_LAKE", "ASSENT_KEYS", "ASSENT_OUT", "ASSENT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    other = Place(place.deliveries, tmp_path / "lake")
    shutil.copytree(place.lake, other.lake)
    shutil.copytree(place.keys, other.keys)
    return other


def test_a_lake_as_it_was_written_verifies_table_by_table(place, capsys):
    assert assent("verify", "--lake", place.lake) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"ok    publications: 3 nights through {NIGHTS[-1]}, each row, link and signature hold"
    tables = {line.split()[1].rstrip(":") for line in lines[1:]}
    assert {
        "scores",
        "registers",
        "features",
        "vault",
        "deliveries",
        "conformed/feeds",
        "accepted/court",
    } <= tables
    assert tables == set(Lake(str(place.lake)).publications()[-1]["tables"])


def fault(place, capsys):
    status = assent("verify", "--lake", place.lake)
    assert status == 1
    return capsys.readouterr().err.splitlines()[-1]


def rewrite(place, change):
    """The publications as ``change`` leaves them."""
    path = str(place.lake / "publications")
    rows = sorted(DeltaTable(path).to_pyarrow_table().to_pylist(), key=lambda r: r["night"])
    schema = DeltaTable(path).to_pyarrow_table().schema
    write_deltalake(path, pa.Table.from_pylist(change(rows), schema=schema), mode="overwrite")


def sign(row, key):
    row["row_hash"] = row_hash(row)
    row["signature"] = base64.b64encode(key.sign(row["row_hash"].encode())).decode()


def other_counts(rows):
    rows[1]["counts"] = "{}"
    return rows


def other_counts_hashed(rows):
    rows[1]["counts"] = "{}"
    sign(rows[1], Ed25519PrivateKey.generate())
    return rows


def without_the_second(rows):
    return [rows[0], rows[2]]


def all_signed_by_another(rows):
    key, before = Ed25519PrivateKey.generate(), None
    for row in rows:
        row["previous_hash"] = before
        sign(row, key)
        before = row["row_hash"]
    return rows


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other_counts, f"publication {NIGHTS[1]}: its row is not what was hashed"),
        (other_counts_hashed, f"publication {NIGHTS[1]}: is not signed by this lake's key"),
        (without_the_second, f"publication {NIGHTS[2]}: does not follow the one before"),
        (all_signed_by_another, f"publication {NIGHTS[0]}: is not signed by this lake's key"),
    ],
)
def test_a_publication_changed_afterwards_is_found(copy, capsys, change, words):
    rewrite(copy, change)
    assert words in fault(copy, capsys)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("scores", "score", 950),  # written by Spark, whole
        ("accepted/court", "debt_minor", 1),  # by DuckDB, a night's rows
        ("deliveries", "rows", 1),  # by Arrow, a night's rows
        ("vault", "event", "name"),  # streamed
        ("conformed/feeds", "fresh", False),  # by Arrow, whole
    ],
)
def test_a_table_changed_behind_its_publication_is_found(copy, capsys, table, column, value):
    pin = Lake(str(copy.lake)).publications()[-1]["tables"][table]
    for uri in DeltaTable(str(copy.lake / table), version=pin["version"]).file_uris():
        content = pq.ParquetFile(uri).read()
        changed = [value] * content.num_rows
        at = content.column_names.index(column)
        new = pa.array(changed, content.schema.field(at).type)
        pq.write_table(content.set_column(at, content.schema.field(at), new), uri)
    assert f"table {table}: version {pin['version']} " in fault(copy, capsys)


def test_a_table_whose_file_is_gone_is_found(copy, capsys):
    pin = Lake(str(copy.lake)).publications()[-1]["tables"]["scores"]
    for path in (copy.lake / "scores").rglob("*.parquet"):
        path.unlink()
    assert f"table scores: version {pin['version']} cannot be read" in fault(copy, capsys)


def test_a_lake_without_a_publication_is_one_line(tmp_path, capsys):
    Lake(str(tmp_path / "lake")).open(create=True)
    assert assent("verify", "--lake", tmp_path / "lake") == 1
    assert "nothing is published yet" in capsys.readouterr().err
    with pytest.raises(Exception, match="no lake at"):
        check_lake(str(tmp_path / "none"), print)


def test_a_column_that_a_table_gains_leaves_its_earlier_nights_as_they_were(tmp_path):
    lake, rows, before = Lake(str(tmp_path / "lake")), [], {}
    nights = [dt.date(2026, 11, 18), dt.date(2026, 11, 19)]
    for number, night in enumerate(nights):
        data = pa.table({"night": [night], "kind": ["a"], **({"gained": ["x"]} if number else {})})
        version = lake.append_arrow("t", data) if number else lake.write_night("t", data.to_reader(), night)
        holds = content(data, data.column_names)
        before = {
            "version": version,
            "rows": 1,
            "columns": ",".join(sorted(data.column_names)),
            "hash": chained(before.get("hash", ""), holds.hash(data.column_names)),
        }
        rows.append({"night": night, "tables": {"t": before}})
    assert check_table(lake, rows, "t") == 2
    rows[0]["tables"]["t"]["columns"] += ",gained"
    with pytest.raises(AssentError, match="does not hold what was published on 2026-11-18"):
        check_table(lake, rows, "t")
