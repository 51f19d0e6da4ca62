"""Packages brought to an OpenSSH server, a folder and an object store: whole, once, with one receipt."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from jobs.errors import AssentError
from jobs.lake.config import load_policy
from jobs.lake.delivery import deliver, receipts_of
from jobs.lake.recipients import recipients_of
from tests.extract.conftest import Server, unprivileged
from tests.extract.test_remote import _open_ssh, free_port

from .conftest import NAME, NIGHTS, RECIPIENT, Place, entry

__all__ = ["unprivileged"]


@dataclass
class Proxy:
    """Passes bytes to the server, and cuts connections after so many: ``cuts`` holds one number a connection."""

    server: int
    cuts: list[int] = field(default_factory=list)
    passed: int = 0  # bytes of the last connection

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            upstream = socket.create_connection(("127.0.0.1", self.server))
            self.passed = 0
            limit = self.cuts.pop(0) if self.cuts else None
            lock = threading.Lock()
            for one, other in ((client, upstream), (upstream, client)):
                threading.Thread(target=self._pump, args=(one, other, limit, lock), daemon=True).start()

    def _pump(
        self, one: socket.socket, other: socket.socket, limit: int | None, lock: threading.Lock
    ) -> None:
        try:
            while data := one.recv(4096):
                with lock:
                    room = len(data) if limit is None else max(0, min(len(data), limit - self.passed))
                    self.passed += room
                if room:
                    other.sendall(data[:room])
                if room < len(data):
                    break
        except OSError:
            pass
        for each in (one, other):  # reset, as a cable that is pulled: nothing more is said
            try:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()


@dataclass
class Agency:
    """An agency's SFTP server: its inbox, and what a client needs to write there."""

    inbox: Path
    user: str
    port: int
    key: Path
    host_key: str


