"""Delivery: a package to where its recipient takes it, whole, once, and with a receipt (docs/decisions/11).

Where that is belongs to the deployment, not to the policy: ``<keys>/delivery.yaml``, or the file that ASSENT_DELIVERY
names, maps a recipient to ``url`` (``sftp://user@host:port/folder``, a folder, ``s3://bucket/prefix``), and for SFTP
``key`` and ``known_hosts`` (files, relative to that one). A recipient that is not in it takes its packages from the
exports folder itself.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from jobs.errors import AssentError
from jobs.lake.exported import packages_of
from jobs.lake.lake import Lake
from jobs.lake.out import out_folder
from jobs.lake.outbox import write_whole
from jobs.lake.packages import settle
from jobs.lake.places import Parcel, Refused, Taken, Unreached, bring
from jobs.lake.sealing import sha256_of
from schemas.tables import RECEIPTS

ALLOWED = {"url", "key", "known_hosts", "attempts", "first_wait_seconds"}
HERE = "exports"  # the url of a receipt where the exports folder is the delivery


@dataclass(frozen=True)
class Destination:
    """Where one recipient's packages go. ``attempts`` with a wait that doubles from ``first_wait_seconds``."""

    url: str
    key: Path | None = None
    known_hosts: Path | None = None
    attempts: int = 6
    first_wait_seconds: float = 2.0


def destinations(keys: Path, recipients: list[str]) -> dict[str, Destination]:
    """What the deployment says; AssentError with the file's name when it cannot be used."""
    path = Path(os.environ.get("ASSENT_DELIVERY") or keys / "delivery.yaml")
    if not path.exists() and "ASSENT_DELIVERY" not in os.environ:
        return {}
    try:
        given = YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, YAMLError) as e:
        raise AssentError(f"{path}: cannot be read ({type(e).__name__}); mend the file") from None
    if not isinstance(given, dict):
        raise AssentError(f"{path}: is no mapping of recipients; mend the file")
    return {str(r): _destination(path, str(r), node, recipients) for r, node in given.items()}


def _destination(path: Path, recipient: str, node: Any, recipients: list[str]) -> Destination:
    def wrong(why: str) -> AssentError:
        return AssentError(f"{path}: {recipient}: {why}; mend the file")

    node = {"url": node} if isinstance(node, str) else node
    if recipient not in recipients:
        raise wrong("is no recipient of the policy")
    if not isinstance(node, dict) or not isinstance(node.get("url"), str) or set(node) - ALLOWED:
        raise wrong(f"needs url and may have {', '.join(sorted(ALLOWED - {'url'}))}")
    url = urlsplit(node["url"])
    if url.password is not None:
        raise wrong("a password in a url is seen by too many; name a key file with key")
    if url.scheme in ("sftp", "ssh") and not (url.hostname and url.username):
        raise wrong("give sftp://user@host/folder")
    files = {k: path.parent / str(node[k]) for k in ("key", "known_hosts") if k in node}
    if url.scheme in ("sftp", "ssh"):
        for name in ("key", "known_hosts"):
            if name not in files or not files[name].is_file():
                raise wrong(f"SFTP needs {name}, a file that is there")
    try:
        return Destination(
            node["url"],
            files.get("key"),
            files.get("known_hosts"),
            int(node.get("attempts", 6)),
            float(node.get("first_wait_seconds", 2.0)),
        )
    except (TypeError, ValueError):
        raise wrong("attempts and first_wait_seconds are numbers") from None


def receipts_of(lake: Lake, recipient: str) -> list[dict[str, Any]]:
    """Receipts of a recipient, oldest first."""
    known = lake.newest.table("receipts")
    if known is None:
        return []
    rows = known.filter(pc.field("recipient") == recipient).to_pylist()
    return sorted(rows, key=lambda r: r["delivered_at"])


def deliver(lake: Lake, keys: Path, recipients: list[str], say: Callable[[str], None]) -> list[str]:
    """Delivers every package without a receipt, oldest first; returns one line a recipient that could not be served.

    A package that an approval replaced is not sent any more. A later one waits while an earlier one cannot go.
    """
    places = destinations(keys, recipients)
    faults = []
    for recipient in recipients:
        settle(lake, recipient)
        current: dict[str, dict[str, Any]] = {r["package"]: r for r in packages_of(lake, recipient)}
        had = receipts_of(lake, recipient)
        done = {(r["package"], r["sha256"]) for r in had}
        waiting = [r for r in current.values() if (r["package"], r["sha256"]) not in done]
        for row in sorted(waiting, key=lambda r: (r["night"], r["name"])):
            former = next((r["sha256"] for r in reversed(had) if r["package"] == row["package"]), None)
            try:
                url = _deliver_one(lake, row, former, places.get(recipient))
            except AssentError as e:
                faults.append(f"{recipient}: {e}")
                break
            _receipt(lake, row, url)
            if url != HERE:
                say(f"delivered {row['package']} to {url}")
    return faults


def _deliver_one(lake: Lake, row: dict[str, Any], former: str | None, place: Destination | None) -> str:
    """Brings one package to its place and returns where that is; AssentError when it is not there after all."""
    file = out_folder(lake.root) / "exports" / row["package"]
    if file.exists():
        with file.open("rb") as opened:
            if sha256_of(opened) != row["sha256"]:
                raise AssentError(f"{row['package']} is not as it was sealed; restore it from your backup")
    elif place is not None:
        raise AssentError(f"{row['package']} is gone before it was delivered; restore it from your backup")
    if place is None:  # it is there, or its recipient took it away already
        return HERE
    marker = file.with_name(f".{file.name}.renaming")
    parcel = Parcel(
        file=file,
        name=file.name,
        sha256=row["sha256"],
        bytes=row["bytes"],
        former=former,
        renaming=marker.exists() and marker.read_text(encoding="utf-8") == row["sha256"],
        before_rename=lambda: write_whole(marker, [row["sha256"]]),
    )
    attempts = Retrying(
        stop=stop_after_attempt(place.attempts),
        wait=wait_exponential_jitter(
            initial=place.first_wait_seconds, max=300, jitter=place.first_wait_seconds
        ),
        retry=retry_if_exception_type(Unreached),
    )
    try:
        attempts(bring, parcel, place.url, place.key, place.known_hosts)
    except RetryError as e:
        last = e.last_attempt.exception()
        raise AssentError(
            f"{row['package']} could not be delivered in {place.attempts} attempts ({last}); it is tried again with "
            "the next export"
        ) from None
    except Refused as e:
        raise AssentError(f"{row['package']} could not be delivered: {e}") from None
    except Taken:
        pass
    marker.unlink(missing_ok=True)
    return shown(place.url)


def shown(url: str) -> str:
    """A url without who logs in."""
    parts = urlsplit(url)
    if not parts.netloc:
        return url
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def _receipt(lake: Lake, row: dict[str, Any], url: str) -> None:
    made = {k: row[k] for k in ("night", "recipient", "package", "sha256", "bytes")}
    made |= {"url": url, "delivered_at": dt.datetime.now(dt.UTC)}
    lake.append_arrow("receipts", pa.Table.from_pylist([made], schema=RECEIPTS.arrow()))
