"""What was measured, kept: each run as a line of ``results.jsonl``, all of them as ``results.md`` and two plots.

A run is told by its machine and the version of the code, so that figures are only ever held against their like.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pyspark

HERE = Path(__file__).parents[1]
LINES, PAGE, PLOT = HERE / "results.jsonl", HERE / "results.md", HERE / "results.svg"
OTHERS = HERE / "others.json"  # the newest figures of measures that have no size
SHOWN = (
    "duckdb_full_s",
    "full_s",
    "rebuild_s",
    "usual_night_s",
    "roll_night_s",
    "features_score_full_s",
    "features_score_night_s",
    "validate_share",
    "csv_landing_ratio",
    "jvm_starts",
    "peak_rss_mib",
    "bytes_lake",
    "equal",
)


def machine() -> str:
    """Processor, cores, memory and the versions that decide the figures."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({model}), {gib:.0f} GiB, Python {platform.python_version()}, "
        f"Spark {pyspark.__version__}, DuckDB {duckdb.__version__}"
    )


def _today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()


def _commit() -> str:
    said = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unknown"


def runs() -> list[dict[str, Any]]:
    """Every run kept, oldest first."""
    return [json.loads(line) for line in LINES.read_text().splitlines()] if LINES.exists() else []


def ratios(run: dict[str, Any]) -> dict[str, float]:
    """The goals that one run can tell; a lean one does not tell of landing."""
    found = {
        "features and score, full, against DuckDB": run["features_score_full_s"] / run["duckdb_full_s"],
        "features and score, usual night, against DuckDB": run["features_score_night_s"]
        / run["duckdb_full_s"],
        "usual night against full night": run["usual_night_s"] / run["full_s"],
        "validation's share of the night": run["validate_share"],
        "CSV to landing against COPY": run.get("csv_landing_ratio"),
        "peak memory, GiB": run["peak_rss_mib"] / 1024,
    }
    return {name: value for name, value in found.items() if value is not None}


# what is wanted, the words for it, whether the size is the one it is wanted at
GOALS = (
    ("features and score, full, against DuckDB", 1.5, 1_000_000),
    ("features and score, usual night, against DuckDB", 0.3, 10_000_000),
    ("usual night against full night", 0.2, 10_000_000),
    ("validation's share of the night", 0.25, None),
    ("CSV to landing against COPY", 1.5, None),
    ("peak memory, GiB", 16, 10_000_000),
)


def _rows_of_goals(found: list[dict[str, Any]]) -> list[list[str]]:
    """Each goal with its figure in the newest run of the largest size, and those that need two runs or another."""
    newest = {(r["persons"], r["months"]): r for r in found}
    rows = [["goal", "wanted", "measured", "at", ""]]

    def row(name: str, wanted: float, value: float, at: str, right: bool = True) -> None:
        met = "met" if value <= wanted else "not met"
        rows.append([name, f"≤ {wanted:g}", f"{value:.2f}", at, met if right else f"{met} at this size"])

    for name, wanted, at in GOALS:
        # at the size it is wanted at, or else at the largest that tells it
        telling = [k for k in newest if name in ratios(newest[k])]
        size = max((k for k in telling if k[0] == at), default=max(telling))
        row(name, wanted, ratios(newest[size])[name], f"{size[0]:,} people", at in (None, size[0]))
    pairs = [(newest[k], newest[(k[0], 3)]) for k in sorted(newest) if k[1] == 24 and (k[0], 3) in newest]
    for long, short in pairs[-1:]:
        value = long["usual_night_s"] / short["usual_night_s"]
        row("usual night at 24 months of history against 3", 1.1, value, f"{long['persons']:,} people")
    name, sizes = "usual night at 10 million against 1 million people", ((10_000_000, 24), (1_000_000, 24))
    if all(s in newest for s in sizes):
        value = newest[sizes[0]]["usual_night_s"] / newest[sizes[1]]["usual_night_s"]
        row(name, 10.5, value, "the newest run of each")
    else:
        rows.append([name, "≤ 10.5", "not measured", "", ""])
    others = json.loads(OTHERS.read_text()) if OTHERS.exists() else {}
    for name, told in sorted(others.items()):
        row(name, told["wanted"], told["value"], f"{told['on']}, commit {told['commit']}")
    return rows


