"""`onevoice decide`: what a placement should show a customer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

import onevoice
from onevoice.cli.given import Data, Json, Playbook, Who, has_journal, pairs
from onevoice.cli.moment import At, moment
from onevoice.cli.output import answer
from onevoice.errors import EventError, Mistake

if TYPE_CHECKING:
    from onevoice.playbook.model import FieldType


def decide(
    playbook: Playbook,
    /,
    *,
    data: Data,
    placement: Annotated[str, Parameter(help="The place that asks, as the playbook names it.")],
    identifier: Who,
    field: Annotated[list[str] | None, Parameter(negative="", help="A field of the ask, as name=value.")] = None,
    at: At = None,
    as_json: Json = False,
) -> None:
    """Ask which campaigns a placement should show a customer now; the ask is journaled before it is answered.

    What is due by then is done first.

    For example: `onevoice decide examples/telecom --data data --placement home_banner --identifier email=ada@x.org`
    """
    from onevoice.history.why import why  # noqa: PLC0415 - `--help` needs none of it

    identifiers = pairs("--identifier", identifier)
    fields = _check_ask(playbook, placement, identifiers, pairs("--field", field or []))
    with onevoice.open(None if has_journal(data) else playbook, data) as engine:
        time = moment(engine, "decide", at)  # a refusal leaves the playbook in force that is
        engine.publish(playbook)
        decision = engine.decide(placement, identifiers, fields, time=time)
        told = why(decision, engine.playbook).told
    shown = [*(line.campaign for line in decision.won), decision.default]
    lines = [
        f"show {', '.join(filter(None, shown)) or 'nothing'}",
        *(f"  {each.campaign}: {each.sentence}" for each in told),
    ]
    answer(decision, "\n".join(lines), as_json)


def _check_ask(
    playbook: Path, placement: str, identifiers: dict[str, str], fields: dict[str, str]
) -> dict[str, str | float | bool]:
    """Refuse an ask that cannot be answered before anything is made for it; return its fields as they are declared."""
    from onevoice.events.schema import Schema  # noqa: PLC0415 - `--help` needs none of it
    from onevoice.runtime.asks import ask  # noqa: PLC0415

    found = onevoice.load(playbook)
    schema = Schema(found)
    own = schema.layout("asked").own
    read = {name: _value(name, text, own[name].type) if name in own else text for name, text in fields.items()}
    ask(found, schema, (0, 0), placement, identifiers, read)
    return read


def _value(name: str, text: str, kind: FieldType) -> str | float | bool:
    """Return a field's value, which the command line has as a text, as the playbook declares it."""
    import msgspec  # noqa: PLC0415 - as above

    from onevoice.events.refusals import EXPECTED  # noqa: PLC0415

    if kind not in ("number", "boolean"):
        return text
    try:
        return msgspec.json.decode(text, type=float if kind == "number" else bool)
    except msgspec.MsgspecError as error:
        raise EventError(Mistake("wrong type", f"--field {name}", EXPECTED[kind], repr(text))) from error
