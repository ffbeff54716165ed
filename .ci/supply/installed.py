"""What is installed for rdi: its packages, those that they bring, and the licence that each one's metadata names."""

from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_LONGEST = 60  # characters of a licence's name; some packages have all of its text there


def brought_by(requirements: Iterable[str]) -> dict[str, Distribution]:
    """What is installed of these requirements and of all that they need here, by normalised name, sorted."""
    found: dict[str, Distribution] = {}
    met = set()
    pending = [Requirement(text) for text in requirements]
    while pending:
        wanted = pending.pop()
        key = (canonicalize_name(wanted.name), *sorted(wanted.extras))
        if key in met:
            continue
        met.add(key)
        try:
            found[key[0]] = distribution(wanted.name)
        except PackageNotFoundError:  # of an extra that is not installed, or for another system
            continue
        pending += _needs(found[key[0]], wanted.extras)
    return dict(sorted(found.items()))


def licence_of(found: Distribution) -> str:
    """What a package's metadata say: the SPDX expression, else the short text, else the classifiers."""
    fields = found.metadata
    expression, text = ("".join(fields.get_all(name) or []) for name in ("License-Expression", "License"))
    if expression:
        return expression
    if 0 < len(text) <= _LONGEST and "\n" not in text:
        return text.removeprefix("OSI Approved :: ")
    classifiers = [value for value in fields.get_all("Classifier") or [] if value.startswith("License ::")]
    return " and ".join(value.rpartition(" :: ")[2] for value in classifiers) or "not named"


def _needs(found: Distribution, extras: Iterable[str]) -> list[Requirement]:
    """What it needs on this computer, with these of its extras."""
    needed = [Requirement(text) for text in found.requires or []]
    chosen = [{"extra": extra} for extra in ("", *extras)]
    return [item for item in needed if item.marker is None or any(map(item.marker.evaluate, chosen))]
