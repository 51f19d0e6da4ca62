"""A package: what is in it, who can open it, and that it follows from the night alone."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.errors import AssentError
from jobs.lake.descriptor import write_csv
from jobs.lake.packages import Field, prepare, read_previous, schema_of, send_package
from jobs.lake.verify_package import unescaped
from jobs.rules.disclosure import applied

from .conftest import FIELDS, NAME, NIGHTS, RECIPIENT, Gpg, Place, entry, left_behind, plain, unpacked

FILES = {
    "datapackage.json", "snapshot.csv", "snapshot.parquet", "changes.csv", "changes.parquet", "SHA256SUMS",
    "SHA256SUMS.asc",
}  # fmt: skip


def parquet(content: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(content))


def test_a_package_is_read_with_gpg_sha256sum_unzip_and_frictionless(place: Place, gpg: Gpg, tmp_path: Path):
    place.send(NIGHTS[0], [entry("R1", "ana"), entry("R2", "bo")])
    place.send(NIGHTS[1], [entry("R2", "bo", 50), entry("R3", "cvita")])
    gpg.run("--import", place.keys / "operator.pub.asc", place.secret())
    (tmp_path / "p.zip").write_bytes(gpg.decrypt(place.file(NIGHTS[1])))
    folder = tmp_path / "unpacked"
    subprocess.run(["unzip", "-q", tmp_path / "p.zip", "-d", folder], check=True)
    assert {p.name for p in folder.iterdir()} == FILES
    assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o600}
    gpg.run("--verify", folder / "SHA256SUMS.asc", folder / "SHA256SUMS")
    subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=folder, check=True)
    for tool in (["sqv", "--keyring", place.keys / "operator.pub.asc", "SHA256SUMS.asc", "SHA256SUMS"],):
        if shutil.which(tool[0]) is not None:
            said = subprocess.run(tool, cwd=folder, capture_output=True, text=True, check=True).stdout
            assert said.strip() in (place.keys / "operator.pub.asc").read_text().replace(" ", "")
    frictionless = Path(sys.executable).parent / "frictionless"
    command = [frictionless, "validate", "datapackage.json", "--json"]
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout
    report = json.loads(said.stdout)
    assert report["valid"]
    assert [t["name"] for t in report["tasks"]] == [
        "snapshot-csv", "snapshot-parquet", "changes-csv", "changes-parquet",
    ]  # fmt: skip
    # frictionless finds a file that is not the one described, the Parquet ones too
    for name in ("snapshot.parquet", "changes.parquet", "snapshot.csv", "changes.csv"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 1, name
        (folder / name).write_bytes(content)
    # and a row that breaks what the schema says
    descriptor = json.loads((folder / "datapackage.json").read_text())
    for r in descriptor["resources"]:
        r.pop("bytes")
        r.pop("hash")
    (folder / "datapackage.json").write_text(json.dumps(descriptor))
    broken = (folder / "changes.csv").read_text().replace('"ADD"', '"PUT"')
    (folder / "changes.csv").write_text(broken)
    found = json.loads(subprocess.run(command, cwd=folder, capture_output=True, check=False).stdout)
    assert [e["type"] for t in found["tasks"] for e in t["errors"]] == ["constraint-error"]


def test_what_a_descriptor_says(place: Place):
    place.send(NIGHTS[0], [entry("R1", "ana"), entry("R2", "bo")])
    place.send(NIGHTS[2], [entry("R2", "bo", 50), entry("R3", "cvita")])
    first, second = (unpacked(plain(place, NIGHTS[n])) for n in (0, 2))
    said = json.loads(second["datapackage.json"])
    assert said["counts"] == {"snapshot": 2, "ADD": 1, "CHANGE": 1, "REMOVE": 1}
    assert said["previous"] == {
        "name": f"{NAME}-2026-11-18",
        "sha256": hashlib.sha256(first["SHA256SUMS"]).hexdigest(),
    }
    assert json.loads(first["datapackage.json"])["previous"] is None
    assert said["valid_until"] == "2026-11-23"
    assert said["publication"] == {"run_id": "r1", "row_hash": "aa"}
    assert (said["policy_hash"], len(said["floor_hash"]), said["approved"]) == ("bb", 64, True)
    assert said["name"] == f"{NAME}-2026-11-20"
    for resource in said["resources"]:
        content = second[resource["path"]]
        assert resource["bytes"] == len(content)
        assert resource["hash"] == "sha256:" + hashlib.sha256(content).hexdigest()
        assert resource["schema"]["primaryKey"] == ["record_id"]
    changes = {f["name"]: f for f in said["resources"][2]["schema"]["fields"]}
    assert changes["change"]["constraints"] == {"required": True, "enum": ["ADD", "CHANGE", "REMOVE"]}
    assert "satisfied" in changes["cause"]["constraints"]["enum"]
    assert changes["record_id"]["constraints"] == {"required": True}
    assert "person_id" not in second["datapackage.json"].decode()


def test_the_same_night_gives_the_same_bytes_but_for_the_signature(
    place: Place, demo_keys: Path, tmp_path: Path
):
    shutil.copytree(demo_keys, tmp_path / "twin" / "lake.keys")
    twin = Place(tmp_path / "twin")
    found = []
    for each in (place, twin):
        each.send(NIGHTS[0], [entry("R1", "ana")])
        each.send(NIGHTS[1], [entry("R1", "ana", 60), entry("R2", "bo")])
        found.append(plain(each, NIGHTS[1]))
    one, other = found
    names = [*unpacked(one)]
    assert names == [*unpacked(other)]
    assert {n: unpacked(one)[n] == unpacked(other)[n] for n in names} == {
        n: n != "SHA256SUMS.asc" for n in FILES
    }
    assert len(one) == len(other)


SAFE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)
TEXTS = st.one_of(
    st.none(),
    SAFE,
    st.sampled_from("\n\\.\n \r= = + - @ \t \r \n ' ＝".split(" ")).flatmap(lambda c: SAFE.map(c.__add__)),
)


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_no_cell_is_a_formula_and_every_text_loads_back(texts):
    table = pa.table(
        {"record_id": pa.array(texts, pa.string()), "n": pa.array([-1] * len(texts), pa.int64())}
    )
    out = io.BytesIO()
    write_csv(table, out)
    read = pacsv.read_csv(
        io.BytesIO(out.getvalue()),
        parse_options=pacsv.ParseOptions(newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types={"record_id": pa.string()},
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )
    cells = read.column("record_id").to_pylist()
    assert not any(c and c[0] in "=+-@\t\r\n＝＋－＠" for c in cells)
    assert not any(line == "\\." for c in cells for line in re.split("[\r\n]", c or "")[1:])
    assert [c and re.sub("(^|[\r\n])'", r"\1", c) for c in cells] == texts
    assert unescaped(read.column("record_id")).to_pylist() == texts


ENTRIES = st.dictionaries(
    st.sampled_from(["R1", "R2", "R3", "R4"]), st.tuples(st.sampled_from(["ana", "bo"]), st.integers(1, 3))
)
HISTORY = st.lists(st.one_of(st.none(), st.tuples(ENTRIES, st.booleans())), min_size=1, max_size=5)


@settings(deadline=None, max_examples=20)
@given(HISTORY)
def test_previous_and_changes_make_the_snapshot_over_any_history(demo_keys: Path, tmp_path_factory, history):
    """Nights skipped, approved or not: what is read from the lake is what was sent, byte for byte."""
    root = tmp_path_factory.mktemp("history")
    shutil.copytree(demo_keys, root / "lake.keys")
    place = Place(root)
    last: dict[str, bytes] | None = None
    for date, given_night in zip(NIGHTS, history, strict=False):
        if given_night is None:
            continue
        entries, approve = given_night
        place.send(date, [entry(r, who, debt) for r, (who, debt) in entries.items()], approve)
        files = unpacked(plain(place, date))
        before = schema_of(FIELDS).empty_table() if last is None else parquet(last["snapshot.parquet"])
        out = io.BytesIO()
        write_csv(applied(before.cast(schema_of(FIELDS)), parquet(files["changes.parquet"])), out)
        assert out.getvalue() == files["snapshot.csv"]
        previous = read_previous(place.night(NIGHTS[5]), NAME, RECIPIENT, "record_id", FIELDS)
        assert previous.snapshot == parquet(files["snapshot.parquet"]).cast(schema_of(FIELDS))
        said = json.loads(files["datapackage.json"])["previous"]
        assert (said is None) == (last is None)
        if last is not None:
            assert said["sha256"] == hashlib.sha256(last["SHA256SUMS"]).hexdigest()
        last = files


def test_the_night_again_sends_nothing_and_an_approval_takes_the_place_of_removals(place: Place):
    place.send(NIGHTS[0], [entry("R1", "ana"), entry("R2", "bo")])
    entries = [entry("R2", "bo", 5), entry("R3", "cvita")]
    assert place.send(NIGHTS[1], entries, approve=False) is not None
    first = unpacked(plain(place, NIGHTS[1]))
    assert json.loads(first["datapackage.json"])["counts"] == {
        "snapshot": 1,
        "ADD": 0,
        "CHANGE": 0,
        "REMOVE": 1,
    }
    assert place.send(NIGHTS[1], entries, approve=False) is None
    assert place.send(NIGHTS[1], entries) is not None
    second = unpacked(plain(place, NIGHTS[1]))
    said = json.loads(second["datapackage.json"])
    assert said["counts"] == {"snapshot": 2, "ADD": 1, "CHANGE": 1, "REMOVE": 1}
    assert said["previous"]["name"] == f"{NAME}-2026-11-18"
    assert said["replaces"]["sha256"] == hashlib.sha256(first["SHA256SUMS"]).hexdigest()
    before = place.file(NIGHTS[1]).read_bytes()
    assert place.send(NIGHTS[1], entries) is None
    assert place.send(NIGHTS[1], entries, approve=False) is None
    assert place.file(NIGHTS[1]).read_bytes() == before
    place.send(NIGHTS[2], entries)
    third = json.loads(unpacked(plain(place, NIGHTS[2]))["datapackage.json"])
    assert third["previous"]["sha256"] == hashlib.sha256(second["SHA256SUMS"]).hexdigest()
    assert third["counts"] == {"snapshot": 2, "ADD": 0, "CHANGE": 0, "REMOVE": 0}


def test_the_lake_holds_no_identity_and_two_nights_alone(place: Place):
    people = ("ana", "bo", "cvita", "ana")
    for n, who in enumerate(people):
        place.send(NIGHTS[n], [entry(f"R{n}", who)])
    table = DeltaTable(str(place.root / "lake" / "exported" / RECIPIENT / NAME))
    rows = table.to_pyarrow_table().to_pylist()
    assert {r["night"] for r in rows} == {NIGHTS[2], NIGHTS[3]}
    assert {type(r["national_id"]) for r in rows} == {bytes}
    everything = b"".join(p.read_bytes() for p in (place.root / "lake").rglob("*") if p.is_file())
    for who in set(people):
        assert entry("R", who)["national_id"].encode() not in everything
        assert entry("R", who)["family_name"].encode() not in everything
    assert b"minValues" not in everything.replace(rb"minValues\":{}", b"")
    # nor does a file of an older version
    assert len(list((place.root / "lake" / "exported").rglob("*.parquet"))) == len(table.file_uris())


def test_a_column_that_the_policy_names_since_makes_each_entry_a_change(place: Place):
    wide = place.fields
    place.fields = tuple(f for f in wide if f.name != "debt_minor")
    place.send(NIGHTS[0], [entry("R1", "ana")])
    place.fields = wide
    place.send(NIGHTS[1], [entry("R1", "ana")], approve=False)
    held = unpacked(plain(place, NIGHTS[1]))
    assert parquet(held["snapshot.parquet"]).column("debt_minor").to_pylist() == [None]
    fields = {f["name"]: f for f in json.loads(held["datapackage.json"])["resources"][0]["schema"]["fields"]}
    assert "constraints" not in fields["debt_minor"]
    place.send(NIGHTS[2], [entry("R1", "ana")])
    counts = json.loads(unpacked(plain(place, NIGHTS[2]))["datapackage.json"])["counts"]
    assert counts == {"snapshot": 1, "ADD": 0, "CHANGE": 1, "REMOVE": 0}


def test_an_entry_without_a_needed_value_stops_the_package(place: Place):
    lacking = {**entry("R1", "ana"), "national_id": None}
    with pytest.raises(AssentError, match="1 entries have no national_id; nothing is exported"):
        place.send(NIGHTS[0], [lacking])
    assert left_behind(place.out) == []
    place.fields = (*FIELDS, Field("person_id", "integer", "x"))
    with pytest.raises(ValueError, match="person_id cannot be sent"):
        place.send(NIGHTS[0], [entry("R1", "ana")])


def test_what_was_sent_is_recorded_before_it_stands(place: Place):
    def refuse(path: str) -> None:
        raise AssentError("no room in the ledger")

    night = place.night(NIGHTS[0])
    prepare(night)
    with pytest.raises(AssentError, match="no room"):
        send_package(night, place.package(night, [entry("R1", "ana")]), refuse)
    assert left_behind(place.out) == []
    assert place.send(NIGHTS[0], [entry("R1", "ana")]) is not None
    assert place.recorded == [f"{RECIPIENT}/{NAME}-2026-11-18.zip.pgp"]


KILLED = """
import os, signal, sys
sys.path.insert(0, {root!r})
from tests.packages.conftest import NIGHTS, Place, entry
import jobs.lake.{module} as module
real = module.{name}
def stop(*args, **kwargs):
    done = real(*args, **kwargs) if {after} else None
    os.kill(os.getpid(), signal.SIGKILL)
