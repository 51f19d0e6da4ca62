"""Verifies a package of Assent, without a lake: signatures, checksums, descriptor, rows, and what changed.

One file for the receiving agency: ``pip install pysequoia pyarrow``, then
``python verify_package.py PACKAGE --key operator.pub.asc [--secret own.sec.asc] [--previous PACKAGE]``.
PACKAGE is the encrypted file (``--secret``: your private key), the zip in it, or its unpacked folder. Each check is a
line; exit status 0 all held, 1 something did not, 2 wrong use.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from pysequoia import Cert, Sig, Tsk, decrypt_file, verify
from pysequoia.packet import Packet, PacketPile, Tag

DESCRIPTOR, SUMS, SIGNATURE = "datapackage.json", "SHA256SUMS", "SHA256SUMS.asc"
DATA = {"snapshot.csv", "snapshot.parquet", "changes.csv", "changes.parquet"}
TYPES = {"string": pa.string(), "integer": pa.int64(), "date": pa.date32(), "boolean": pa.bool_()}
PRIVATE = re.compile(
    rb"-----BEGIN PGP PRIVATE KEY BLOCK-----.*?-----END PGP PRIVATE KEY BLOCK-----", re.DOTALL
)
Say = Callable[[str], None]


class Fault(Exception):
    """Something in a package is not as it must be."""


class Usage(Exception):
    """The command was given something that it cannot use."""


@dataclass
class Opened:
    """The files of a package, in a folder."""

    folder: Path
    name: str | None  # as the file says, without its ending; None of an unpacked folder
    descriptor: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, pa.Table] = field(default_factory=dict)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parsed(option: str, path: Path, parse: Callable[[bytes], Any]) -> Any:
    """What a key file holds; Usage when it cannot be read or holds nothing."""
    try:
        found = parse(path.read_bytes())
    except OSError as e:
        raise Usage(f"{option} {path}: cannot be read ({e.strerror})") from None
    except Exception as e:
        raise Usage(f"{option} {path}: is no OpenPGP key ({_first_line(e)})") from None
    if not found:
        raise Usage(f"{option} {path}: holds no OpenPGP key")
    return found


# -- the encrypted message
def session_keys(path: Path) -> dict[str, bytes]:
    """key id -> the packet that carries the session key, one a key that the message is encrypted to."""
    found = {}
    with path.open("rb") as file:
        while (tag := file.read(1)) == b"\xc1":
            size = int.from_bytes(file.read(1), "big")
            size = size if size < 192 else ((size - 192) << 8) + int.from_bytes(file.read(1), "big") + 192
            body = file.read(size)
            found[body[1:9].hex()] = body
    if tag != b"\xd2" or not found:
        raise Fault("is not one encrypted OpenPGP message")
    return found


def _is_canonical(session: bytes) -> bool:
    """Whether nothing in the packet could be otherwise and still be read: what decryption itself does not see."""
    if session[0] != 3 or session[9] not in (1, 18):
        return False
    bits = int.from_bytes(session[10:12], "big")
    number = session[12 : 12 + (bits + 7) // 8]
    curve25519 = session[9] == 18 and number[:1] == b"\x40"
    return int.from_bytes(number, "big").bit_length() == bits and not (curve25519 and number[-1] & 0x80)


def private_keys(data: bytes) -> dict[str, list[Packet]]:
    """key id -> the packets of a private key with that encryption key alone: pysequoia tries one."""
    keys: dict[str, list[Packet]] = {}
    for block in PRIVATE.findall(data) or [data]:
        groups: list[list[Packet]] = []
        for packet in PacketPile.from_bytes(block):
            if packet.tag in (Tag.SecretKey, Tag.SecretSubkey):
                groups.append([])
            groups[-1].append(packet)
        keys |= {str(g[0].key_id): groups[0] if g is groups[0] else groups[0] + g for g in groups}
    return keys


def _decrypt(path: Path, target: Path, certs: list[Cert], secret: Path, say: Say) -> None:
    keys, sessions = _parsed("--secret", secret, private_keys), session_keys(path)
    mine = next((k for k in sessions if k in keys), None)
    if mine is None:
        raise Fault("is not encrypted to this key")
    if not _is_canonical(sessions[mine]):
        raise Fault("its session key was altered")
    try:
        key = Tsk.from_packets(keys[mine]).decryptor()
    except Exception as e:
        raise Usage(f"--secret: {_first_line(e)}; with a passphrase, decrypt with gpg first") from None
    try:
        signed = decrypt_file(path, target, key, lambda ids: certs).valid_sigs
    except Exception as e:
        raise Fault(f"does not decrypt, or is not of the operator ({_first_line(e)})") from None
    if len(signed) != 1:
        raise Fault("is not signed by the operator's key")
    say(f"decrypted, whole, signed by {signed[0].certificate.upper()}")
    if len(sessions) > 1:
        say(f"note: {len(sessions) - 1} packet(s) for other keys of yours can be checked with those alone")


# -- the zip
def pack(packed: BinaryIO, files: Mapping[str, BinaryIO], day: tuple[int, ...]) -> None:
    """The zip of a package: every byte follows from the files, their order and the day (stored, so without a zlib)."""
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, file in files.items():
            info = zipfile.ZipInfo(name, (day[0], day[1], day[2], 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o100600 << 16
            info.file_size = file.seek(0, 2)
            file.seek(0)
            with archive.open(info, "w", force_zip64=info.file_size >= 1 << 31) as inside:
                shutil.copyfileobj(file, inside, 1 << 20)


def _unzip(path: Path, folder: Path, say: Say) -> None:
    """Unpacks, packs again and compares: what is not content counts too."""
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
            files: dict[str, BinaryIO] = {}
            for info in archive.infolist():
                if not re.fullmatch(r"\w[\w.-]*", info.filename) or info.filename in files:
                    raise Fault("its zip holds names that no package has")
                files[info.filename] = stack.enter_context((folder / info.filename).open("w+b"))
                shutil.copyfileobj(stack.enter_context(archive.open(info)), files[info.filename], 1 << 20)
            made = stack.enter_context(tempfile.TemporaryFile(dir=folder.parent))
            pack(made, files, archive.infolist()[0].date_time)
        except Fault:
            raise
        except Exception as e:
            raise Fault(f"its zip cannot be read ({_first_line(e)})") from None
        made.seek(0)
        given = stack.enter_context(path.open("rb"))
        while (theirs := given.read(1 << 20)) == (ours := made.read(1 << 20)) and ours:
            pass
        if ours != theirs:
            raise Fault("its zip is not as it was packed")
    say(f"zip: {len(files)} files, every byte as packed")


@contextmanager
def opened(package: Path, certs: list[Cert], secret: Path | None, say: Say) -> Iterator[Opened]:
    """A package's files in a folder; what was decrypted is removed afterwards."""
    if package.is_dir():
        yield Opened(package, None)
        return
    if not package.is_file():
        raise Usage(f"{package}: no such package")
    with tempfile.TemporaryDirectory(prefix="assent-verify-") as scratch:
        packed, folder, name = package, Path(scratch) / "files", package.name
        folder.mkdir()
        if package.suffix in (".pgp", ".gpg"):
            if secret is None:
                raise Usage(f"{package}: is encrypted; name your private key with --secret, or use gpg first")
            packed, name = Path(scratch) / "plain.zip", package.stem
            _decrypt(package, packed, certs, secret, say)
        _unzip(packed, folder, say)
        yield Opened(folder, name.removesuffix(".zip"))


