"""Who can be written to: the operator's own OpenPGP key and the recipients' certificates, in the keys folder.

``operator.pub.asc`` and ``operator.sec.asc``; ``recipients/<name>.pub.asc``, which may hold several certificates (a
rotation with overlap); for the demo ``demo-recipients/<name>.sec.asc``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.errors import AssentError
from jobs.lake.config import REPOSITORY
from jobs.lake.openpgp import Certificate, Operator, certificates
from jobs.rules.policy import Policy

if TYPE_CHECKING:
    from pysequoia import Cert

PUBLIC, SECRET, ROTATION = "operator.pub.asc", "operator.sec.asc", "operator.pub.asc.sig"
GIVEN, DEMO = "recipients", "demo-recipients"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class RecipientStopped(AssentError):
    """A recipient without a usable key: nothing was written for it, the others go on. One line, names what to do."""


def recipients_of(policy: Policy) -> dict[str, str]:
    """Every recipient of the policy and what it receives, in the policy's order."""
    found: dict[str, list[str]] = {}
    for register in policy.registers.values():
        found.setdefault(register.recipient, []).append(register.name)
    for purpose in policy.purposes.values():
        for recipient in purpose.recipients:
            found.setdefault(recipient, []).append(f"scores {purpose.name}")
    return {r: ", ".join(what) for r, what in found.items()}


def certificate_path(folder: Path, recipient: str) -> Path:
    """Where a recipient's certificates are; AssentError when its name cannot be a file's."""
    if not NAME.fullmatch(recipient):
        raise AssentError(f"recipient {recipient!r} cannot name a file; use letters, digits, `.`, `_`, `-`")
    return folder / GIVEN / f"{recipient}.pub.asc"


def certificates_of(folder: Path, recipient: str) -> list[Certificate]:
    """The certificates of a recipient, usable or not; RecipientStopped when there is no file or it is none."""
    path = certificate_path(folder, recipient)
    try:
        return certificates(path.read_bytes())
    except OSError as e:
        reason = "no key" if isinstance(e, FileNotFoundError) else f"its key cannot be read ({e.strerror})"
        raise RecipientStopped(
            f"{recipient}: {reason} {path}; ask for its OpenPGP certificate, then `assent keys import {recipient} FILE`"
        ) from None
    except ValueError as e:
        raise RecipientStopped(f"{recipient}: {path} {e}") from None


def keys_of(folder: Path, recipient: str) -> list[Cert]:
    """What to encrypt to for a recipient: each of its usable certificates; RecipientStopped when none is."""
    found = certificates_of(folder, recipient)
    usable = [c.target for c in found if c.target is not None]
    if not usable:
        why = "; ".join(f"{c.fingerprint[-16:]} {c.problem}" for c in found)
        raise RecipientStopped(
            f"{recipient}: no usable key ({why}); ask for a new certificate, then `assent keys import {recipient} FILE`"
        )
    return usable


def write_private(path: Path, text: str) -> None:
    """A file of the keys folder, whole or not at all, mode 0600."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.new")
    try:
        with open(
            os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as e:
        raise AssentError(f"{path} cannot be written ({e.strerror}); check the folder's rights") from None


def open_operator(folder: Path, say: Callable[[str], None]) -> Operator:
    """The operator's key, made where a keys folder has none yet; AssentError when its private half is lost."""
    public, secret = folder / PUBLIC, folder / SECRET
    if not secret.exists():
        if public.exists():
            raise AssentError(f"{secret} is missing, and {public} is there; restore it from your backup")
        write_private(secret, Operator.generate("Assent operator").decode())
        say(f"keys: made the operator's OpenPGP key; give recipients {public} and its fingerprint")
    try:
        operator = Operator(secret.read_bytes())
    except OSError as e:
        raise AssentError(f"{secret} cannot be read ({e.strerror}); restore it from your backup") from None
    if not public.exists():
        write_private(public, operator.public)
    return operator


def is_shipped(policy: Policy) -> bool:
    """Whether the policy is the demo's, byte for byte."""
    from jobs.lake.config import load_policy

    return load_policy(REPOSITORY / "policy.yaml").sha256 == policy.sha256


