"""A product's policy: packs, product and site read once, then carried as one text that needs no files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path

from pydantic import ValidationError

from veil.contracts import Profile
from veil.errors import VeilError
from veil.policy.dicom import compile_dicom
from veil.policy.files import read_toml, validated
from veil.policy.models import Canonical, Pack, Product, Site, Terminology, Zip3
from veil.policy.plan import Plan, compile_plan
from veil.policy.rules import Rules, intersect, rules_of, tighten

_PACKS = Path(__file__).parents[1] / "packs"


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be published as one product.

    `canonical` is everything the policy was made of, as JSON text with sorted keys; `hash` its SHA-256 (hex), which
    goes into every receipt; `groups` are all linkage groups, a group of its own for every modality that the product
    file does not list in one; `languages` are those in which notes are published (ISO 639-1); `surrogates` says that
    names in text become invented ones; `plan` is what the executors run.
    """

    product: str
    profile: Profile
    epoch: int
    groups: tuple[tuple[str, ...], ...]
    modalities: tuple[str, ...]
    languages: tuple[str, ...]
    surrogates: bool
    canonical: str = field(repr=False)
    hash: str
    plan: Plan = field(repr=False, compare=False)

    @classmethod
    def from_canonical(cls, text: str) -> Policy:
        """Rebuild a policy from its canonical text, as a worker does.

        Parameters
        ----------
        text
            `Policy.canonical` of the policy to rebuild.

        Returns
        -------
        Policy
            Equal to the one the text was taken from.

        Raises
        ------
        VeilError
            The text is not a consistent policy.
        """
        try:
            parts = Canonical.model_validate_json(text)
        except ValidationError:
            raise VeilError("this text is no canonical policy", "Load the policy from its files again.") from None
        product = parts.product
        grouped = {modality for group in product.linkage_groups for modality in group}
        alone = [[modality] for modality in product.modalities if modality not in grouped]
        rules, terminology = _rules(parts)
        dicom = compile_dicom(
            rules, [root.dicom for root in _roots(parts)], product.profile, holds_heads=product.heads == "hold"
        )
        restricted = frozenset(prefix for census in parts.zip3.census for prefix in census.restricted)
        return cls(
            product=product.name,
            profile=product.profile,
            epoch=product.epoch,
            groups=tuple(tuple(sorted(group)) for group in [*product.linkage_groups, *alone]),
            modalities=tuple(product.modalities),
            languages=tuple(product.languages),
            surrogates=product.names == "surrogates",
            canonical=text,
            hash=hashlib.sha256(text.encode()).hexdigest(),
            plan=compile_plan(rules, terminology, restricted, dicom, product.profile),
        )

    def group_of(self, modality: str) -> str:
        """Name the linkage group of a modality: its members in alphabetical order, joined by ``+``.

        Raises
        ------
        VeilError
            The product does not publish the modality.
        """
        for group in self.groups:
            if modality in group:
                return "+".join(group)
        raise VeilError(f"product {self.product} does not publish this modality", "Add it to the product file.")

    def __reduce__(self) -> tuple[Callable[[str], Policy], tuple[str]]:
        return Policy.from_canonical, (self.canonical,)


def _rules(parts: Canonical) -> tuple[Rules, Terminology]:
    """The rules that satisfy every pack of the product and the site; terminologies that every pack trusts."""
    product = parts.product
    rules = reduce(intersect, (rules_of(name, parts.packs, product.profile) for name in product.packs))
    trusted = [root.terminology for root in _roots(parts)]
    systems = set.intersection(*(set(terminology.systems) for terminology in trusted))
    prefixes = set.intersection(*(set(terminology.prefixes) for terminology in trusted))
    overlaid = tighten(rules, parts.site_overlay, "site overlay")
    return overlaid, Terminology(systems=sorted(systems), prefixes=sorted(prefixes))


def _roots(parts: Canonical) -> list[Pack]:
    return [_root(name, parts.packs) for name in parts.product.packs]


def _root(name: str, packs: dict[str, Pack]) -> Pack:
    pack = packs[name]
    return _root(pack.extends, packs) if pack.extends else pack


def _read_packs(names: list[str]) -> dict[str, Pack]:
    packs: dict[str, Pack] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in packs:
            packs[name] = validated(Pack, *read_toml(_PACKS / f"{name}.toml"))
            waiting += [packs[name].extends or name]
    _check_chains(packs)
    return packs


def _check_chains(packs: dict[str, Pack]) -> None:
    for name, pack in packs.items():
        seen = {name}
        below = pack.extends
        while below is not None:
            if below in seen:
                raise VeilError(f"pack {name} extends itself", "Let it extend a pack with allow-lists.")
            seen.add(below)
            below = packs[below].extends


def load_site(path: Path) -> Site:
    """Read the site file.

    Parameters
    ----------
    path
        Usually ``dags/config/site.toml``.

    Returns
    -------
    Site
        Name, sources, key provider and overlay.

    Raises
    ------
    VeilError
        The file is missing or wrong; file, key and line are named.
    """
    return validated(Site, *read_toml(path))


def load_policy(product_file: Path, site_file: Path | None = None) -> Policy:
    """Read a product's policy: its file, the regulation packs it names, and the site's overlay.

    Parameters
    ----------
    product_file
        ``dags/config/products/<name>.toml``.
    site_file
        ``dags/config/site.toml``; None where a product is made without a site, as at the edge.

    Returns
    -------
    Policy
        Validated and compiled.

    Raises
    ------
    VeilError
        A file is missing or wrong; file, key and line are named.
    Refused
        The site's overlay, or a pack that extends another, would loosen something.
    """
    product = validated(Product, *read_toml(product_file))
    overlay = load_site(site_file).overlay if site_file is not None else {}
    zip3 = validated(Zip3, *read_toml(_PACKS / "zip3.toml"))
    parts = Canonical(product=product, site_overlay=overlay, packs=_read_packs(product.packs), zip3=zip3)
    return Policy.from_canonical(json.dumps(parts.model_dump(mode="json"), sort_keys=True, separators=(",", ":")))