module.{name} = stop
from pathlib import Path
Place(Path({place!r})).send(NIGHTS[1], [entry("R2", "bo", 7), entry("R3", "cvita")])
"""


@pytest.mark.parametrize(
    ("module", "name", "after"),
    [
        ("sealing", "pack", True),
        ("packages", "write_state", False),
        ("packages", "write_state", True),
        ("packages", "add_package", False),
        ("packages", "add_package", True),
    ],
)
def test_killed_anywhere_no_plain_file_is_left_and_the_night_again_ends_the_same(
    place: Place, module, name, after
):
    place.send(NIGHTS[0], [entry("R1", "ana"), entry("R2", "bo")])
    root = Path(__file__).resolve().parents[2]
    code = KILLED.format(root=str(root), module=module, name=name, after=after, place=str(place.root))
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    for path in left_behind(place.out):
        assert path.name.endswith((".zip.pgp", ".zip.pgp.part")), path
        assert b"Boji" not in path.read_bytes()
        assert b"record_id" not in path.read_bytes()
    assert not place.file(NIGHTS[1]).exists()
    place.send(NIGHTS[1], [entry("R2", "bo", 7), entry("R3", "cvita")])
    files = unpacked(plain(place, NIGHTS[1]))
    assert json.loads(files["datapackage.json"])["counts"] == {
        "snapshot": 2,
        "ADD": 1,
        "CHANGE": 1,
        "REMOVE": 1,
    }
    assert {p.name for p in left_behind(place.out)} == {place.file(NIGHTS[n]).name for n in (0, 1)}
    rows = DeltaTable(str(place.root / "lake" / "packages")).to_pyarrow_table().to_pylist()
    assert sorted(r["night"] for r in rows) == [NIGHTS[0], NIGHTS[1]]


FULL = """
import resource, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.packages.conftest import NIGHTS, Place, entry
place = Place(Path({place!r}))
entries = [entry(f"R{{n}}", "ana") for n in range(2000)]
night = place.night(NIGHTS[0])
from jobs.errors import AssentError
from jobs.lake.packages import prepare, send_package
prepare(night)
package = place.package(night, entries)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    send_package(night, package, print)
except AssentError as e:
    print("stopped:", e)
