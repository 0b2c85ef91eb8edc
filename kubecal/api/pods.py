"""What task pods of a chip may be: the part of Chip that is the security boundary."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from kubecal.api.model import VALIDATIONS, Boolean, Integer, Matching, Model, Unique, rule

ClaimName = Annotated[
    str,
    Field(max_length=253),
    Matching(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?", "write the name of an object: lower-case letters, digits, - and ."),
]
LabelKey = Annotated[
    str,
    Field(max_length=317),
    Matching(
        r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?",
        "write label keys as Kubernetes does, like kubecal.io/instruments",
    ),
]
LabelValue = Annotated[
    str,
    Field(max_length=63),
    Matching(
        r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?",
        "a label's value has letters, digits, -, _ and ., and begins and ends with a letter or digit",
    ),
]


@dataclass(frozen=True)
class _Quantity:
    """An annotation of amounts as Kubernetes writes them: 2, 200m, 256Mi."""

    pattern: str = r"\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][-+]?[0-9]+)?"
    message: str = "write an amount as Kubernetes does, like 2, 200m or 256Mi; with a point in quotes, like '0.5'"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.union_schema(
            [
                core_schema.int_schema(strict=True, ge=0),
                core_schema.str_schema(pattern=f"^({self.pattern})$", max_length=_LONGEST_AMOUNT),
            ],
            custom_error_type="rule",
            custom_error_message="{sentence}",
            custom_error_context={"sentence": self.message},
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        rule = f"type(self) == int ? self >= 0 : self.matches(r'^({self.pattern})$')"
        return {
            "x-kubernetes-int-or-string": True,
            "maxLength": _LONGEST_AMOUNT,
            VALIDATIONS: [{"rule": rule, "message": self.message}],
        }


_LONGEST_AMOUNT = 32
Amounts = Annotated[
    dict[Annotated[str, Field(max_length=253)], Annotated[int | str, _Quantity()]],
    Field(max_length=16),
]


class Resources(Model):
    """Requests and limits of a task pod's container, as Kubernetes writes them."""

    requests: Amounts = Field(default_factory=dict)
    """What the scheduler reserves."""
    limits: Amounts = Field(default_factory=dict)
    """What the container may use at most."""


class TolerationOperator(StrEnum):
    """How a toleration compares with a taint."""

    EQUAL = "Equal"
    EXISTS = "Exists"


class TaintEffect(StrEnum):
    """What a taint does to pods that do not tolerate it."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class Toleration(Model):
    """A taint the task pods tolerate, as in a pod."""

    key: Annotated[str, Field(max_length=317)] = ""
    """The taint's key; empty: every key, with operator Exists."""
    operator: TolerationOperator = TolerationOperator.EQUAL
    """Equal: key and value are the same; Exists: the key is."""
    value: LabelValue = ""
    """The taint's value, for Equal."""
    effect: TaintEffect | None = None
    """NoSchedule, PreferNoSchedule or NoExecute; absent: all."""
    toleration_seconds: Integer | None = Field(default=None, ge=0, le=31536000)
    """For NoExecute: how long."""

    @rule(
        "self.operator != 'Exists' || !has(self.value) || self.value == ''",
        "Exists has no value: remove value, or use operator Equal",
    )
    def _no_value_for_exists(self) -> bool:
        return self.operator is not TolerationOperator.EXISTS or not self.value

    @rule(
        "self.operator == 'Exists' || (has(self.key) && self.key != '')",
        "Equal needs a key: add key, or use operator Exists",
    )
    def _a_key_for_equal(self) -> bool:
        return self.operator is TolerationOperator.EXISTS or bool(self.key)

    @rule(
        "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
        "tolerationSeconds belongs to effect NoExecute: remove it, or change effect",
    )
    def _seconds_for_no_execute(self) -> bool:
        return self.toleration_seconds is None or self.effect is TaintEffect.NO_EXECUTE


class ResourceClaim(Model):
    """A claim on a device (dynamic resource allocation), as in a pod."""

    name: Annotated[
        str,
        Field(min_length=1, max_length=63),
        Matching(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", "write lower-case letters, digits and -"),
    ]
    """Name within the pod."""
    resource_claim_name: ClaimName = ""
    """An existing ResourceClaim."""
    resource_claim_template_name: ClaimName = ""
    """A ResourceClaimTemplate."""

    @rule(
        "(has(self.resourceClaimName) && self.resourceClaimName != '') != "
        "(has(self.resourceClaimTemplateName) && self.resourceClaimTemplateName != '')",
        "give one of resourceClaimName and resourceClaimTemplateName",
    )
    def _one_of(self) -> bool:
        return bool(self.resource_claim_name) != bool(self.resource_claim_template_name)


_SHORT_NAME = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_IMAGE = "write the short name of an image: lower-case letters, digits and -"
ImageName = Annotated[
    str,
    Field(max_length=63),
    Matching(rf"({_SHORT_NAME})?", _IMAGE),
]
"""Empty: the built-in one."""


class AllowedImage(Model):
    """An image of a task author that sessions on this chip may use."""

    name: Annotated[str, Field(max_length=63), Matching(_SHORT_NAME, _IMAGE)]
    """Short name; a task entry says `image: mylab`."""
    image: str = Field(min_length=1, max_length=512)
    """The image, as in a pod; best by digest."""
    catalogue: Annotated[
        str,
        Field(max_length=253),
        Matching(
            r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", "write the name of a ConfigMap: lower-case letters, digits, - and ."
        ),
    ]
    """A ConfigMap of this namespace, written by `kubecal tasks export` in that image; its key is catalogue.json."""


class PodSettings(Model):
    """What task pods of this chip may be: no session can choose any of it."""

    images: Annotated[tuple[AllowedImage, ...], Field(max_length=16), Unique(("name",))] = ()
    """Images of task authors, beside the built-in one."""
    node_selector: dict[LabelKey, LabelValue] = Field(default_factory=dict, max_length=16)
    """Labels of the node that is wired to the instruments."""
    tolerations: tuple[Toleration, ...] = Field(default=(), max_length=16)
    """Taints of that node."""
    host_network: Boolean = False
    """True: use the node's network; needs a namespace that permits it."""
    resources: Resources = Resources(requests={"cpu": "200m", "memory": "256Mi"})
    """Requests and limits of each task pod."""
    resource_claims: Annotated[tuple[ResourceClaim, ...], Field(max_length=8), Unique(("name",))] = ()
    """Devices each task pod claims."""
    termination_grace_period_seconds: Integer = Field(default=60, ge=1, le=3600)
    """How long a task may take to stop and park its instruments."""
