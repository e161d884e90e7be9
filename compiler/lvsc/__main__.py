"""The program: `lvsc`, and `python -m lvsc`."""

import sys


def main() -> int:
    """Run the program's own command line, and return its exit code."""
    try:
        from lvsc.cli import main as run  # noqa: PLC0415 - whoever presses Ctrl-C may do so while it is imported

        return run()
    except KeyboardInterrupt:
        sys.stderr.write("lvsc: interrupted\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
