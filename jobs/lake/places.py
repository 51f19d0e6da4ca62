"""One attempt to bring a file to a place: SFTP with strict host keys, a folder, an object store.

It is written under a temporary name, read back, and only then renamed; what stands under the final name is whole.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import posixpath
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncssh
import fsspec

BLOCK = 1 << 20
SECONDS = 30


class Unreached(Exception):
    """The place could not be reached, or the connection broke: worth another attempt."""


class Refused(Exception):
    """The place cannot take it: another attempt would fail the same."""


class Taken(Exception):
    """It was renamed by an attempt whose end was not heard, and the recipient took it away since."""


@dataclass
class Parcel:
    """A file to be brought under a name.

    ``former``: SHA-256 of what was delivered under that name before and may be replaced. ``renaming``: an earlier
    attempt asked for the rename and did not hear whether it was done; ``before_rename`` remembers that one asks.
    """

    file: Path
    name: str
    sha256: str
    bytes: int
    former: str | None
    renaming: bool
    before_rename: Callable[[], None]

    @property
    def part(self) -> str:
        """The temporary name: always the same, so that a cut attempt's is written over."""
        return f".{self.name}.part"

    def stands(self, size: int, sha256: str) -> bool:
        """Whether what stands under the final name is it; Refused when it is neither it nor its former."""
        if (size, sha256) == (self.bytes, self.sha256):
            return True
        if self.former is not None and sha256 == self.former:
            return False
        raise Refused(f"another file stands there under the name {self.name}; have it looked at and removed")

    def same(self, size: int, sha256: str) -> None:
        """Unreached unless what was read back is what was sent."""
        if (size, sha256) != (self.bytes, self.sha256):
            raise Unreached("what was read back is not what was sent")


def bring(parcel: Parcel, url: str, key: Path | None, known_hosts: Path | None) -> None:
    """Brings a parcel to a place, unless it stands there already.

    Unreached or Refused say in a few words why not, without an address; Taken as it says.
    """
    scheme = urlsplit(url).scheme
    if scheme in ("sftp", "ssh"):
        assert key is not None
        assert known_hosts is not None
        asyncio.run(_by_sftp(parcel, url, key, known_hosts))
    elif scheme in ("", "file"):
        _to_folder(parcel, Path(urlsplit(url).path if scheme else url))
    else:
        _to_store(parcel, url)


# -- SFTP
async def _by_sftp(parcel: Parcel, url: str, key: Path, known_hosts: Path) -> None:
    at = urlsplit(url)
    folder = unquote(at.path) or "."
    try:
        async with (
            asyncssh.connect(
                at.hostname or "",
                at.port or 22,
                username=unquote(at.username or ""),
                client_keys=[str(key)],
                known_hosts=str(known_hosts),
                config=None,
                agent_path=None,
                connect_timeout=SECONDS,
                login_timeout=SECONDS,
                keepalive_interval=SECONDS,
            ) as connection,
            connection.start_sftp_client() as sftp,
        ):
            await _put(sftp, parcel, folder)
    except asyncssh.HostKeyNotVerifiable:
        raise Refused(
            "the server's host key is not the one in known_hosts; ask its operator, then mend that file"
        ) from None
    except asyncssh.PermissionDenied:
        raise Refused("the server does not take the key; give it the public half") from None
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPPermissionDenied, asyncssh.SFTPNoSuchPath) as e:
        raise Refused(f"the folder is not there or not writable ({type(e).__name__}); have it made") from None
    except (asyncssh.KeyImportError, FileNotFoundError) as e:
        raise Refused(
            f"the key or known_hosts cannot be read ({type(e).__name__}); mend delivery.yaml"
        ) from None
    except (OSError, asyncssh.Error, asyncio.IncompleteReadError, TimeoutError) as e:
        raise Unreached(type(e).__name__) from None


async def _put(sftp: asyncssh.SFTPClient, parcel: Parcel, folder: str) -> None:
    final, part = posixpath.join(folder, parcel.name), posixpath.join(folder, parcel.part)
    if await sftp.exists(final):
        if parcel.stands(*await _read_back(sftp, final)):
            return
    elif parcel.renaming and not await sftp.exists(part):
        raise Taken
    async with sftp.open(part, "wb") as remote:
        with parcel.file.open("rb") as local:
            while block := local.read(BLOCK):
                await remote.write(block)
    parcel.same(*await _read_back(sftp, part))
    parcel.before_rename()
    parcel.renaming = True
    await sftp.posix_rename(part, final)
    if (await sftp.stat(final)).size != parcel.bytes:
        raise Unreached("what stands there has another size")


async def _read_back(sftp: asyncssh.SFTPClient, path: str) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    async with sftp.open(path, "rb") as remote:
        while block := await remote.read(BLOCK):
            assert isinstance(block, bytes)
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()


# -- a folder (a mounted share), an object store
def _digest(file: Any) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while block := file.read(BLOCK):
        digest.update(block)
        size += len(block)
    return size, digest.hexdigest()


def _to_folder(parcel: Parcel, folder: Path) -> None:
    final, part = folder / parcel.name, folder / parcel.part
    try:
        if not stat.S_ISDIR(folder.stat().st_mode):
            raise Refused("the folder is not there; have it made")
        if final.exists():
            with final.open("rb") as there:
                if parcel.stands(*_digest(there)):
                    return
        elif parcel.renaming and not part.exists():
            raise Taken
        with parcel.file.open("rb") as local, part.open("wb") as remote:
            while block := local.read(BLOCK):
                remote.write(block)
            remote.flush()
            os.fsync(remote.fileno())
        with part.open("rb") as there:
            parcel.same(*_digest(there))
        parcel.before_rename()
        parcel.renaming = True
        part.replace(final)
    except (FileNotFoundError, PermissionError, NotADirectoryError) as e:
        raise Refused(f"the folder is not there or not writable ({e.strerror}); have it made") from None
    except OSError as e:
        raise Unreached(e.strerror or type(e).__name__) from None


def _to_store(parcel: Parcel, url: str) -> None:
    """An object appears whole or not at all, so it needs no temporary name."""
    try:
        store, path = fsspec.core.url_to_fs(url, skip_instance_cache=True, use_listings_cache=False)
        final = f"{path.rstrip('/')}/{parcel.name}"
        if store.exists(final):
            with store.open(final, "rb") as there:
                if parcel.stands(*_digest(there)):
                    return
        store.put_file(str(parcel.file), final)
        with store.open(final, "rb") as there:
            parcel.same(*_digest(there))
    except (ImportError, ValueError) as e:
        raise Refused(f"no such kind of place ({type(e).__name__}); mend delivery.yaml") from None
    except (FileNotFoundError, PermissionError) as e:
        raise Refused(f"the bucket is not there or not writable ({type(e).__name__}); have it made") from None
    except (Refused, Unreached):
        raise
    except Exception as e:
        raise Unreached(type(e).__name__) from None