"""


@pytest.mark.parametrize("limit", [20_000, 250_000])  # a data file is larger; the zip alone is
def test_no_room_is_one_line_and_leaves_nothing(place: Place, limit: int):
    root = Path(__file__).resolve().parents[2]
    code = FULL.format(root=str(root), place=str(place.root), limit=limit)
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"stopped: package {RECIPIENT}/{NAME}-2026-11-18.zip.pgp cannot be written (")
    assert left_behind(place.out) == []


def test_no_recipients_key_opens_another_s_package(place: Place, gpg: Gpg):
    """N × N: every recipient of the policy against every package."""
    from pysequoia import Tsk, decrypt

    from jobs.lake.config import load_policy
    from jobs.lake.recipients import recipients_of

    recipients = [*recipients_of(load_policy())]
    assert len(recipients) == 9
    for n, recipient in enumerate(recipients):
        place.send(NIGHTS[0], [entry(f"R{n}", "ana")], name="some_register", recipient=recipient)
    opened = {}
    for mine in recipients:
        key = Tsk.from_file(str(place.secret(mine))).decryptor()
        for theirs in recipients:
            content = place.file(NIGHTS[0], "some_register", theirs).read_bytes()
            try:
                found = decrypt(content, key).bytes
            except Exception:
                found = None
            opened[mine, theirs] = None if found is None else unpacked(found)["snapshot.csv"]
    for (mine, theirs), content in opened.items():
        if mine != theirs:
            assert content is None
            continue
        n = recipients.index(mine)
        assert [r.split(b",")[0] for r in content.splitlines()[1:]] == [f'"R{n}"'.encode()]
    gpg.run("--import", place.secret(recipients[0]))
    assert (
        gpg.run("--decrypt", place.file(NIGHTS[0], "some_register", recipients[1]), check=False).returncode
        != 0
    )
