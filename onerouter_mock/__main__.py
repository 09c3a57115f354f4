"""`python -m onerouter_mock`.

PYTEST_DONT_REWRITE
"""

import sys

from onerouter_mock.cli import main

if __name__ == "__main__":
    sys.exit(main())
