"""onerouter-mock: a local OneRouter that runs scenarios. Public names are loaded on first use.

PYTEST_DONT_REWRITE
"""

__version__ = "0.1.0"