# -- checksums and their signature
def check_sums(found: Opened, certs: list[Cert], say: Say) -> None:
    """Every file is listed, each as listed, and the list is signed."""
    folder = found.folder
    try:
        sums, armored = (folder / SUMS).read_bytes(), (folder / SIGNATURE).read_bytes()
        signature = Sig.from_bytes(armored)
        valid = verify(sums, lambda ids: certs, signature=signature).valid_sigs
        as_made = str(signature).encode() == armored  # the armor and its CRC too: nothing was touched
    except Exception as e:
        raise Fault(f"{SUMS} and {SIGNATURE} do not verify ({_first_line(e)})") from None
    if len(valid) != 1 or not as_made:
        raise Fault(f"{SIGNATURE} is not the operator's signature as it was made")
    say(f"{SUMS}: signed by {valid[0].certificate.upper()}")
    listed = {name: sha for sha, _, name in (line.partition("  ") for line in sums.decode().splitlines())}
    if odd := sorted(({p.name for p in folder.iterdir()} - {SUMS, SIGNATURE}) ^ set(listed)):
        raise Fault(f"{', '.join(odd)}: missing, or not in {SUMS}")
    for name, sha in listed.items():
        if _digest(folder / name) != sha:
            raise Fault(f"{name} is not as {SUMS} says")
    say(f"checksums: {len(listed)} files as {SUMS} says")


