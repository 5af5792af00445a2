"""`python -m neurogaze` is the command `neurogaze`."""

import sys

from neurogaze.cli import main

if __name__ == "__main__":
    sys.exit(main())
