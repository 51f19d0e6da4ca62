"""How much memory and time sealing a package takes, of a given size.

    python -m benchmarks.sealing 5000

makes a file of that many megabytes without a name on disk, zips, signs and encrypts it as a package, and prints the
peak resident memory of the process and its speed; then gpg decrypts it and checks its signature.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

from benchmarks.extract_memory import peak_mebibytes
from jobs.lake.config import load_policy
from jobs.lake.recipients import keys_of, make_demo_recipients, open_operator
from jobs.lake.sealing import Box

RECIPIENT = "enforcement-office"


def write(file: BinaryIO, megabytes: int) -> None:
    """Bytes that do not compress, a megabyte at a time."""
    block = os.urandom(1 << 20)
    for n in range(megabytes):
        file.write(n.to_bytes(8, "big") + block[8:])


def read_by_gpg(keys: Path, sealed: Path) -> None:
    """Decrypts with GnuPG, which fails for a broken message or signature."""
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        gpg = ["gpg", "--homedir", home, "--batch", "--quiet"]
        secret = keys / "demo-recipients" / f"{RECIPIENT}.sec.asc"
        try:
            subprocess.run([*gpg, "--import", keys / "operator.pub.asc", secret], check=True)
            subprocess.run([*gpg, "--output", "/dev/null", "--yes", "--decrypt", sealed], check=True)
        finally:
            subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("megabytes", type=int)
    megabytes = parser.parse_args().megabytes
    with tempfile.TemporaryDirectory(prefix="assent-sealing-") as root:
        keys = Path(root) / "keys"
        operator = open_operator(keys, print)
        make_demo_recipients(keys, load_policy(), lambda text: None)
        before = peak_mebibytes()
        started, busy = time.monotonic(), time.process_time()
        with Box(Path(root)) as box:
            box.add("data", lambda file: write(file, megabytes))
            target = Path(root) / "exports" / "package.zip.pgp"
            sealed = box.seal(operator, keys_of(keys, RECIPIENT), target, dt.date(2026, 11, 18))
        sealed.release()
        seconds, busy = time.monotonic() - started, time.process_time() - busy
        print(
            f"{megabytes} MiB in {seconds:.1f} s ({busy:.1f} s of a core), {megabytes / seconds:.0f} MiB/s, "
            f"peak {peak_mebibytes():.0f} MiB ({before:.0f} before)"
        )
        started = time.monotonic()
        read_by_gpg(keys, target)
        print(f"read by gpg in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