# -- descriptor and rows
def check_descriptor(found: Opened, say: Say) -> None:
    """The descriptor is of this package and describes its files."""
    try:
        said = json.loads((found.folder / DESCRIPTOR).read_text(encoding="utf-8"))
        resources = {r["path"]: r for r in said["resources"]}
        if set(resources) != DATA or {p.name for p in found.folder.iterdir()} != DATA | {
            DESCRIPTOR,
            SUMS,
            SIGNATURE,
        }:
            raise Fault(f"{DESCRIPTOR} does not describe the files of a package")
        for name, r in resources.items():
            file = found.folder / name
            if (r["bytes"], r["hash"]) != (file.stat().st_size, f"sha256:{_digest(file)}"):
                raise Fault(f"{name} is not as {DESCRIPTOR} says")
        if found.name not in (None, said["name"]):
            raise Fault(f"is called {found.name} and holds {said['name']}: an older or another package")
        if not said["name"].endswith(f"-{said['night']}"):
            raise Fault(f"{DESCRIPTOR}: name and night do not agree")
        let_out = "approved" if said["approved"] else "removals only"
        say(f"{said['name']} for {said['recipient']}: {json.dumps(said['counts'])}, {let_out}")
        say(f"note: after {said['valid_until']} act on no entry without asking the source")
    except (ValueError, KeyError, TypeError) as e:
        raise Fault(f"{DESCRIPTOR} cannot be read ({type(e).__name__})") from None
    found.descriptor = said