def keep_other(name: str, wanted: float, value: float) -> None:
    """Keeps the figure of a measure that has no size."""
    others = json.loads(OTHERS.read_text()) if OTHERS.exists() else {}
    others[name] = {"wanted": wanted, "value": round(value, 3), "on": _today(), "commit": _commit()}
    OTHERS.write_text(json.dumps(others, indent=1, sort_keys=True) + "\n")
    PAGE.write_text(page(runs()))


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}" if value < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _table(rows: list[list[str]]) -> list[str]:
    head, *rest = [f"| {' | '.join(r)} |" for r in rows]
    return [head, f"|{'---|' * len(rows[0])}", *rest]


def page(found: list[dict[str, Any]]) -> str:
    """``results.md``."""
    lines = [
        "# What a night costs",
        "",
        "By `make bench`, or `python -m benchmarks.night --persons N --transactions T --months M --keep-results`; the",
        "newest run first. Seconds are medians; ratios are within one run. *Features and score* is everything from",
        "accepted rows to scores (conform, features, score), which is what the rival does. Every night runs in a",
        "process of its own and starts cold.",
        "",
        "![night against people and against history](results.svg)",
        "",
        "What stands in the way of the goals that are not met, step by step, is in [profile.md](profile.md).",
        "",
        *_table(_rows_of_goals(found)),
        "",
    ]
    for run in reversed(found):
        size = f"{run['persons']:,} people, {run['transactions']:,} bookings, {run['months']} months"
        lines += [f"## {size}", "", f"{run['on']}, commit {run['commit']}, {run['machine']}", ""]
        lines += [run["note"], ""] if "note" in run else []
        lines += _table([["figure", ""], *[[n, _number(run[n])] for n in SHOWN if n in run]])
        lines += ["", *_table([["ratio", ""], *[[n, _number(v)] for n, v in ratios(run).items()]])]
        names = list(run["steps"])
        steps = [s for s in run["steps"]["full"] if not s.startswith("extract ")]
        lines += [
            "",
            *_table(
                [["seconds", *names], *[[s, *[f"{run['steps'][n][s]:.1f}" for n in names]] for s in steps]]
            ),
        ]
        lines.append("")
    return "\n".join(lines)


def plot(found: list[dict[str, Any]]) -> None:
    """A usual night against people (months alike) and against months (people alike); the newest run of each size."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    newest = {(r["persons"], r["months"]): r for r in found}
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True)
    for axis, at, same in ((axes[0], "people", "months"), (axes[1], "months of history", "people")):
        place = 0 if at == "people" else 1
        for alike in sorted({k[1 - place] for k in newest}):
            keys = sorted(k for k in newest if k[1 - place] == alike)
            for figure_name, name, style in (
                ("usual_night_s", "usual night", "o-"),
                ("duckdb_full_s", "DuckDB, full", "s--"),
            ):
                seconds = [newest[k][figure_name] for k in keys]
                axis.plot([k[place] for k in keys], seconds, style, label=f"{name}, {alike:,} {same}")
        axis.set_xlabel(at)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=6)
    axes[0].set_ylabel("seconds")
    axes[0].set_xscale("log")
    figure.tight_layout()
    figure.savefig(PLOT, metadata={"Date": None})


def keep(run: dict[str, Any]) -> None:
    """Adds a run, and writes page and plots anew."""
    with LINES.open("a") as file:
        file.write(json.dumps({"on": _today(), "commit": _commit(), "machine": machine(), **run}) + "\n")
    found = runs()
    PAGE.write_text(page(found))
    plot(found)
