"""The catalogues a plan is made with: the built-in one, and one for each image of an author."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubecal.api.catalogue import Catalogue
from kubecal.engine.problems import PlanProblem, did_you_mean


def remedy(config_map: str) -> str:
    """What to do about a ConfigMap that is missing or holds no catalogue."""
    return f"apply what `kubecal tasks export --configmap {config_map}` prints in that image"


@dataclass(frozen=True)
class Catalogues:
    """What is known of the tasks of one chip's images."""

    built_in: Catalogue
    by_image: Mapping[str, Catalogue | str] = field(default_factory=dict)
    """By the image's short name; a text: why its catalogue cannot be used."""

    def of(self, image: str, place: str) -> Catalogue:
        """The catalogue of an image; empty: the built-in one.

        Raises
        ------
        PlanProblem
            If the chip has no such image, or its catalogue cannot be used.
        """
        if not image:
            return self.built_in
        found = self.by_image.get(image)
        if found is None:
            hint = did_you_mean(image, self.by_image)
            raise PlanProblem(f"{place}: the chip allows no image {image!r} (Chip.spec.pods.images): {hint}")
        if isinstance(found, str):
            raise PlanProblem(f"{place}: {found}")
        return found

    @property
    def known(self) -> tuple[Catalogue, ...]:
        """All that can be used, the built-in one first."""
        return (self.built_in, *(one for one in self.by_image.values() if isinstance(one, Catalogue)))

    @property
    def mark(self) -> tuple[str, ...]:
        """Equal marks mean equal catalogues."""
        others = (f"{name}={one if isinstance(one, str) else one.hash}" for name, one in sorted(self.by_image.items()))
        return (self.built_in.hash, *others)
