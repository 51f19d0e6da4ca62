"""What is other than the night before in the rules that a night is made by: policy, scorecards, floor, code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MOST_SHOWN = 40


def _leaves(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every value of a YAML document with its path; what a list holds is told by its key where it has one."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        if not any(isinstance(v, Mapping | list) for v in node):
            yield path, ", ".join(str(v) for v in node)
            return
        for number, value in enumerate(node):
            name: Any = number
            if isinstance(value, Mapping):
                reason = value.get("reason")
                name = reason.get("code") if isinstance(reason, Mapping) else number
            yield from _leaves(value, f"{path}[{name}]")
    else:
        yield path, str(node)


def difference(before: Any, now: Any) -> list[str]:
    """Lines ``path: old -> new`` of what differs between two YAML documents, sorted by path; the first of them."""
    old, new = dict(_leaves(before)), dict(_leaves(now))
    lines = [
        f"{path}: {old.get(path, 'none')} -> {new.get(path, 'none')}"
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    ]
    more = len(lines) - MOST_SHOWN
    return lines if more <= 0 else [*lines[:MOST_SHOWN], f"and {more} more"]


def amendments(
    before: Mapping[str, Any] | None,
    now: Mapping[str, Any],
    documents: Mapping[str, tuple[Any, Any]],
) -> list[dict[str, Any]]:
    """Objects ``{what, before, after, lines}``: one for each of policy, scorecard, floor and code that changed.

    ``before`` and ``now`` give a version by name (``policy``, ``floor``, ``code``, ``scorecard <purpose>``);
    ``documents`` the two YAML documents by name where both are known. Nothing for the first night.
    """
    if before is None:
        return []
    found = []
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if old != new:
            lines = difference(*documents[name]) if name in documents else []
            found.append({"what": name, "before": old, "after": new, "lines": lines})
    return found
