"""What all manifest models share: names, strictness, and rules that hold in two languages.

A rule stands once, beside the fields it is about: as CEL for the API server, as Python for the laptop, with one
sentence for both. So a manifest is refused with the same words wherever it is read, and `kubecal crds` finds every
rule in the models.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

API_VERSION: Literal["kubecal.io/v1alpha1"] = "kubecal.io/v1alpha1"
MAX_NAME = 63
"""Characters of a label value, which names of sessions and chips become."""
VALIDATIONS = "x-kubernetes-validations"
"""Where a structural schema carries its CEL rules."""
PATTERN = "x-kubecal-pattern"
"""Where a schema carries the bare pattern of a text, for places where its rule would cost too much."""

Integer = Annotated[int, Strict()]
"""A whole number that is written as one: no text, no truth value."""
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
"""A finite number."""
Boolean = Annotated[bool, Strict()]
"""true or false, and no word that might mean it."""


def shortened(limit: int) -> BeforeValidator:
    """Cut a sentence of the operator's to what the CRD allows: a long message must never cost the status."""

    def cut(text: object) -> object:
        return text[: limit - 1] + "…" if isinstance(text, str) and len(text) > limit else text

    return BeforeValidator(cut)


@dataclass(frozen=True)
class Matching:
    """An annotation of texts: the whole of it matches, else the sentence says how to write it.

    A JSON schema's own ``pattern`` would answer with the regular expression alone. It costs nothing, so it is what
    the API server gets where there may be more texts than it would run a rule for.
    """

    pattern: str
    """In RE2's syntax, without anchors."""
    message: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        rules = [{"rule": self.cel("self"), "message": self.message}]
        return {**handler(schema), VALIDATIONS: rules, PATTERN: f"^({self.pattern})$"}

    def cel(self, name: str) -> str:
        """The same condition as CEL."""
        return f"{name}.matches(r'^({self.pattern})$')"

    def _check(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            raise PydanticCustomError("rule", "{sentence}", {"sentence": self.message})
        return text


@dataclass(frozen=True)
class Unique:
    """An annotation of lists: no item twice, or no two items that agree in all of these fields."""

    keys: tuple[str, ...] = ()

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(schema)
        if self.keys:
            return {**found, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(self.keys)}
        return {**found, "x-kubernetes-list-type": "set"}

    def _check(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        seen = set()
        for item in items:
            identity = tuple(str(getattr(item, key)) for key in self.keys) if self.keys else item
            if identity in seen:
                shown = "-".join(identity) if self.keys else str(item)
                sentence = f'lists "{shown}" twice: remove or rename one'
                raise PydanticCustomError("rule", "{sentence}", {"sentence": sentence})
            seen.add(identity)
        return items


@dataclass(frozen=True)
class Rule:
    """A condition across the fields of one model."""

    cel: str
    message: str
    holds: Callable[[Any], bool]
    """Any: the model it stands in."""


M = TypeVar("M", bound=BaseModel)


def rule(cel: str, message: str) -> Callable[[Callable[[M], bool]], Rule]:
    """Make a rule of a method: the method is the condition in Python, ``cel`` the same for the API server.

    The message says what to change.
    """

    def declare(holds: Callable[[M], bool]) -> Rule:
        return Rule(cel, message, holds)

    return declare


class Model(BaseModel):
    """A frozen value with camelCase names outside and snake_case inside; unknown fields are refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
        ignored_types=(Rule,),
    )
    rules: ClassVar[tuple[Rule, ...]] = ()
    """All rules of the class, its bases' first."""
    transitions: ClassVar[tuple[Mapping[str, str], ...]] = ()
    """CEL about old and new together; only the API server sees both."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.rules = tuple(
            value for base in reversed(cls.__mro__) for value in vars(base).values() if isinstance(value, Rule)
        )

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        """Take a null for an absent field, as the API server does."""
        if isinstance(data, dict) and None in data.values():
            return {key: value for key, value in data.items() if value is not None}
        return data

    @model_validator(mode="after")
    def _keep_rules(self) -> Self:
        for one in type(self).rules:
            if not one.holds(self):
                raise PydanticCustomError("rule", "{sentence}", {"sentence": one.message})
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(schema)
        validations: list[Mapping[str, str]] = [{"rule": one.cel, "message": one.message} for one in cls.rules]
        validations += cls.transitions
        if validations:
            handler.resolve_ref_schema(found)[VALIDATIONS] = validations
        return found


def unchangeable(fields: Iterable[str], remedy: str, *, unless: str = "", path: str = "") -> tuple[dict[str, str], ...]:
    """Transition rules that keep fields as they are; absent is a value like any other.

    Parameters
    ----------
    fields:
        Names as in the manifest.
    remedy:
        What the message says after the field's name.
    unless:
        CEL of when they may change after all; empty: never.
    path:
        Where the fields are, as seen from the rule; empty: right there.
    """
    place = f"{path}." if path else ""
    exception = f"{unless} || " if unless else ""
    rules = []
    for field in fields:
        new, old = f"self.{place}{field}", f"oldSelf.{place}{field}"
        # Optional access (`self.?field`) would be shorter, but its cost is estimated as unbounded.
        same = f"has({new}) == has({old}) && (!has({new}) || {new} == {old})"
        rules.append(
            {
                "rule": f"{exception}({same})" if exception else same,
                "message": f"{field} {remedy}",
                "reason": "FieldValueForbidden",
                "fieldPath": f".{place}{field}",
            }
        )
    return tuple(rules)


class Metadata(BaseModel):
    """What of an object's metadata matters here; Kubernetes knows and checks the rest."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[
        str,
        Field(min_length=1),
        Matching(
            r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
            "write lower-case letters, digits, - and ., beginning and ending with a letter or digit",
        ),
    ]
    """Unique among the objects of a kind in a namespace."""
    namespace: str = ""
    """Empty: whichever is current."""
    labels: dict[str, str] = {}
    """Whatever its author sorts by."""
    annotations: dict[str, str] = {}
    """Whatever its author notes."""

    @model_validator(mode="before")
    @classmethod
    def _known_fields(cls, data: Any) -> Any:
        for name in data if isinstance(data, dict) else ():
            if name not in _OBJECT_META:
                raise PydanticCustomError("rule", "{sentence}", {"sentence": no_such_field(name, _OBJECT_META)})
        return data


class KubernetesObject(Model):
    """What the kinds have in common."""

    api_version: Literal["kubecal.io/v1alpha1"] = API_VERSION
    """Always kubecal.io/v1alpha1."""
    metadata: Metadata
    """Name, namespace, labels and so on."""

    @rule(
        f"size(self.metadata.name) <= {MAX_NAME}",
        f"metadata.name has more than {MAX_NAME} characters: shorten it, because it becomes a label",
    )
    def _name_fits_a_label(self) -> bool:
        return len(self.metadata.name) <= MAX_NAME


_OBJECT_META = (
    *("name", "namespace", "labels", "annotations", "finalizers", "ownerReferences", "generateName"),
    *("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"),
    *("deletionTimestamp", "deletionGracePeriodSeconds"),
)


def no_such_field(name: object, known: Iterable[str]) -> str:
    """Say that a field does not exist, and which was probably meant."""
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=1)
    return f"there is no field {name}: " + (f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}")
