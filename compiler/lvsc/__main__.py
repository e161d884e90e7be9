"""`python -m lvsc`."""

import sys

from lvsc.cli import main

sys.exit(main())
