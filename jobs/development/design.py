"""A design: what a scorecard may be made of, which way each feature is better, what experts set (docs/develop.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from jobs.development.tables import Shape
from jobs.rules import floor, soundness
from jobs.rules.policy import Located, Policy, parse

KEYS = {
    "purpose", "version", "scaling", "bands", "required", "optional", "minimum", "left_out", "characteristics",
}  # fmt: skip
PART_KEYS = {"feature", "features", "better", "most_bins", "reason"}
SCALING = ("score", "odds", "points_to_double_odds")
MOST_CELLS = 30


@dataclass(frozen=True)
class Part:
    """A characteristic of the design: a shape to be given points, or, where ``expert`` holds it, one that has them."""

    shape: Shape
    code: str
    text: str
    expert: dict[str, Any] | None


@dataclass(frozen=True)
class Design:
    """What ``develop`` starts from; ``head`` are the keys that the card takes over as they stand.

    ``left_out`` are features that are not to be in it, each with the reason.
    """

    purpose: str
    scaling: tuple[float, float, float]
    head: dict[str, Any]
    parts: tuple[Part, ...]
    left_out: Mapping[str, str]


def _part(doc: Located, node: Any, purpose: str) -> Part:
    if not isinstance(node, dict):
        raise doc.fail("characteristics", "a characteristic must be a mapping")
    if ("feature" in node) == ("features" in node):
        raise doc.fail(next(iter(node), "characteristics"), "name one feature, or two features", node)
    named = [node["feature"]] if "feature" in node else node["features"]
    if not isinstance(named, list) or not 1 <= len(named) <= 2:
        raise doc.fail("features", "features must be a pair", node)
    for name in named:
        if not isinstance(name, str) or name not in floor.features_of(purpose):
            raise doc.fail(
                next(iter(node)), f"feature {name!r} is not allowed for {purpose}; remove it", node
            )
    features = tuple(str(f) for f in named)
    reason = node.get("reason")
    if not isinstance(reason, dict) or not all(isinstance(reason.get(k), str) for k in ("code", "text")):
        raise doc.fail("reason", "reason must give code and text", node)
    given = node.get("better")
    better = given if isinstance(given, list) else [given]
    if len(better) != len(features) or any(b not in soundness.DIRECTIONS for b in better):
        raise doc.fail("better", f"better must say {', '.join(soundness.DIRECTIONS)} of each feature", node)
    expert = node if "bins" in node else None  # the compiler of scorecards reads the rest of it
    most: Any = node.get("most_bins", 1)
    if expert is None:
        for key in node:
            if key not in PART_KEYS:
                raise doc.fail(
                    key, f"key {key!r} is unknown (known: {', '.join(sorted(PART_KEYS))}); remove it", node
                )
        numbers = most if isinstance(most, list) else [most]
        sound = all(isinstance(n, int) and not isinstance(n, bool) and n >= 2 for n in numbers)
        cells = 1
        for n in numbers if sound else ():
            cells *= n
        if not sound or len(numbers) != len(features) or cells > MOST_CELLS:
            raise doc.fail(
                "most_bins", f"most_bins must be 2 or more of each feature, {MOST_CELLS} cells at most", node
            )
        most = numbers
    else:
        most = [1] * len(features)
    shape = Shape(features, tuple(str(b) for b in better), tuple(int(n) for n in most))
    return Part(shape, str(reason["code"]), str(reason["text"]), expert)


def _minimum(doc: Located, purpose: str) -> None:
    """What a person must have to be developed on, as the card will ask it: read before any outcome is."""
    given = doc.node.get("minimum", {})
    if not isinstance(given, dict):
        raise doc.fail("minimum", "minimum must be a mapping of features to numbers")
    for name, value in given.items():
        if name not in floor.features_of(purpose):
            raise doc.fail(name, f"feature {name!r} is not allowed for {purpose}; remove it", given)
        if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
            raise doc.fail(name, f"minimum of {name} must be a number", given)


def compile_design(text: str, path: str, policy: Policy) -> Design:
    """The design in a file's text; PolicyError with file and line where it cannot be one."""
    doc = parse(text, path)
    for key in doc.node:
        if key not in KEYS:
            raise doc.fail(key, f"key {key!r} is unknown (known: {', '.join(sorted(KEYS))}); remove it")
    purpose = doc.node.get("purpose")
    if not isinstance(purpose, str) or purpose not in policy.purposes:
        raise doc.fail("purpose", f"purpose {purpose!r} is not one that the policy allows")
    scaling = doc.node.get("scaling")
    if not isinstance(scaling, dict) or not all(
        isinstance(scaling.get(k), int | float) and not isinstance(scaling[k], bool) and scaling[k] > 0
        for k in SCALING
    ):
        raise doc.fail("scaling", f"scaling must give {', '.join(SCALING)} as numbers above 0")
    _minimum(doc, str(purpose))
    nodes = doc.node.get("characteristics")
    if not isinstance(nodes, list) or not nodes:
        raise doc.fail("characteristics", "characteristics must be a list")
    parts = tuple(_part(doc, n, str(purpose)) for n in nodes)
    if all(p.expert is not None for p in parts):
        raise doc.fail("characteristics", "every characteristic has bins: nothing is left to develop")
    left_out = doc.node.get("left_out", {})
    if not isinstance(left_out, dict) or not all(isinstance(v, str) for v in left_out.values()):
        raise doc.fail("left_out", "left_out must give the reason of each feature")
    used = {f for p in parts for f in p.shape.features}
    for name in left_out:
        if name not in floor.features_of(str(purpose)) or name in used:
            raise doc.fail(name, f"{name} is not a feature that is left out; remove it", left_out)
    head = {k: doc.node[k] for k in doc.node if k not in ("characteristics", "left_out")}
    first, odds, double = (float(scaling[k]) for k in SCALING)
    reasons = {str(k): str(v) for k, v in left_out.items()}
    return Design(str(purpose), (first, odds, double), head, parts, reasons)
