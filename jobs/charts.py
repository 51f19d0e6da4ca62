"""Pictures of the reports as SVG text, the same for the same numbers; each stands above its table."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from matplotlib import rc_context
from matplotlib.figure import Figure

SETTINGS = {"svg.hashsalt": "assent", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9}
COLOURS = ("#1f6f8b", "#d98e04", "#7a8b99")


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def bars(
    labels: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    title: str,
    unit: str = "%",
    limits: Sequence[float] = (),
) -> str:
    """Bars side by side, one group a label; ``limits`` are drawn as lines across. Empty without labels."""
    if not labels:
        return ""
    with rc_context(SETTINGS):
        figure = Figure(figsize=(max(4.5, 0.42 * len(labels) + 1.5), 2.6), layout="constrained")
        axes = figure.subplots()
        width = 0.8 / len(series)
        for i, (name, values) in enumerate(series.items()):
            places = [x + (i - (len(series) - 1) / 2) * width for x in range(len(labels))]
            axes.bar(places, [v or 0 for v in values], width, label=name, color=COLOURS[i % len(COLOURS)])
        for limit in limits:
            axes.axhline(limit, color="#a33", linewidth=0.8, linestyle="--")
        axes.set_xticks(range(len(labels)), labels, rotation=0 if max(map(len, labels)) < 6 else 45)
        for text in axes.get_xticklabels():
            text.set_horizontalalignment("center" if max(map(len, labels)) < 6 else "right")
        axes.set_title(title, loc="left", fontsize=9)
        axes.set_ylabel(unit)
        axes.spines[["top", "right"]].set_visible(False)
        if len(series) > 1:
            axes.legend(frameon=False, fontsize=8)
        return _svg(figure)


def intervals(
    labels: Sequence[str], rows: Sequence[tuple[float, float, float]], title: str, unit: str
) -> str:
    """A point and its interval a label: ``(value, low, high)``."""
    if not labels:
        return ""
    with rc_context(SETTINGS):
        figure = Figure(figsize=(5.5, 0.3 * len(labels) + 1.0), layout="constrained")
        axes = figure.subplots()
        for y, (value, low, high) in enumerate(rows):
            axes.plot([low, high], [y, y], color=COLOURS[0])
            axes.plot([value], [y], "o", color=COLOURS[0], markersize=4)
        axes.set_yticks(range(len(labels)), labels)
        axes.invert_yaxis()
        axes.set_title(title, loc="left", fontsize=9)
        axes.set_xlabel(unit)
        axes.spines[["top", "right"]].set_visible(False)
        return _svg(figure)
