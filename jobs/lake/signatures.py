"""The operator's signature on what leaves outside a package: detached, beside the file. The one place that signs it."""

from __future__ import annotations

import base64

from jobs.lake.keys import Keys

SUFFIX = ".sig"


def detached(content: bytes, keys: Keys) -> str:
    """A detached signature of some bytes: Ed25519 (RFC 8032) under the operator's signing key, base64, one line."""
    return base64.b64encode(keys.signing.sign(content)).decode() + "\n"
