"""JSON of which there is one text for each value, so that it can be hashed and compared."""

from __future__ import annotations

import json
from typing import Any


def canonical(value: Any) -> str:
    """JSON with sorted keys and no blanks (RFC 8785 for the values used here: text, integers, null)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
