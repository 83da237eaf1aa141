"""The schemas of the policy files: regulation packs, products, the site and the restricted ZIP3 areas."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from veil.contracts import Profile
from veil.policy.dicom import Dicom
from veil.policy.treatments import Rule

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
ResourceType = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]{0,63}$")]
ElementPath = Annotated[str, Field(pattern=r"^(\*|[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)*)$", max_length=200)]
ExtensionUrl = Annotated[str, Field(pattern=r"^https?://[!-~]+/[A-Za-z0-9_-]+$", max_length=200)]
Fields = dict[ElementPath, Rule]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Terminology(_Strict):
    """Code systems whose codes and labels are public, by address and by beginning of address."""

    systems: list[str] = Field(default_factory=list)
    prefixes: list[str] = Field(default_factory=list)


class Extension(_Strict):
    """An extension that may be published, on which resource types, and what of it."""

    on: list[ResourceType] = Field(min_length=1)
    fields: Fields = Field(min_length=1)


class Pack(_Strict):
    """One regulation: allow-lists with a treatment and a clause for every field, or a tightening of another pack."""

    title: str
    version: str
    source: str
    extends: Name | None = None
    clauses: dict[str, str] = Field(min_length=1)
    terminology: Terminology = Field(default_factory=Terminology)
    datatype: dict[ResourceType, Fields] = Field(default_factory=dict)
    fhir: dict[ResourceType, Fields] = Field(default_factory=dict)
    extension: dict[ExtensionUrl, Extension] = Field(default_factory=dict)
    roles: dict[str, Rule] = Field(default_factory=dict)
    dicom: Dicom | None = None
    tighten: dict[str, Rule] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Pack:
        lists = (self.datatype, self.fhir, self.extension, self.roles)
        if self.extends and (any(lists) or self.dicom):
            raise ValueError("a pack that extends another may only tighten it: no allow-lists of its own")
        if not self.extends and (self.tighten or not all(lists)):
            raise ValueError("a pack has fhir, datatype, extension and roles, or it extends another and tightens it")
        return self


Language = Literal["en", "es"]
"""A language that notes can be cleaned in (ISO 639-1): docs/text.md says how well."""


class Product(_Strict):
    """One published data set."""

    name: Name
    title: str
    packs: list[Name] = Field(min_length=1)
    profile: Profile
    epoch: int = Field(ge=1)
    linkage_groups: list[list[Name]] = Field(default_factory=list)
    modalities: list[Name] = Field(min_length=1)
    recipients: list[str] = Field(min_length=1)
    purpose: Name
    names: Literal["tags", "surrogates"] = "tags"
    heads: Literal["hold", "publish"] = "hold"
    languages: list[Language] = Field(default=["en"], min_length=1)

    @model_validator(mode="after")
    def _groups_are_apart(self) -> Product:
        listed = [modality for group in self.linkage_groups for modality in group]
        if len(set(listed)) < len(listed):
            raise ValueError("a modality stands in two linkage groups")
        if not set(listed) <= set(self.modalities):
            raise ValueError("a linkage group holds a modality that the product does not publish")
        if len(set(self.modalities)) < len(self.modalities):
            raise ValueError("a modality is listed twice")
        return self


class Source(_Strict):
    """A sending system; identifiers are only comparable within one.

    `patient_id_system` is the system (of `Patient.identifier` or of a table of patients) of the patient IDs that its
    images carry.
    """

    name: Name
    title: str
    patient_id_system: str | None = Field(default=None, min_length=1)


class KeyProvider(_Strict):
    """What wraps the subjects' secrets."""

    kind: Literal["file"]


class Site(_Strict):
    """One hospital: where its data comes from, and what it tightens for every product."""

    name: Name
    title: str
    key_provider: KeyProvider
    sources: list[Source] = Field(min_length=1)
    overlay: dict[str, Rule] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _sources_are_apart(self) -> Site:
        names = [source.name for source in self.sources]
        if len(set(names)) < len(names):
            raise ValueError("two sources have the same name")
        return self


class Census(_Strict):
    """The ZIP3 areas in which one census counted 20,000 people or fewer."""

    year: int
    source: str
    restricted: list[Annotated[str, Field(pattern=r"^\d{3}$")]] = Field(min_length=1)


class Zip3(_Strict):
    """The restricted ZIP3 areas, census by census."""

    census: list[Census] = Field(min_length=1)


class Canonical(_Strict):
    """Everything that makes a policy: its JSON text with sorted keys is what the policy hash is of."""

    product: Product
    site_overlay: dict[str, Rule]
    packs: dict[Name, Pack]
    zip3: Zip3