def unescaped(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts of a CSV as they were: one ' removed at the start and after each line break."""
    return pc.replace_substring_regex(column, "(^|[\r\n])'", r"\1")


def read_csv(path: Path, schema: pa.Schema) -> pa.Table:
    """A CSV by the rule of its schema: quoted texts, empty null, the escape undone."""
    table = pacsv.read_csv(
        path,
        parse_options=pacsv.ParseOptions(newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types=schema, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
        ),
    )
    columns = [unescaped(c) if pa.types.is_string(c.type) else c for c in table.columns]
    return pa.table(columns, names=table.column_names).select(schema.names).cast(schema)


def _constraints(name: str, table: pa.Table, fields: list[dict[str, Any]]) -> None:
    for f in fields:
        column, rules = table.column(f["name"]), f.get("constraints", {})
        known = {"enum", "pattern"} & set(rules)
        values = pc.unique(column.drop_null()).to_pylist() if known else []
        broken = {
            "required": "required" in rules and column.null_count > 0,
            "enum": "enum" in rules and not set(values) <= set(rules["enum"]),
            "pattern": "pattern" in rules and not all(re.fullmatch(rules["pattern"], v) for v in values),
        }
        for rule in (r for r, is_broken in broken.items() if is_broken):
            raise Fault(f"{name}: column {f['name']} breaks its constraint `{rule}`")


def check_rows(found: Opened, say: Say) -> None:
    """Parquet and CSV hold the same rows, by the schema; keys are unique; the counts hold."""
    resources = {r["path"]: r["schema"] for r in found.descriptor["resources"]}
    for name in ("snapshot", "changes"):
        fields = resources[f"{name}.parquet"]["fields"]
        schema = pa.schema([(f["name"], TYPES[f["type"]]) for f in fields])
        try:
            table = pq.read_table(found.folder / f"{name}.parquet")
            if not table.schema.equals(schema):
                raise Fault(f"{name}.parquet has other columns than its schema")
            if not read_csv(found.folder / f"{name}.csv", schema).equals(table):
                raise Fault(f"{name}.csv and {name}.parquet hold other rows")
        except (pa.ArrowException, KeyError) as e:
            raise Fault(f"{name} cannot be read ({type(e).__name__})") from None
        _constraints(name, table, fields)
        (key,) = resources[f"{name}.parquet"]["primaryKey"]
        keys = table.column(key)
        if pc.count_distinct(keys).as_py() != table.num_rows or not table.sort_by(key).equals(table):
            raise Fault(f"{name}: {key} is not unique and sorted")
        found.tables[name] = table
    made = found.tables["changes"].column("change").to_pylist()
    counts = {c: made.count(c) for c in ("ADD", "CHANGE", "REMOVE")}
    counts |= {"snapshot": found.tables["snapshot"].num_rows}
    if counts != found.descriptor["counts"]:
        raise Fault(f"counts are {json.dumps(counts)}, and {DESCRIPTOR} says otherwise")
    say("rows: CSV and Parquet agree and hold to the schema; keys are unique; counts are right")


def _aligned(table: pa.Table, schema: pa.Schema) -> pa.Table:
    nulls = {f.name: pa.nulls(table.num_rows, f.type) for f in schema}  # of a column that was not sent then
    return pa.table([table[n] if n in table.column_names else v for n, v in nulls.items()], schema=schema)


def check_changes(found: Opened, before: Opened | None, say: Say) -> None:
    """The package names ``before`` (None: none) as the one before it, and previous + changes = snapshot."""
    said, snapshot, changes = found.descriptor, found.tables["snapshot"], found.tables["changes"]
    (key,) = said["resources"][0]["schema"]["primaryKey"]
    previous = snapshot.slice(0, 0)
    if before is not None:
        was, night = before.descriptor["name"], before.descriptor["night"]
        if night >= said["night"]:
            raise Fault(f"is of {said['night']}, the last of {night}: an older package was delivered again")
        if said["previous"] != {"name": was, "sha256": _digest(before.folder / SUMS)}:
            named = (said["previous"] or {"name": "none"})["name"]
            raise Fault(f"comes after {named}, not after this {was}: a package is missing or was replaced")
        previous = _aligned(before.tables["snapshot"], snapshot.schema)
    kind, keys, rows = changes.column("change"), changes.column(key), changes.select(snapshot.column_names)
    held, added, removed = previous.column(key), pc.equal(kind, "ADD"), pc.equal(kind, "REMOVE")
    if not pc.is_in(keys, held).equals(pc.invert(added)):
        raise Fault("changes do not fit the previous snapshot")
    if not previous.filter(pc.is_in(held, keys.filter(removed))).equals(rows.filter(removed)):
        raise Fault("a removed row is not the one that was held")
    kept = previous.filter(pc.invert(pc.is_in(held, keys)))
    made = pa.concat_tables([kept, rows.filter(pc.invert(removed))]).sort_by(key)
    if not made.equals(snapshot):
        raise Fault("previous snapshot + changes is not this snapshot")
    say("changes: previous snapshot + changes = snapshot")


@contextmanager
def verified(package: Path, certs: list[Cert], secret: Path | None, say: Say) -> Iterator[Opened]:
    """A package whose signatures, checksums, descriptor and rows hold; Fault at the first that does not."""
    with opened(package, certs, secret, say) as found:
        check_sums(found, certs, say)
        if (found.folder / DESCRIPTOR).exists():
            check_descriptor(found, say)
            check_rows(found, say)
        yield found


def check(package: Path, key: Path, secret: Path | None, previous: Path | None, say: Say) -> None:
    """Every check of a package, each said; Fault at the first that does not hold."""
    certs = list(_parsed("--key", key, Cert.split_bytes))
    with verified(package, certs, secret, say) as found:
        if not found.descriptor:
            say("note: a notice, no data package; read its files")
        elif previous is not None:
            with verified(previous, certs, secret, lambda text: say(f"previous: {text}")) as before:
                if not before.descriptor:
                    raise Usage(
                        f"--previous {previous.name} is a notice, no package; name the package before it"
                    )
                check_changes(found, before, say)
        elif found.descriptor["previous"] is None:
            check_changes(found, None, say)
        else:
            say(f"note: not held against {found.descriptor['previous']['name']}; name it with --previous")


def run(package: Path, key: Path, secret: Path | None, previous: Path | None) -> int:
    """The command: a line a check on standard output, the fault on standard error; returns the exit status."""
    try:
        check(package, key, secret, previous, lambda text: print(f"ok    {text}"))
    except Fault as e:
        print(f"FAULT {package.name} {e}; act on nothing in it, ask the operator", file=sys.stderr)
        return 1
    except (Usage, OSError) as e:
        print(f"verify_package: {e}", file=sys.stderr)
        return 2
    print(f"ok    {package.name} is verified")
    return 0


def main(argv: list[str] | None = None) -> int:
    """The command line of this one file."""
    parser = argparse.ArgumentParser(description="Verifies a package of Assent.")
    parser.add_argument("package", type=Path)
    parser.add_argument("--key", type=Path, required=True, help="the operator's operator.pub.asc")
    parser.add_argument("--secret", type=Path, help="your private key, for an encrypted package")
    parser.add_argument("--previous", type=Path, help="the package before it")
    given = parser.parse_args(argv)
    return run(given.package, given.key, given.secret, given.previous)


if __name__ == "__main__":
    sys.exit(main())
