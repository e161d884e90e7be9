"""Secrets of a rehearsal: the spec's own where they are to be had, and stand-ins where not."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from lvsc.diagnostics import Origin
from lvsc.output.secrets import Resolution, Resolve, Secret, resolver
from lvsc.rehearsal.found import LeftOut
from lvsc.secrets import SecretRef


def stand_ins(environment: Mapping[str, str], base: Path) -> tuple[Resolve, list[LeftOut]]:
    """A way to look secrets up that never fails, and the list that it fills with those it made up.

    A rehearsal before a merge seldom has the password of the cluster, and any will do among machines that share it.
    """
    look_up = resolver(environment, base)
    made: dict[SecretRef, Secret] = {}
    replaced: list[LeftOut] = []

    def resolve(ref: SecretRef, origin: Origin | None = None) -> Resolution:
        found = look_up(ref, origin)
        if found.secret is not None:
            return found
        if ref not in made:
            made[ref] = Secret(secrets.token_hex(ref.max_length // 2))
            where = f"the secret in {ref.source.value} `{ref.name}`"
            replaced.append(LeftOut(where, "it cannot be read here, so a made-up one was used"))
        return Resolution(made[ref])

    return resolve, replaced
