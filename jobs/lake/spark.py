"""The one place where a Spark session is made."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from py4j.java_gateway import java_import
from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from jobs.errors import AssentError
from jobs.lake import class_archive, jvm
from jobs.lake.setup import find_java

if TYPE_CHECKING:
    from py4j.java_gateway import JavaGateway

# Of a small night a third of all CPU went into the JVM's compilers, most of it into code with counters for a second
# compiler that never came. One compiler alone has a smaller cache by default, which a night fills.
SMALL = ("-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=240m")
# Making and compiling a class for each stage of each plan was another fifth.
SMALL_SETTINGS = {
    "spark.sql.codegen.wholeStage": "false",
    # each task is handed its plan and a copy of Hadoop's settings: one, where four would have a few rows each
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.files.minPartitionNum": "1",
    "spark.sql.files.openCostInBytes": str(64 << 10),
}
# Classes that are made stay for the next plan that needs the same one. Spark keeps a hundred, and a small night makes
# some six hundred, of which the night after it can use nine in ten.
CLASSES = "5000"

# PySpark asks for these by their last name for every column that it makes; packages are imported whole, so each time
# every jar was searched for a class of that name in each package before the right one.
NAMED = (
    "org.apache.spark.sql.functions",
    "org.apache.spark.api.python.PythonUtils",
    "org.apache.spark.sql.api.python.PythonSQLUtils",
)

_lock = threading.Lock()
_session: SparkSession | None = None


def master() -> str:
    """``SPARK_MASTER``, or all cores of this machine."""
    return os.environ.get("SPARK_MASTER") or "local[*]"


def settings(app: str) -> dict[str, str]:
    """Every Spark setting that differs from Spark's own."""
    local = master().startswith("local")
    known = {
        "spark.master": master(),
        "spark.app.name": app,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # described for the interface above at every stage's end, also where there is none
        "spark.sql.ui.explainMode": "simple",
        "spark.eventLog.enabled": "false",
        # A night is a date: nothing may depend on where the machine stands.
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        # HotSpot never compiles a method over 8,000 bytes. A stage that needs one (a card of sixteen characteristics
        # does) runs operator by operator instead, whose code Spark can split.
        "spark.sql.codegen.hugeMethodLimit": "8000",
        "spark.sql.codegen.cache.maxEntries": CLASSES,
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.warehouse.dir": f"{tempfile.gettempdir()}/assent-spark-warehouse",  # made, never used
        "spark.pyspark.python": sys.executable,
        "spark.pyspark.driver.python": sys.executable,
    }
    if local:
        known |= {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.sql.shuffle.partitions": "4",
            "spark.default.parallelism": "4",
            # a table of many nights is many files, which are sooner listed here than by a job
            "spark.sql.sources.parallelPartitionDiscovery.threshold": "100000",
        }
    return known


def launch(
    app: str, small: bool = False, more: Sequence[str] = ()
) -> tuple[jvm.Connection, subprocess.Popen[bytes], SparkContext]:
    """A JVM of our own, and its Spark context. ``small``: for so few rows that fast code is not worth its making."""
    java = find_java()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    options = [f"-Xmx{os.environ.get('ASSENT_DRIVER_MEMORY') or '3g'}", *more]
    known = settings(app)
    if small:
        options += SMALL
        known |= SMALL_SETTINGS
    connection, process = jvm.start(java, [*options, *class_archive.options(java)], known)
    gateway = _gateway(connection)
    context = SparkContext(conf=SparkConf(_jvm=gateway.jvm), gateway=gateway)
    atexit.register(context.stop)  # before the JVM ends, which `start` has registered
    return connection, process, context


def _gateway(connection: jvm.Connection) -> JavaGateway:
    """Python's end of a running JVM, with the imports that PySpark expects."""
    os.environ["PYSPARK_GATEWAY_PORT"] = str(connection.port)
    os.environ["PYSPARK_GATEWAY_SECRET"] = connection.secret
    try:
        gateway = launch_gateway()
        for name in NAMED:
            java_import(gateway.jvm, name)
        return gateway
    finally:  # not for the processes that this one starts
        del os.environ["PYSPARK_GATEWAY_PORT"], os.environ["PYSPARK_GATEWAY_SECRET"]


def _attach(connection: jvm.Connection) -> SparkSession:
    """A session of one's own in a JVM that others use too; its end leaves the JVM as it is."""
    try:
        gateway = _gateway(connection)
        running = gateway.jvm.org.apache.spark.SparkContext.getOrCreate()
        jsc = gateway.jvm.org.apache.spark.api.java.JavaSparkContext.fromSparkContext(running)
        context = SparkContext(conf=SparkConf(_jconf=running.getConf()), gateway=gateway, jsc=jsc)
        first = gateway.jvm.org.apache.spark.sql.classic.SparkSession.builder().getOrCreate()
        return SparkSession(context, first.newSession())
    except (Py4JError, OSError) as e:
        raise AssentError(
            f"no JVM answers at ASSENT_JVM={os.environ['ASSENT_JVM']} ({type(e).__name__}); "
            "start it again, or unset it"
        ) from None


def spark_session(app: str = "assent", small: Callable[[], bool] = lambda: False) -> SparkSession:
    """The session of this process: in the JVM that ``ASSENT_JVM`` names, or in one of its own.

    ``small``, as :func:`launch` has it, is asked only where one is started.
    """
    global _session
    with _lock:
        if _session is None:
            connection = jvm.shared()
            _session = _attach(connection) if connection else SparkSession(launch(app, small())[2])
        return _session


__all__ = ["spark_session"]
