"""The tasks a session was planned with, and whether they are still those that are known.

A session runs to its end in the images it began with. Its record keeps their names and the hashes of their catalogues,
not the catalogues: a plan is only made with catalogues of these hashes, or pods would be asked for what their image
does not know.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubecal.api.chip import ChipSpec
from kubecal.api.session import SessionSpec
from kubecal.engine.catalogues import Catalogues
from kubecal.engine.model import PinnedImage, Plan, SessionRecord

_HASH_SHOWN = 12


def pins(plan: Plan, chip: ChipSpec, catalogues: Catalogues) -> Mapping[str, PinnedImage]:
    """The authors' images that a plan uses, as they are now, by their short names."""
    if not chip.pods.images:
        return {}
    used = {task.image for task in plan.by_key.values() if task.image}
    return {
        one.name: PinnedImage(one.image, catalogues.of(one.name, "").hash)
        for one in chip.pods.images
        if one.name in used
    }


def awaited(spec: SessionSpec, catalogues: Catalogues) -> str:
    """Why a catalogue that the session needs cannot be used yet; empty: all can.

    People apply chip, ConfigMap and session at once, and whoever wrote a broken one can mend it.
    """
    entries = [entry for step in spec.steps for entry in step.tasks]
    entries += spec.parking.tasks if spec.parking is not None else ()
    named = dict.fromkeys(entry.image for entry in entries)
    found = {name: catalogues.by_image.get(name) for name in named}
    return "; ".join(f"image {name!r}: {why}" for name, why in found.items() if isinstance(why, str))


def changed(record: SessionRecord, catalogues: Catalogues) -> str:
    """Which tasks are no longer those the session was planned with, and what to do; empty: all still are."""
    problems = []
    if catalogues.built_in.hash != record.catalogue_hash:
        problems.append(
            f"the built-in tasks are not those the session was planned with ({_brief(record.catalogue_hash)}, now "
            f"{_brief(catalogues.built_in.hash)}): install the chart with those of image {record.image} again"
        )
    for name, pinned in sorted(record.images.items()):
        found = catalogues.by_image.get(name, "the chip does not have it any more")
        if isinstance(found, str):
            problems.append(f"image {name!r}, with which the session was planned: {found}")
        elif found.hash != pinned.catalogue_hash:
            problems.append(
                f"the tasks of image {name!r} are not those the session was planned with "
                f"({_brief(pinned.catalogue_hash)}, now {_brief(found.hash)}): apply the ConfigMap that "
                f"`kubecal tasks export` prints in {pinned.image} again"
            )
    return f"{'; '.join(problems)}; or cancel the session" if problems else ""


def _brief(catalogue_hash: str) -> str:
    return catalogue_hash[:_HASH_SHOWN]