@pytest.fixture(scope="module")
def agency(unprivileged: Server) -> Agency:
    folder, port = unprivileged.folder, free_port()
    for name in ("host", "client"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(folder / name)
        key.write_public_key(folder / f"{name}.pub")
        (folder / name).chmod(0o600)
    (folder / "inbox").mkdir()
    if os.geteuid() == 0:
        for path in [folder, *folder.rglob("*")]:
            shutil.chown(path, unprivileged.user)
    _open_ssh(unprivileged, port)
    host_key = " ".join((folder / "host.pub").read_text().split()[:2])
    return Agency(folder / "inbox", unprivileged.user, port, folder / "client", host_key)


@pytest.fixture
def inbox(agency: Agency) -> Iterator[Path]:
    yield agency.inbox
    for path in agency.inbox.iterdir():
        path.unlink()


def configure(place: Place, agency: Agency, port: int | None = None, **more: Any) -> None:
    """Deliveries of the recipient go to the agency's server."""
    port = port or agency.port
    shutil.copy(agency.key, place.keys / "sftp.key")
    (place.keys / "sftp.key").chmod(0o600)
    (place.keys / "known_hosts").write_text(f"[127.0.0.1]:{port} {agency.host_key}\n")
    lines = {
        "url": f"sftp://{agency.user}@127.0.0.1:{port}{agency.inbox}",
        "key": "sftp.key",
        "known_hosts": "known_hosts",
        "first_wait_seconds": 0.01,
        **more,
    }
    text = "".join(f"  {k}: {v}\n" for k, v in lines.items())
    (place.keys / "delivery.yaml").write_text(f"{RECIPIENT}:\n{text}")


def delivered(place: Place) -> list[str]:
    return deliver(place.lake, place.keys, [*recipients_of(load_policy())], place.said.append)


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_package_arrives_whole_and_once(place: Place, agency: Agency, inbox: Path):
    configure(place, agency)
    sent = place.send(NIGHTS[0], [entry("R1", "ana")])
    place.send(NIGHTS[0], [], name="tax_debts")
    assert delivered(place) == []
    assert sent is not None
    there = inbox / place.file(NIGHTS[0]).name
    assert sha(there) == sent.sha256
    assert sorted(p.name for p in inbox.iterdir()) == sorted(
        p.name for p in place.file(NIGHTS[0]).parent.iterdir()
    )
    (first, second) = receipts_of(place.lake, RECIPIENT)
    assert (first["package"], first["sha256"], first["bytes"]) == (sent.path, sent.sha256, sent.bytes)
    assert first["url"] == f"sftp://127.0.0.1:{agency.port}{inbox}"
    # the agency takes it away; nothing is sent again
    there.unlink()
    assert delivered(place) == []
    assert not there.exists()
    assert len(receipts_of(place.lake, RECIPIENT)) == 2
    assert second["package"] == f"{RECIPIENT}/tax_debts-2026-11-18.zip.pgp"


def test_what_an_approval_adds_later_the_same_night_takes_its_place(
    place: Place, agency: Agency, inbox: Path
):
    configure(place, agency)
    place.send(NIGHTS[0], [entry("R1", "ana")], approve=False)
    delivered(place)
    place.send(NIGHTS[0], [entry("R1", "ana")])
    assert delivered(place) == []
    assert sha(inbox / place.file(NIGHTS[0]).name) == sha(place.file(NIGHTS[0]))
    assert len({r["sha256"] for r in receipts_of(place.lake, RECIPIENT)}) == 2


class Watch:
    """Looks at a name all the time: what stands there must be whole, and is put there once."""

    def __init__(self, path: Path, content: bytes) -> None:
        self.path, self.content = path, content
        self.files: set[tuple[int, int]] = set()
        self.broken = 0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._ends.is_set():
            try:
                with self.path.open("rb") as file:
                    made = os.fstat(file.fileno())
                    self.files.add((made.st_ino, made.st_ctime_ns))
                    self.broken += file.read() != self.content
            except FileNotFoundError:
                pass
            time.sleep(0.002)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join(10)


def test_the_connection_cut_at_a_hundred_random_bytes(place: Place, agency: Agency, inbox: Path):
    proxy = Proxy(agency.port)
    configure(place, agency, proxy.port)
    place.send(NIGHTS[0], [entry(f"R{n:03}", "ana") for n in range(400)])
    content = place.file(NIGHTS[0]).read_bytes()
    final = inbox / place.file(NIGHTS[0]).name
    assert delivered(place) == []  # uncut: how many bytes pass
    whole = proxy.passed
    assert whole > 2 * len(content)
    dice = random.Random(11)
    table = place.root / "lake" / "receipts"
    at = [dice.randrange(whole) for _ in range(95)] + [whole - n for n in (1, 60, 120, 300, 700)]
    for n, cut in enumerate(at):
        final.unlink()
        shutil.rmtree(table)
        proxy.cuts = [cut, dice.randrange(whole)] if n % 3 == 0 else [cut]
        with Watch(final, content) as watch:
            assert delivered(place) == [], cut
        assert (watch.broken, len(watch.files)) == (0, 1), cut
        assert [p.name for p in inbox.iterdir()] == [final.name]
        assert final.read_bytes() == content
        (receipt,) = receipts_of(place.lake, RECIPIENT)
        assert (receipt["sha256"], receipt["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
        assert delivered(place) == []
        assert len(receipts_of(place.lake, RECIPIENT)) == 1


def test_cut_in_the_rename_and_taken_away_is_not_delivered_again(place: Place, agency: Agency, inbox: Path):
    """The recipient may take a file in the very moment in which we do not hear that it stands."""
    proxy = Proxy(agency.port)
    configure(place, agency, proxy.port, attempts=1)
    place.send(NIGHTS[0], [entry("R1", "ana")])
    name = place.file(NIGHTS[0]).name
    assert delivered(place) == []
    whole = proxy.passed
    found = 0
    for less in range(0, 1200, 60):
        shutil.rmtree(place.root / "lake" / "receipts")
        (inbox / name).unlink(missing_ok=True)
        proxy.cuts = [whole - less]
        faults = delivered(place)
        time.sleep(0.2)  # the server ends what it began
        if not faults or not (inbox / name).exists():
            continue
        found += 1
        (inbox / name).unlink()
        assert delivered(place) == []
        assert not (inbox / name).exists()
        assert len(receipts_of(place.lake, RECIPIENT)) == 1
        break
    assert found == 1


def test_a_server_that_is_away_is_one_line_and_the_next_export_delivers(
    place: Place, agency: Agency, inbox: Path
):
    place.send(NIGHTS[0], [entry("R1", "ana")])
    place.send(NIGHTS[1], [entry("R1", "ana")])
    place.send(NIGHTS[0], [], name="insolvencies", recipient="insolvency-service")
    configure(place, agency, free_port(), attempts=2)
    (fault,) = delivered(place)
    assert fault.startswith(
        f"{RECIPIENT}: {RECIPIENT}/{NAME}-2026-11-18.zip.pgp could not be delivered in 2 attempts ("
    )
    assert "\n" not in fault
    assert [r["url"] for r in receipts_of(place.lake, "insolvency-service")] == ["exports"]
    assert receipts_of(place.lake, RECIPIENT) == []
    configure(place, agency)
    assert delivered(place) == []
    assert len(list(inbox.iterdir())) == 2


@pytest.mark.parametrize("known", ["another key", "no key"])
def test_a_host_that_is_not_known_gets_nothing(place: Place, agency: Agency, inbox: Path, known: str):
    configure(place, agency)
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    text = (place.keys / "known_hosts").read_text()
    (place.keys / "known_hosts").write_text(
        text.replace(agency.host_key, " ".join(other.split()[:2])) if known == "another key" else ""
    )
    place.send(NIGHTS[0], [entry("R1", "ana")])
    (fault,) = delivered(place)
    assert "host key is not the one in known_hosts" in fault
    assert list(inbox.iterdir()) == []


def test_another_file_under_the_name_is_not_written_over(place: Place, agency: Agency, inbox: Path):
    configure(place, agency)
    place.send(NIGHTS[0], [entry("R1", "ana")])
    there = inbox / place.file(NIGHTS[0]).name
    there.write_bytes(b"something else")
    (fault,) = delivered(place)
    assert "another file stands there" in fault
    assert there.read_bytes() == b"something else"


def test_a_package_damaged_before_it_left_is_not_delivered(place: Place, agency: Agency, inbox: Path):
    configure(place, agency)
    place.send(NIGHTS[0], [entry("R1", "ana")])
    file = place.file(NIGHTS[0])
    file.write_bytes(file.read_bytes()[:-1])
    assert "is not as it was sealed" in delivered(place)[0]
    file.unlink()
    assert "is gone before it was delivered" in delivered(place)[0]
    assert list(inbox.iterdir()) == []


def test_a_folder(place: Place, tmp_path: Path):
    share = tmp_path / "share"
    (place.keys / "delivery.yaml").write_text(f"{RECIPIENT}: {share}\n")
    place.send(NIGHTS[0], [entry("R1", "ana")])
    assert "the folder is not there" in delivered(place)[0]
    share.mkdir()
    assert delivered(place) == []
    assert [p.name for p in share.iterdir()] == [place.file(NIGHTS[0]).name]
    assert sha(share / place.file(NIGHTS[0]).name) == sha(place.file(NIGHTS[0]))
    (receipt,) = receipts_of(place.lake, RECIPIENT)
    assert receipt["url"] == str(share)


def test_an_object_store(place: Place, monkeypatch: pytest.MonkeyPatch):
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        (place.keys / "delivery.yaml").write_text(
            f"{RECIPIENT}: {{url: 's3://inbox/from', first_wait_seconds: 0}}\n"
        )
        place.send(NIGHTS[0], [entry("R1", "ana")])
        assert "the bucket is not there" in delivered(place)[0]
        s3fs.S3FileSystem.clear_instance_cache()
        store = s3fs.S3FileSystem()
        store.mkdir("inbox")
        assert delivered(place) == []
        assert (
            store.cat_file(f"inbox/from/{place.file(NIGHTS[0]).name}") == place.file(NIGHTS[0]).read_bytes()
        )
        (receipt,) = receipts_of(place.lake, RECIPIENT)
        assert receipt["url"] == "s3://inbox/from"
        # a lost receipt: what stands there is it, so it is not sent again
        made = store.info(f"inbox/from/{place.file(NIGHTS[0]).name}")["LastModified"]
        shutil.rmtree(place.root / "lake" / "receipts")
        assert delivered(place) == []
        assert store.info(f"inbox/from/{place.file(NIGHTS[0]).name}", refresh=True)["LastModified"] == made
        assert len(receipts_of(place.lake, RECIPIENT)) == 1
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
        server.stop()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nobody: /tmp", "nobody: is no recipient of the policy"),
        (f"{RECIPIENT}: {{key: x}}", "needs url"),
        (f"{RECIPIENT}: {{url: /tmp, colour: x}}", "needs url and may have"),
        (f"{RECIPIENT}: 'sftp://me:secret@host/x'", "a password in a url"),
        (f"{RECIPIENT}: 'sftp://host/x'", "give sftp://user@host/folder"),
        (f"{RECIPIENT}: 'sftp://me@host/x'", "SFTP needs key"),
        ("- x", "is no mapping of recipients"),
        ("{", "cannot be read"),
    ],
)
def test_a_wrong_delivery_file_is_one_line(place: Place, text: str, words: str):
    (place.keys / "delivery.yaml").write_text(text)
    with pytest.raises(AssentError, match=r"delivery\.yaml") as fault:
        delivered(place)
    assert words in str(fault.value)
    assert "secret" not in str(fault.value)
    assert "\n" not in str(fault.value)
