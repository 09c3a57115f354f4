"""The never-rules of the house, as assertions on the source (the map: onerouter_mock/core/__init__.py)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "onerouter_mock"
CORE = PACKAGE / "core"
FILES = sorted(PACKAGE.rglob("*.py"))
CORE_FILES = [path for path in FILES if path.is_relative_to(CORE)]

NOT_IN_CORE = {
    "asyncio",
    "aiohttp",
    "time",
    "os",
    "pathlib",
    "socket",
    "threading",
    "logging",
    "pytest",
    "random",
    "io",
}
# From the ground up; a file may import from its own layer and those below it.
LAYERS = [
    {"core"},
    {"journal", "library", "clock"},
    {"emulator", "sessions", "dry_run"},
    {"play"},
    {"server", "admin", "connections", "direct", "listeners"},
    {"host"},
    {"mock", "cli", "pytest_plugin", "__main__", "__init__"},
]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module a file imports for use at run time (not under TYPE_CHECKING), with its line."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}:{node.lineno}: relative import"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


def layer_of(module: str) -> int | None:
    parts = module.split(".")
    if parts[0] != "onerouter_mock":
        return None
    room = parts[1] if len(parts) > 1 else "__init__"
    for height, rooms in enumerate(LAYERS):
        if room in rooms:
            return height
    # `from onerouter_mock import X`: a public name of the package itself
    return None if not (PACKAGE / f"{room}.py").exists() and not (PACKAGE / room).exists() else -1


def calls(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


@pytest.mark.parametrize("path", CORE_FILES, ids=name_of)
def test_core_touches_no_world(path: Path) -> None:
    for module, line in imports(path):
        first = module.split(".")[0]
        assert first not in NOT_IN_CORE, f"{name_of(path)}:{line} imports {module}"
        if first == "onerouter_mock":
            below = module.startswith("onerouter_mock.core")
            assert below, f"{name_of(path)}:{line}: core imports a shell, {module}"


@pytest.mark.parametrize("path", CORE_FILES, ids=name_of)
def test_core_reads_no_clock_and_opens_nothing(path: Path) -> None:
    for call, line in calls(path):
        assert not call.endswith((".now", ".today", ".utcnow")), f"{name_of(path)}:{line}: {call}"
        assert call not in {"open", "input", "print"}, f"{name_of(path)}:{line}: {call}"


def test_only_answers_knows_faker_and_only_scenario_knows_yaml() -> None:
    fakers = {
        name_of(path) for path in FILES for module, _ in imports(path) if module.split(".")[0] == "faker"
    }
    yamls = {name_of(path) for path in FILES for module, _ in imports(path) if module.split(".")[0] == "yaml"}
    assert len(fakers) == 1
    assert all("core/answers" in name for name in fakers), fakers
    assert all("core/scenario" in name for name in yamls), yamls


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_layers_point_one_way(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    mine = layer_of(f"onerouter_mock.{room}")
    assert mine is not None, f"{name_of(path)} stands in no layer of {LAYERS}"
    assert mine >= 0, f"{name_of(path)} stands in no layer of {LAYERS}"
    for module, line in imports(path):
        theirs = layer_of(module)
        if theirs is not None:
            assert 0 <= theirs <= mine, f"{name_of(path)}:{line} imports {module}, which stands above it"


def test_decide_and_render_never_raise() -> None:
    for name in ("decide", "render", "candidates", "timeline", "billing", "limits", "rules"):
        tree = ast.parse((CORE / f"{name}.py").read_text())
        raising = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Raise)]
        assert not raising, f"core/{name}.py raises in lines {raising}"


def provider_slugs() -> set[str]:
    from onerouter_mock.core.catalogue import built_in

    return set(built_in().providers)


@pytest.mark.parametrize("path", [p for p in FILES if "catalogue" not in p.parts], ids=name_of)
def test_only_the_catalogue_knows_providers_by_name(path: Path) -> None:
    """Docstrings may name one; code may not decide by a name."""
    tree = ast.parse(path.read_text())
    slugs = provider_slugs()
    allowed = {"openai"} if "cli" in path.parts or path.name in {"environment.py"} else set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for side in [node.left, *node.comparators]:
                value = getattr(side, "value", None)
                named = isinstance(value, str) and value in slugs - allowed
                assert not named, f"{name_of(path)}:{node.lineno} decides by the provider {value!r}"


def test_only_play_waits_or_touches_a_transport() -> None:
    for path in [*CORE_FILES, PACKAGE / "emulator.py", PACKAGE / "server.py"]:
        for call, line in calls(path):
            waits = (
                call.endswith(".sleep")
                or call.endswith("transport.write")
                or call.endswith("transport.abort")
            )
            assert not waits, f"{name_of(path)}:{line}: {call}"


def test_only_the_command_line_and_the_plugin_know_arguments_and_environment() -> None:
    for path in FILES:
        if (
            "cli" in path.parts
            or path.name in {"pytest_plugin.py", "__main__.py"}
            or path.is_relative_to(CORE)
        ):
            continue
        text = path.read_text()
        assert "os.environ" not in text, name_of(path)
        assert "sys.argv" not in text, name_of(path)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_file_holds_two_ideas(path: Path) -> None:
    lines = path.read_text().count("\n")
    assert lines <= 300, f"{name_of(path)} has {lines} lines: two ideas?"
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 40, (
                f"{name_of(path)}:{node.lineno}: {node.name} has {length} lines: two functions?"
            )


def test_house_has_no_cupboards() -> None:
    words = {"utils", "helpers", "common", "manager", "handler", "service", "misc"}
    assert not [name_of(path) for path in FILES if path.stem.lower() in words]


@pytest.mark.parametrize("path", [p for p in FILES if p.name != "pytest_plugin.py"], ids=name_of)
def test_pytest_is_told_not_to_rewrite_the_engine(path: Path) -> None:
    """pytest rewrites each module of a package with an entry point, at a price, but for this mark."""
    assert "PYTEST_DONT_REWRITE" in (ast.get_docstring(ast.parse(path.read_text())) or ""), name_of(path)


HEAVY = ("aiohttp", "pydantic", "faker", "yaml", "orjson", "asyncio")


@pytest.mark.parametrize("module", ["onerouter_mock", "onerouter_mock.pytest_plugin", "onerouter_mock.cli"])
def test_cheap_doors_import_nothing_heavy(module: str) -> None:
    code = (
        f"import sys, pytest; before = set(sys.modules); import {module}; print(*(set(sys.modules) - before))"
    )
    if module != "onerouter_mock.pytest_plugin":
        code = code.replace(", pytest", "")
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    assert not set(out.split()) & set(HEAVY)


def test_every_module_imports_and_public_names_stay_callable() -> None:
    """`onerouter_mock/serve.py` would shadow `onerouter_mock.serve`: import all, then look at the public names."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in FILES if path.name != "__main__.py"
    ]
    code = (
        "import importlib, onerouter_mock\n"
        f"for name in {modules!r}: importlib.import_module(name.removesuffix('.__init__'))\n"
        "assert all(callable(getattr(onerouter_mock, name)) for name in ('serve', 'connect', 'OneRouterMock'))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
