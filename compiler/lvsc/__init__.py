"""The compiler for Linux Virtual Server clusters."""

__version__ = "0.1.0"
