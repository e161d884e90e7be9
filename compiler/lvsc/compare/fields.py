"""The generic comparison of two things of one type, field by field, and values in words."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeGuard

from lvsc.compare.names import selector_words
from lvsc.compare.words import persistence
from lvsc.graph.nodes import AddressSelector, MarkSelector, Persistence
from lvsc.secrets import SecretRef, SecretSource

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class Field:
    """A value that is not the same on both sides."""

    name: str
    before: str
    after: str


def differing(one: "DataclassInstance", other: "DataclassInstance", prefix: str = "") -> Iterator[Field]:
    """The fields of two dataclasses of one type that are not equal, those within fields too; labels and hosts are none.

    Secrets are not equal only where that is known: the value that one side has is not compared with where the other keeps it.
    """
    for each in fields(one):
        if not each.compare or (each.name == "host" and not prefix):
            continue
        before, after = getattr(one, each.name), getattr(other, each.name)
        if before == after:
            continue
        name = f"{prefix}{each.name}"
        if isinstance(before, SecretRef) and isinstance(after, SecretRef):
            yield from _secrets(name, before, after)
            continue
        if _has_fields(before) and type(before) is type(after):
            yield from differing(before, after, f"{name}.")
        else:
            yield Field(name, value_words(before), value_words(after))


def _secrets(name: str, before: SecretRef, after: SecretRef) -> Iterator[Field]:
    """The field of a secret, where it is known to be another."""
    if before.same_as(after) is False:
        if before.source is SecretSource.UNKNOWN:
            yield Field(name, "a secret", "another secret")
        else:
            yield Field(name, before.placeholder, after.placeholder)


def _has_fields(value: object) -> TypeGuard["DataclassInstance"]:
    """Whether a value is told by its fields; selectors and secrets have words of their own."""
    words = (AddressSelector, MarkSelector, SecretRef, type)
    return is_dataclass(value) and not isinstance(value, words)


def value_words(value: object) -> str:
    """A field's value as a reader knows it."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case AddressSelector() | MarkSelector():
            return selector_words(value)
        case SecretRef():
            return value.placeholder
        case Enum():
            return str(value.value)
        case Persistence():
            return persistence(value).removeprefix("persistence ")
        case (int() as first, int() as last):
            return str(first) if first == last else f"{first}-{last}"
        case tuple():
            return ", ".join(map(value_words, value)) or "none"
    if _has_fields(value):
        parts = [
            f"{each.name} {value_words(getattr(value, each.name))}"
            for each in fields(value)
            if each.compare and getattr(value, each.name) not in (None, each.default)
        ]
        return " ".join((type(value).__name__, *parts))
    return f"{value:g}" if isinstance(value, float) else str(value)
