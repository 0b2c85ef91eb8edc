"""``set``: parameters by hand."""

from __future__ import annotations

from datetime import datetime

from kubecal.api.actions import GivenValue, SetParameters
from kubecal.api.catalogue import Output
from kubecal.engine.changes import known_parameters
from kubecal.records.changes.becoming_current import made_current
from kubecal.records.changes.desk import BY_HAND, MAX_VALUES, Change, Desk, Impossible, Values, count, many, owner_of
from kubecal.records.documents import Document
from kubecal.records.publication import calibrated_at


async def set_parameters(desk: Desk, action: SetParameters) -> Change:
    """What a person says is current, whatever was measured: it is as new as what it replaces, or newer."""
    given = action.by_id
    if count(given) > MAX_VALUES:
        raise Impossible(f"set gives {count(given)} values, more than {MAX_VALUES}: split it into several steps")
    known = known_parameters(desk.catalogues)
    strange = sorted({name for values in given.values() for name in values} - set(known))
    if strange:
        raise Impossible(
            f"no task that is installed gives or reads {', '.join(strange)}, so that the unit is not known: correct set"
        )
    there = await desk.current(given)
    values: Values = {
        qid: {
            name: _value_document(desk, qid, one, known[name], there.get(qid, {}).get(name))
            for name, one in by_name.items()
        }
        for qid, by_name in given.items()
    }
    writes = await made_current(desk, [(desk.origin, values)])
    return Change(f"set {many(count(values), 'parameter')} of {many(len(values), 'target')}", writes, values)


def _value_document(desk: Desk, qid: str, given: GivenValue, known: Output, there: Document | None) -> Document:
    return {
        "parameter_name": known.name,
        "qid_role": owner_of(qid).role,
        "value": given.value,
        "value_type": "float",
        "error": given.error,
        "unit": known.unit,
        "description": known.description,
        "calibrated_at": _not_before(desk.clock, there),
        "cooldown_id": desk.chip.cooldown,
        "execution_id": desk.intent.execution_id,
        "task_id": desk.attempt,
        BY_HAND: True,
    }


def _not_before(moment: datetime, there: Document | None) -> datetime:
    """A chip whose clock was turned back has values of a time to come; those of a hand count nevertheless."""
    return max(moment, calibrated_at(there))
