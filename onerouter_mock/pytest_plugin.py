"""The fixture `onerouter` and its marker. A run that does not use them pays nothing: the rest is imported on
first use.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from onerouter_mock import OneRouterMock
    from onerouter_mock.mock.every_test import EveryTest
    from onerouter_mock.mock.worlds import Worlds

# Name, metavar (None: a switch), help: each an option `--onerouter-NAME` and an ini value `onerouter_NAME`.
_OPTIONS = (
    ("scenario", "NAME|FILE", "what goes wrong in every test without a marker (healthy)"),
    ("scenario-dir", "DIR", "where scenario names are looked up first"),
    ("seed", "N", "seed of every draw"),
    ("clock", "real|virtual", "virtual: nothing sleeps (the default here)"),
    ("waits", "told|jump", "what refused clients are told"),
    ("url", "URL", "use a server that runs already; each test is a session of it"),
    ("report", None, "totals of the run in the terminal summary"),
    ("github", None, "totals as a GitHub job summary, failing tests as annotations"),
    ("strict", None, "requests to paths that are not emulated fail the test"),
)
_MARKER = (
    "onerouter(scenario, **overrides): start the OneRouter mock with it; overrides are its top-level fields"
)

_worlds = pytest.StashKey["Worlds"]()
_every_test: pytest.StashKey[EveryTest] = pytest.StashKey()
_mock = pytest.StashKey["OneRouterMock"]()
_totals = pytest.StashKey[dict[str, Any]]()
_foreign = pytest.StashKey[str]()
_address = pytest.StashKey[dict[str, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("onerouter", "onerouter-mock: a local OneRouter")
    for name, metavar, text in _OPTIONS:
        ini = f"onerouter_{name.replace('-', '_')}"
        if metavar is None:
            group.addoption(f"--onerouter-{name}", action="store_true", default=None, dest=ini, help=text)
            parser.addini(ini, text, type="bool", default=False)
        else:
            group.addoption(f"--onerouter-{name}", metavar=metavar, default=None, dest=ini, help=text)
            parser.addini(ini, text, default=None)
    scope = (
        "test: a mock for each test; session: one address, there before collection, reset before each test"
    )
    parser.addini("onerouter_scope", scope, default="test")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """With `onerouter_scope = session`: before any conftest can make a client."""
    _begin_session_scope(early_config)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)
    _check_options(config)
    _begin_session_scope(config)
    if hasattr(config, "workerinput"):  # xdist: the controller reports
        return
    if _said(config, "report") or _said(config, "github"):
        from onerouter_mock.mock.report import RunReport

        report = RunReport(_said(config, "report"), _said(config, "github"), config.rootpath, os.environ)
        config.pluginmanager.register(report, "onerouter_mock_report")


def _check_options(config: pytest.Config) -> None:
    """Once, before the first test, that all of them need not fail for it."""
    said = {name: _said(config, name) for name, _, _ in _OPTIONS}
    if not any(said.values()):
        return
    from onerouter_mock.mock.options import WrongOption, find_folder, read_options, read_url

    try:
        read_options(said), read_url(said), find_folder(said, config.rootpath)
    except WrongOption as error:
        raise pytest.UsageError(str(error)) from None


def pytest_unconfigure(config: pytest.Config) -> None:
    _stop(config)


def _stop(config: pytest.Config) -> None:
    worlds = config.stash.get(_worlds, None)
    if worlds is not None:
        del config.stash[_worlds]
        worlds.close()


def _begin_session_scope(config: pytest.Config) -> None:
    scope = config.getini("onerouter_scope")
    if scope not in ("test", "session"):
        raise pytest.UsageError(f"onerouter_scope: '{scope}' is none; would be right: test or session")
    if scope != "session" or _worlds in config.stash:
        return
    worlds = _get_worlds(config)
    try:
        before = _set_environment(worlds.begin_shared(os.environ))
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    from onerouter_mock.mock import every_test

    config.stash[_every_test] = every_test.EveryTest(worlds, _foreign)
    config.pluginmanager.register(config.stash[_every_test], "onerouter_mock_every_test")
    config.add_cleanup(lambda: _restore_environment(before))
    config.add_cleanup(lambda: _stop(config))


def _get_worlds(config: pytest.Config) -> Worlds:
    if _worlds not in config.stash:
        _import_engine(config)
        from onerouter_mock.mock.worlds import Worlds

        said = {name: _said(config, name) for name, _, _ in _OPTIONS}
        said["worker"] = os.environ.get("PYTEST_XDIST_WORKER")
        try:
            config.stash[_worlds] = Worlds(said, config.rootpath)
        except ValueError as error:
            raise pytest.UsageError(str(error)) from None
    return config.stash[_worlds]


def _import_engine(config: pytest.Config) -> None:
    """Past pytest's rewriting hook: where no bytecode is written, it compiles all that it loads anew, rewritten or
    not. And at once, with what the first answer needs, for that comes while the hook is at work.
    """
    hook: Any = config.pluginmanager.rewrite_hook
    at = sys.meta_path.index(hook) if hook in sys.meta_path else None
    if at is not None:
        del sys.meta_path[at]
    try:
        import onerouter_mock.mock.every_test
        import onerouter_mock.server  # noqa: F401 (the host imports it when it starts)
        from onerouter_mock.core.answers.words import borrow_words
        from onerouter_mock.core.catalogue import built_in

        built_in()
        with borrow_words():
            pass
    finally:
        if at is not None:
            sys.meta_path.insert(at, hook)


def _said(config: pytest.Config, name: str) -> Any:
    """An option, else its ini twin; before the conftests are loaded, options are known but not final."""
    ini = f"onerouter_{name.replace('-', '_')}"
    value = getattr(config.option, ini, None)
    if value is None:
        value = getattr(config.known_args_namespace, ini, None)
    return config.getini(ini) if value is None else value


def pytest_report_header(config: pytest.Config) -> str | None:
    worlds = config.stash.get(_worlds, None)
    return worlds.header() if worlds is not None else None


# The marker alone starts the mock


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        names = getattr(item, "fixturenames", None)
        if names is None:
            continue
        marker = item.get_closest_marker("onerouter")
        if marker is not None and (foreign := _foreign_fixture(item)):
            item.stash[_foreign] = foreign
        if marker is not None or "onerouter" in names:
            _put_first(item, names)


def _put_first(item: pytest.Item, names: list[str]) -> None:
    """First, so that a client made by another fixture finds the environment set; and its address once more behind
    the automatic fixtures, which may clean the environment, that no test goes to the real service.
    """
    rest = [name for name in names if name != "onerouter"]
    automatic = set(item.session._fixturemanager._getautousenames(item))
    others = (at for at, name in enumerate(rest) if name not in automatic or name.startswith("_xunit_"))
    at = next(others, len(rest))
    again = ["_onerouter_address"] if at and _foreign_fixture(item) is None else []
    names[:] = ["onerouter", *rest[:at], *again, *rest[at:]]


def _foreign_fixture(item: pytest.Item) -> str | None:
    """Where a fixture of that name stands that hides ours, if there is one that does not build on ours."""
    chain = item.session._fixturemanager.getfixturedefs("onerouter", item) or ()
    for fixture in reversed(chain):
        if fixture.func.__module__ == __name__:
            return None
        if "onerouter" not in fixture.argnames:
            return f"{fixture.func.__code__.co_filename}:{fixture.func.__code__.co_firstlineno}"
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    where = item.stash.get(_foreign, None)
    if where is not None:
        what = f"the marker `onerouter` has no effect: the fixture of that name in {where} hides ours"
        right = "would be right: another name for it, or a fixture that itself asks for `onerouter`"
        item.warn(pytest.PytestWarning(f"{what}; {right}"))


# The fixture


@pytest.fixture
def onerouter(request: pytest.FixtureRequest) -> Iterator[OneRouterMock]:
    """A OneRouter for this test alone; the environment points clients at it. Members:
    `onerouter_mock.OneRouterMock`.
    """
    worlds = _get_worlds(request.config)
    every_test = request.config.stash.get(_every_test, None)
    node = request.node
    mock = every_test.name_mock() if every_test is not None else _begin(worlds, node)
    node.stash[_address] = worlds.environment(mock, os.environ)
    before = _set_environment(node.stash[_address])
    try:
        yield mock
    finally:
        _restore_environment(before)
        strays = None
        if every_test is None:
            node.stash[_totals], strays = worlds.end(mock)
    if strays:
        pytest.fail(strays, pytrace=False)


@pytest.fixture
def _onerouter_address(request: pytest.FixtureRequest, onerouter: object) -> None:
    values = request.node.stash.get(_address, {})
    lost = {
        name: value for name, value in values.items() if not name.endswith("_KEY") or name not in os.environ
    }
    os.environ.update(
        lost
    )  # `onerouter` puts back what was before; another key is good here, and may be meant


def _begin(worlds: Worlds, node: pytest.Item) -> OneRouterMock:
    from onerouter_mock.mock.options import WrongOption
    from onerouter_mock.mock.worlds import WrongMarker, ask_for

    try:
        mock = node.stash[_mock] = worlds.begin(ask_for(node))
        return mock
    except (WrongMarker, WrongOption) as error:
        text = str(error)
    pytest.fail(text, pytrace=False)


def _set_environment(values: dict[str, str]) -> dict[str, str | None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    return before


def _restore_environment(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


# Reports


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    mock = item.stash.get(_mock, None)
    if mock is None:
        return report
    if report.failed:
        report.sections.append(item.config.stash[_worlds].describe(mock))
    if call.when == "teardown":
        del item.stash[_mock]
        report.onerouter = item.stash.get(_totals, None)  # type: ignore[attr-defined]  # xdist sends it too
    return report
