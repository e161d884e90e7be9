"""Secrets of a rehearsal: made up, since any will do among machines that share it, and the real ones are nobody's here."""

import secrets

from lvsc.diagnostics import Origin
from lvsc.output.secrets import Resolution, Resolve
from lvsc.rehearsal.found import LeftOut
from lvsc.secrets import Secret, SecretRef


def stand_ins() -> tuple[Resolve, list[LeftOut]]:
    """A way to look secrets up that reads none and never fails, and the list that it fills with those it made up."""
    made: dict[SecretRef, Secret] = {}
    replaced: list[LeftOut] = []

    def resolve(ref: SecretRef, origin: Origin | None = None) -> Resolution:  # noqa: ARG001 - as Resolve has it
        if ref not in made:
            made[ref] = Secret(secrets.token_hex(ref.max_length // 2))
            replaced.append(
                LeftOut(f"the secret in {ref.source.value} `{ref.name}`", "a made-up one was used")
            )
        return Resolution(made[ref])

    return resolve, replaced
