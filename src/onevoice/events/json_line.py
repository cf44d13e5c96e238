"""One line of bytes to one JSON object."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, cast

import msgspec

from onevoice.events.batch import DEPTH_MAX, LINE_BYTES_MAX, Reason
from onevoice.events.refusals import not_utf8, refuse

_decode = msgspec.json.Decoder().decode
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BRACKETS = re.compile(rb"[\[\]{}]")


def parsed(line: bytes) -> dict[str, Any]:
    """Return the object a line holds. Raises Refused when it holds none, is too long or nested too deeply."""
    if len(line) > LINE_BYTES_MAX:
        refuse(
            Reason.TOO_LONG,
            "",
            "the line is too long",
            f"at most {LINE_BYTES_MAX:,} bytes",
            mend="split the event or leave out what the playbook does not use",
            found_words=f"{len(line):,}",
        )
    if line.count(b"{") + line.count(b"[") > DEPTH_MAX and (depth := _depth(line)) > DEPTH_MAX:
        expected, mend = f"at most {DEPTH_MAX} levels", "flatten the event"
        refuse(Reason.TOO_DEEP, "", "nested too deeply", expected, mend=mend, found_words=str(depth))
    try:
        event = _decode(line)
    except msgspec.ValidationError:
        event = _with_infinities(line)
    except UnicodeDecodeError as error:
        raise not_utf8(found=error.reason) from error
    except (msgspec.MsgspecError, ValueError) as error:
        _refuse_json(line, str(error))
    if not isinstance(event, dict):
        refuse(Reason.NOT_JSON, "$", "the line is not an event", "a JSON object", event)
    return cast("dict[str, Any]", event)


def _with_infinities(line: bytes) -> Any:
    """Parse a line with a number beyond float64, which msgspec refuses and `lines` has a sentence for."""
    try:
        event = json.loads(line)
        json.dumps(event, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except ValueError as error:
        _refuse_json(line, str(error))
    return event


def _refuse_json(line: bytes, message: str) -> NoReturn:
    mend = "one whole JSON object a line, without line breaks inside"
    if line.startswith(b"\xef\xbb\xbf"):
        mend = "save the file without a byte order mark"
    refuse(Reason.NOT_JSON, "", "not JSON", mend=mend, found_words=message)


def _depth(line: bytes) -> int:
    depth = deepest = 0
    for bracket in cast("list[bytes]", _BRACKETS.findall(_STRINGS.sub(b"", line))):
        depth += 1 if bracket in (b"{", b"[") else -1
        deepest = max(deepest, depth)
    return deepest
