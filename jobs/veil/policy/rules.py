"""From packs to one flat list of rules: macros expanded, packs intersected, tightenings checked and applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from veil.contracts import Profile
from veil.errors import Refused, VeilError
from veil.policy.dicom import rules_of_dicom
from veil.policy.models import Fields, Pack
from veil.policy.treatments import LEVELS, macro, split, tightens, tighter

Rules = dict[str, str]
"""A treatment for every path: ``fhir.<Type>.<field>``, ``extension.<Type>.<url>.<field>``, ``roles.<role>``,
``dicom.<keyword>`` or ``dicom.vr.<VR>``."""

_WITHIN_REFERENCE = ("type", "identifier", "display")


def _join(prefix: str, path: str) -> str:
    return f"{prefix}.{path}" if path != "*" else prefix


def _expand(prefix: str, fields: Fields, pack: Pack, within: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield every leaf below a prefix, with ``type:`` macros and references written out."""
    for name, treatment in fields.items():
        path = _join(prefix, name)
        datatype = macro(treatment)
        if datatype is not None:
            if datatype in within:
                raise VeilError(f"datatype.{datatype} contains itself", "Name the fields to the depth that is needed.")
            if datatype not in pack.datatype:
                raise VeilError(f"{path} uses type:{datatype}, which the pack lacks", f"Add [datatype.{datatype}].")
            yield from _expand(path, pack.datatype[datatype], pack, (*within, datatype))
        elif split(treatment)[0] == "reference":
            yield f"{path}.reference", treatment
            yield from ((f"{path}.{part}", "drop") for part in _WITHIN_REFERENCE)
        else:
            yield path, treatment


def _flatten(pack: Pack, profile: Profile) -> Rules:
    rules: Rules = {}
    common = pack.datatype.get("Resource", {})
    for resource_type, fields in pack.fhir.items():
        for path, treatment in (
            *_expand(f"fhir.{resource_type}", common, pack),
            *_expand(f"fhir.{resource_type}", fields, pack),
        ):
            if path in rules:
                raise VeilError(f"{path} has two rules", "Leave one of them.")
            rules[path] = treatment
    for url, extension in pack.extension.items():
        for resource_type in extension.on:
            rules.update(_expand(f"extension.{resource_type}.{url}", extension.fields, pack))
    rules.update({f"roles.{role}": treatment for role, treatment in pack.roles.items()})
    if pack.dicom is not None:
        rules.update(rules_of_dicom(pack.dicom, profile))
    return rules


def _treatment(rules: Rules, path: str) -> str:
    """The rule of a path or of what contains it; unknown is denied."""
    while path:
        if path in rules:
            return rules[path]
        path = path.rpartition(".")[0]
    return "drop"


def _pruned(rules: Rules) -> Rules:
    """Leave out what lies below a dropped path: the whole is dropped at once."""
    dropped = {path for path, treatment in rules.items() if treatment == "drop"}

    def below_a_drop(path: str) -> bool:
        parent = path.rpartition(".")[0]
        return bool(parent) and (parent in dropped or below_a_drop(parent))

    return {path: treatment for path, treatment in rules.items() if not below_a_drop(path)}


def intersect(one: Rules, other: Rules) -> Rules:
    """The rules that satisfy two packs: a path that either drops or does not know is dropped."""
    return _pruned({path: tighter(_treatment(one, path), _treatment(other, path)) for path in {**one, **other}})


def _places(rules: Rules, path: str) -> list[str]:
    """The prefixes of rules that a path of an overlay names; ``extension.<url>`` names it on every type."""
    candidates = [path]
    if path.startswith("extension."):
        types = {rule.split(".")[1] for rule in rules if rule.startswith("extension.")}
        candidates += [f"extension.{name}.{path.removeprefix('extension.')}" for name in sorted(types)]
    return [place for place in candidates if any(rule == place or rule.startswith(f"{place}.") for rule in rules)]


def tighten(rules: Rules, overlay: Mapping[str, str], where: str) -> Rules:
    """Apply a table of tightenings.

    Parameters
    ----------
    rules
        What is allowed so far.
    overlay
        Treatment by path. A path that holds fields, a resource type or an extension can only be dropped as a whole.
    where
        The file the table stands in, for messages.

    Returns
    -------
    Rules
        What is allowed after it; never more than before.

    Raises
    ------
    Refused
        A path would be loosened, or is not allowed in the first place.
    """
    result = dict(rules)
    for path, treatment in overlay.items():
        places = _places(rules, path)
        if not places:
            raise Refused(
                f"{where}: {path} would be opened: no pack allows it",
                "An overlay only tightens. Correct the path, or change the pack.",
            )
        for place in places:
            before = result.get(place)
            if not (treatment == "drop" if before is None else tightens(before, treatment)):
                raise Refused(
                    f"{where}: {path} would be loosened to {treatment}",
                    f"An overlay only tightens: {' < '.join(LEVELS)}; what holds fields is dropped as a whole.",
                )
            result[place] = treatment
    return _pruned(result)


def rules_of(name: str, packs: Mapping[str, Pack], profile: Profile) -> Rules:
    """All rules of one pack under a profile, those of the pack it extends included.

    Raises
    ------
    VeilError
        It is inconsistent, lacks a clause for a treatment it uses, or loosens the pack that it extends.
    """
    pack = packs[name]
    rules = (
        tighten(rules_of(pack.extends, packs, profile), pack.tighten, name)
        if pack.extends
        else _pruned(_flatten(pack, profile))
    )
    uncited = {split(treatment)[0] for treatment in rules.values()} - set(pack.clauses)
    if uncited:
        raise VeilError(f"{name}: no clause for {', '.join(sorted(uncited))}", "Add it to [clauses].")
    return rules
