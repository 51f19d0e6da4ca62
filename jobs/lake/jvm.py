"""The Java side of Spark: how it is started, and how several processes share one (``ASSENT_JVM``)."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyspark
from pyspark.serializers import UTF8Deserializer, read_int

from jobs.errors import AssentError, UsageError

LONGEST_HOURS = 12.0  # of a shared JVM: a night that nobody tears down does not hold its memory for ever
LOG4J = Path(__file__).parent / "log4j2.properties"

# What Spark reaches into on Java 17 and later; the list of its own launcher (JavaModuleOptions).
OPENED = (
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.io",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.base/sun.nio.cs",
    "java.base/sun.security.action",
    "java.base/sun.util.calendar",
)


class Connection(NamedTuple):
    """Where a JVM listens on the loopback, and the word that opens it."""

    port: int
    secret: str


def command(java: Path, options: Sequence[str], settings: Mapping[str, str]) -> list[str]:
    """The command line of Spark's Python gateway.

    Started directly and not through ``bin/spark-submit``: its launcher starts a second JVM only to print this line,
    and insists on a module (jdk.incubator.vector) that the runtimes among Python packages leave out.
    """
    home = Path(pyspark.__file__).parent
    return [
        str(java / "bin" / "java"),
        f"-Dlog4j2.configurationFile={LOG4J.as_uri()}",
        "-XX:+IgnoreUnrecognizedVMOptions",
        "-XX:+UseParallelGC",  # a batch on a few cores: throughput, not pauses
        "-Djdk.reflect.useDirectMethodHandle=false",
        "-Dio.netty.tryReflectionSetAccessible=true",
        *(f"--add-opens={name}=ALL-UNNAMED" for name in OPENED),
        *options,
        "-cp",
        f"{home}/jars/*",
        "org.apache.spark.deploy.SparkSubmit",
        *(word for key, value in settings.items() for word in ("--conf", f"{key}={value}")),
        "pyspark-shell",
    ]


def start(
    java: Path, options: Sequence[str], settings: Mapping[str, str]
) -> tuple[Connection, subprocess.Popen[bytes]]:
    """A JVM that ends with this process."""
    folder = Path(tempfile.mkdtemp(prefix="assent-jvm-"))
    try:
        told = folder / "connection"
        env = {
            **os.environ,
            "JAVA_HOME": str(java),
            "SPARK_HOME": str(Path(pyspark.__file__).parent),
            "SPARK_CONNECT_MODE": "0",
            "_PYSPARK_DRIVER_CONN_INFO_PATH": str(told),
        }
        process = subprocess.Popen(
            command(java, options, settings),
            env=env,
            stdin=subprocess.PIPE,  # its end is the sign to stop
            process_group=0,  # an interrupt from the terminal is for Python, which then ends the JVM
        )
        while not told.exists():
            try:
                status = process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise AssentError(
                f"the JVM of Spark ended with status {status} before it answered ({java}); "
                "check ASSENT_DRIVER_MEMORY and the lines above"
            )
        with told.open("rb") as f:
            connection = Connection(read_int(f), UTF8Deserializer().loads(f))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    atexit.register(_end, process)
    return connection, process


def _end(process: subprocess.Popen[bytes]) -> None:
    """Lets the JVM clean its folders away; ends it hard when it does not."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()


def shared() -> Connection | None:
    """The JVM that ``ASSENT_JVM`` names; None when it names none."""
    path = os.environ.get("ASSENT_JVM")
    if not path:
        return None
    try:
        with open(path, encoding="utf-8") as f:
            if os.fstat(f.fileno()).st_mode & 0o077:
                raise AssentError(f"ASSENT_JVM={path} can be read by others; make it mode 0600")
            said = json.load(f)
        return Connection(int(said["port"]), str(said["secret"]))
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise AssentError(
            f"ASSENT_JVM={path} names no JVM ({type(e).__name__}); start one with "
            f"`python -m jobs.lake.jvm {path}` or unset it"
        ) from None


def serve(path: Path, stop: threading.Event | None = None, small: bool = False) -> None:
    """Starts a JVM with its Spark context, says where in ``path`` (mode 0600), and waits.

    It ends on SIGINT, SIGTERM, ``stop``, when the file is gone, or after :data:`LONGEST_HOURS`; AssentError when the
    JVM ended by itself. ``small``: as :func:`jobs.lake.spark.launch` has it.
    """
    from jobs.lake.spark import launch

    if path.exists():
        raise UsageError(f"{path} exists; another JVM may serve there, remove the file if not")
    stop = stop or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
    connection, process, context = launch("assent", small)
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as f:
            json.dump({**connection._asdict(), "pid": os.getpid()}, f)
        scratch.replace(path)
    except OSError as e:
        raise AssentError(f"{path} cannot be written ({e.strerror})") from None
    until = time.monotonic() + LONGEST_HOURS * 3600
    try:
        while not stop.wait(0.2) and path.exists() and time.monotonic() < until:
            status = process.poll()
            if status is not None:
                raise AssentError(
                    f"the JVM of Spark ended with status {status}; check its memory and start it again"
                )
        context.stop()
    finally:
        path.unlink(missing_ok=True)


def main(argv: Sequence[str]) -> int:
    """``python -m jobs.lake.jvm FILE [--small]``."""
    files = [a for a in argv if a != "--small"]
    try:
        if len(files) != 1:
            raise UsageError("usage: python -m jobs.lake.jvm FILE [--small]")
        serve(Path(files[0]), small="--small" in argv)
    except AssentError as e:
        print(e, file=sys.stderr)
        return e.status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
