"""A stretch of a source text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Lines and columns from 1, columns in characters, the end just behind the last one."""

    line: int
    column: int
    end_line: int
    end_column: int
