"""Signed requests: for vendors that send no secret over the wire and want no one to replay a body later.

    X-Emon-Key: <key id>
    X-Emon-Timestamp: <seconds since 1970-01-01T00:00:00Z, a whole number>
    X-Emon-Signature: v1=<hex of HMAC-SHA256(signing secret, timestamp + "." + body)>

The signing secret is the text that `emon key create` prints, its hexadecimal digits as ASCII bytes; the body
is what goes over the wire, compressed if it is. Several signatures may stand side by side, separated by
commas, so that a later scheme can be introduced; one that fits is enough. The timestamp may differ from our
clock by `limits.SIGNATURE_WINDOW`; within it a replayed body brings nothing but duplicates.
"""

from __future__ import annotations

import hashlib
import hmac

from emon.domain.errors import Fault
from emon.domain.instant import SECOND
from emon.limits import SIGNATURE_WINDOW

KEY, TIMESTAMP, SIGNATURE = "x-emon-key", "x-emon-timestamp", "x-emon-signature"
SCHEME = "v1"


def sign(secret: str, timestamp_s: int, body: bytes) -> str:
    """The value of X-Emon-Signature."""
    text = str(timestamp_s).encode() + b"." + body
    return f"{SCHEME}={hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()}"


def timestamp_of(header: str, now: int) -> int:
    """The whole seconds in X-Emon-Timestamp. Raises Fault `bad_timestamp` where they are none or too far
    from `now`."""
    if not (header.isascii() and header.isdigit() and len(header) < 16):
        raise Fault("bad_timestamp", "X-Emon-Timestamp must be whole seconds since 1970, like 1764038569")
    stamp = int(header)
    if abs(stamp * SECOND - now) > SIGNATURE_WINDOW:
        raise Fault("bad_timestamp", f"X-Emon-Timestamp is more than {SIGNATURE_WINDOW // SECOND} s off our "
                    "clock: set the sender's clock and sign anew")
    return stamp


def fits(header: str, secret: str, timestamp_s: int, body: bytes) -> bool:
    """Whether one of the signatures in X-Emon-Signature is this secret's."""
    right = sign(secret, timestamp_s, body).encode()
    return any(hmac.compare_digest(given.strip().encode(), right) for given in header.split(","))
