"""Linux distribution releases: which backends, program versions, paths and features each has."""

from lvsc.targets.features import Feature, FeatureFact, Program
from lvsc.targets.load import TargetDataError, UnknownTarget, first_with, load, names
from lvsc.targets.target import Init, Paths, Target, Units, UnknownProgram
from lvsc.targets.version import Version

__all__ = [
    "Feature",
    "FeatureFact",
    "Init",
    "Paths",
    "Program",
    "Target",
    "TargetDataError",
    "Units",
    "UnknownProgram",
    "UnknownTarget",
    "Version",
    "first_with",
    "load",
    "names",
]
