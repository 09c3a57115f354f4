"""onerouter-mock: a local OneRouter that runs scenarios. Public names are loaded on first use.

PYTEST_DONT_REWRITE
"""

__version__ = "0.1.0"
# The OneRouter key that is handed out here: reads as no test key, and is longer than what is shown whole nowhere.
API_KEY = "sk-onerouter-mock-local"

TYPE_CHECKING = (
    False  # as typing has it, without importing it: `onerouter-mock --version` waits for every import
)
if TYPE_CHECKING:
    from onerouter_mock.core.errors import MockError, Problem, RequestError, ScenarioError
    from onerouter_mock.mock.faults import Handle
    from onerouter_mock.mock.onerouter import NotSeenInTime, OneRouterMock
    from onerouter_mock.mock.seen import SeenAttempt, SeenCall
    from onerouter_mock.mock.start import connect, serve

__all__ = [
    "Handle",
    "MockError",
    "NotSeenInTime",
    "OneRouterMock",
    "Problem",
    "RequestError",
    "ScenarioError",
    "SeenAttempt",
    "SeenCall",
    "__version__",
    "connect",
    "serve",
]

_HOMES = {
    "Handle": "mock.faults",
    "MockError": "core.errors",
    "NotSeenInTime": "mock.onerouter",
    "OneRouterMock": "mock.onerouter",
    "Problem": "core.errors",
    "RequestError": "core.errors",
    "ScenarioError": "core.errors",
    "SeenAttempt": "mock.seen",
    "SeenCall": "mock.seen",
    "connect": "mock.start",
    "serve": "mock.start",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