def make_demo_recipients(folder: Path, policy: Policy, say: Callable[[str], None]) -> None:
    """Certificates of invented recipients, with their private halves, for the shipped policy and no certificate given.

    Made with gpg: keys of pysequoia's own making lead to a format that GnuPG 2.2 rejects.
    """
    if not is_shipped(policy) or any((folder / GIVEN).glob("*.pub.asc")):
        return
    gpg, conf = shutil.which("gpg"), shutil.which("gpgconf")
    if gpg is None or conf is None:
        raise AssentError(
            f"the demo recipients' keys are made with gpg, which is missing: install GnuPG, or put each recipient's "
            f"certificate in {folder / GIVEN}"
        )
    names = list(recipients_of(policy))
    with tempfile.TemporaryDirectory(prefix="assent-gpg-") as home:  # short: gpg's sockets lie in it
        try:
            pairs = {name: _pair(gpg, home, name) for name in names}
        finally:
            subprocess.run([conf, "--homedir", home, "--kill", "all"], capture_output=True, check=False)
    for name, (_, secret) in pairs.items():
        write_private(folder / DEMO / f"{name}.sec.asc", secret)
    # all certificates at once, so that a killed first night is begun again
    scratch = folder / f".{GIVEN}.new"
    shutil.rmtree(scratch, ignore_errors=True)
    for name, (public, _) in pairs.items():
        write_private(scratch / f"{name}.pub.asc", public)
    shutil.rmtree(folder / GIVEN, ignore_errors=True)
    scratch.rename(folder / GIVEN)
    say(
        f"keys: no recipient's key is given and the policy is the shipped one: made {len(names)} demo recipients in "
        f"{folder / GIVEN}, their private halves without a passphrase in {folder / DEMO}; never use them for real data"
    )


def _pair(gpg: str, home: str, name: str) -> tuple[str, str]:
    """A new key pair: armored certificate and private key."""
    words = [
        gpg,
        "--homedir",
        home,
        "--batch",
        "--no-tty",
        "--quiet",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "",
    ]

    def run(*more: str) -> str:
        done = subprocess.run([*words, *more], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise AssentError(
                f"gpg cannot make the demo key of {name} ({said[:120]}); put a certificate in its place"
            )
        return done.stdout

    said = run(
        "--status-fd", "1", "--quick-generate-key", f"{name} (demo)", "future-default", "default", "never"
    )
    fingerprint = next(line.split()[-1] for line in said.splitlines() if " KEY_CREATED " in line)
    return run("--armor", "--export", fingerprint), run("--armor", "--export-secret-keys", fingerprint)


def read_given(path: Path) -> bytes:
    """A file that somebody gave; AssentError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as e:
        raise AssentError(f"{path} cannot be read ({e.strerror}); mend the path") from None


def import_certificates(
    folder: Path, policy: Policy, recipient: str, data: bytes, replace: bool
) -> list[Certificate]:
    """Adds what a recipient gave to its file, or replaces the file; returns what stands there now.

    An equal fingerprint is renewed. AssentError, and nothing written, when none of what was given can be used.
    """
    if recipient not in recipients_of(policy):
        raise AssentError(
            f"recipient {recipient} is not in the policy; name one of {', '.join(recipients_of(policy))}"
        )
    path = certificate_path(folder, recipient)
    try:
        given = certificates(data)
    except ValueError as e:
        raise AssentError(f"recipient {recipient}: the file {e}") from None
    refused = [f"{c.fingerprint[-16:]} {c.problem}" for c in given if c.problem]
    if refused:
        raise AssentError(f"recipient {recipient}: not imported, {'; '.join(refused)}")
    held = [] if replace or not path.exists() else certificates(path.read_bytes())
    new = {c.fingerprint for c in given}
    kept = [*given, *(c for c in held if c.fingerprint not in new)]
    write_private(path, "".join(c.armored for c in kept))
    return kept


def rotate_operator(folder: Path) -> tuple[Operator, Path]:
    """A new operator's key. The public file holds both, and its detached signature by the former key.

    What recipients hold of the former vouches so for the new one; old packages still verify.
    """
    former = open_operator(folder, lambda text: None)
    secret = Operator.generate("Assent operator")
    made = Operator(secret)
    both = made.public + (folder / PUBLIC).read_text(encoding="utf-8")
    write_private(folder / PUBLIC, both)
    write_private(folder / ROTATION, former.sign(both.encode()))
    write_private(folder / SECRET, secret.decode())
    return made, folder / ROTATION
