"""Deliveries in an object store and over SFTP, from real servers on loopback."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.errors import AssentError
from jobs.extract import inputs, run
from tests.servers import program

from .conftest import DAY, ROWS, Place, Server, as_csv

TAX = ROWS["tax"]
CSV = as_csv([{**TAX, "assessment_id": f"T-{i}"} for i in range(20_000)])


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({k: [v] for k, v in TAX.items()}), out)
    return out.getvalue()


FILES = {
    "2026-11-19/tax.csv": CSV,
    "2026-11-19/tax.csv.sha256": hashlib.sha256(CSV).hexdigest().encode(),
    f"{DAY}/tax.csv.gz": gzip.compress(CSV),
    f"{DAY}/tax.parquet": parquet(),
    f"{DAY}/tax_cut.csv.gz": gzip.compress(CSV)[:-20],
    f"{DAY}/notes.txt": b"x",
    "2026-11-21/tax.csv": CSV,
}


def check(place: Place) -> None:
    """What a night takes of FILES."""
    assert place.extract(["tax"]) == {"tax": 40_001, "stopped": 1}
    found = {e["file"]: (e["rows"], e["stopped"], e["bytes"], e["sha256"]) for e in place.manifest()}
    expected = {
        "2026-11-19/tax.csv": (20_000, None),
        f"{DAY}/tax.csv.gz": (20_000, None),
        f"{DAY}/tax.parquet": (1, None),
        f"{DAY}/tax_cut.csv.gz": (None, "truncated"),
    }
    assert found == {
        f: (*said, len(FILES[f]), hashlib.sha256(FILES[f]).hexdigest()) for f, said in expected.items()
    }
    assert [i["sha256"] for i in inputs(place.night)] == [e["sha256"] for e in place.manifest()]
    assert place.landed()[19_999]["assessment_id"] == "T-19999"


# -- S3


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3fs.S3FileSystem.clear_instance_cache()
        fs = s3fs.S3FileSystem()
        fs.mkdir("agency")
        for file, content in FILES.items():
            fs.pipe_file(f"agency/out/{file}", content)
        yield "s3://agency/out"
        s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def test_s3(place: Place, bucket: str) -> None:
    place.night.deliveries = bucket
    check(place)


def test_s3_without_the_folder(place: Place, bucket: str) -> None:
    for url in ("s3://agency/nothing", "s3://no-such-bucket/out"):
        place.night.deliveries = url
        with pytest.raises(AssentError, match=f"deliveries {url}: no such folder"):
            place.extract()


def test_a_lake_in_s3(place: Place, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from jobs.lake.lake import Lake

    place.deliver("tax.csv", CSV)
    place.night.lake = Lake("s3://agency/lake")
    assert run(place.night, ["tax"]) == {"tax": 20_000}
    (entry,) = place.manifest()
    with place.night.lake.fs.open(f"agency/lake/{entry['landing'][0]}") as file:
        assert pq.read_table(file).num_rows == 20_000
    place.deliver("tax.csv", as_csv([TAX])[:-30] + b"\n")
    place.deliver("tax_2.csv", b"x\n")
    assert run(place.night, ["tax"]) == {"tax": 0, "stopped": 2}
    place.night.lake.fs.invalidate_cache()
    assert place.night.lake.fs.glob("agency/lake/landing/tax/**/*.parquet") == []


# -- SFTP


@dataclass
class Sftp:
    """A running server: its address, and the files that a client needs."""

    url: str
    host_key: str
    client_key: Path
    known_hosts: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _open_ssh(server: Server, port: int) -> None:
    """OpenSSH's own sshd."""
    binary = program("sshd", "openssh-server")
    folder = server.folder
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nUsePAM yes\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/client.pub\nPasswordAuthentication no\nSubsystem sftp internal-sftp\n"
    )
    server.start(binary, "-D", "-e", "-f", folder / "sshd_config")
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("sshd does not listen: " + (folder / "server.log").read_text()[-500:])


def _async_ssh(server: Server, port: int) -> None:
    """asyncssh's server, in a thread of this process."""
    ready = threading.Event()

    def serve() -> None:
        async def listen() -> None:
            await asyncssh.listen(
                "127.0.0.1",
                port,
                server_host_keys=[str(server.folder / "host")],
                authorized_client_keys=str(server.folder / "client.pub"),
                sftp_factory=asyncssh.SFTPServer,
            )
            ready.set()
            await asyncio.Event().wait()

        asyncio.run(listen())

    threading.Thread(target=serve, daemon=True).start()
    assert ready.wait(20)


@pytest.fixture(scope="module", params=[_open_ssh, _async_ssh], ids=["openssh", "asyncssh"])
def sftp(request: pytest.FixtureRequest, unprivileged: Server) -> Sftp:
    folder, port = unprivileged.folder, free_port()
    for name in ("host", "client"):
        if not (folder / name).exists():
            key = asyncssh.generate_private_key("ssh-ed25519")
            key.write_private_key(folder / name)
            key.write_public_key(folder / f"{name}.pub")
            (folder / name).chmod(0o600)
    for file, content in FILES.items():
        path = folder / "out" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if os.geteuid() == 0:
        for path in [folder, *folder.rglob("*")]:
            shutil.chown(path, unprivileged.user)
    request.param(unprivileged, port)
    host_key = " ".join((folder / "host.pub").read_text().split()[:2])
    known = folder / f"known_hosts_{port}"
    known.write_text(f"[127.0.0.1]:{port} {host_key}\n")
    return Sftp(
        f"sftp://{unprivileged.user}@127.0.0.1:{port}{folder}/out", host_key, folder / "client", known
    )


@pytest.fixture
def key(sftp: Sftp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mine = tmp_path / "id"
    mine.write_bytes(sftp.client_key.read_bytes())
    mine.chmod(0o600)
    monkeypatch.setenv("ASSENT_SFTP_KEY", str(mine))
    monkeypatch.setenv("ASSENT_KNOWN_HOSTS", str(sftp.known_hosts))


@pytest.mark.usefixtures("key")
def test_sftp(place: Place, sftp: Sftp) -> None:
    place.night.deliveries = sftp.url
    check(place)


@pytest.mark.usefixtures("key")
def test_sftp_without_the_folder(place: Place, sftp: Sftp) -> None:
    place.night.deliveries = sftp.url + "/nothing"
    with pytest.raises(AssentError, match=r"deliveries sftp://127\.0\.0\.1:\d+/.*/nothing: no such folder"):
        place.extract()


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("known", ["another key", "no key", "no file"])
def test_sftp_from_a_host_that_is_not_known(
    place: Place, sftp: Sftp, known: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "known"
    if known == "another key":
        other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        file.write_text(sftp.known_hosts.read_text().replace(sftp.host_key, " ".join(other.split()[:2])))
    elif known == "no key":
        file.write_text("")
    monkeypatch.setenv("ASSENT_KNOWN_HOSTS", str(file))
    place.night.deliveries = sftp.url
    with pytest.raises(AssentError, match="host key") as fault:
        place.extract()
    assert "\n" not in str(fault.value)
    assert "@" not in str(fault.value)
