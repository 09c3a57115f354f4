"""`extends`: a scenario laid over its parent.

Maps merge key by key; in lists the child's entries come first, and replace the parent's of the same name;
scalars are replaced.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from onerouter_mock.core.errors import Problem, ScenarioError
from onerouter_mock.core.scenario.read import read_text
from onerouter_mock.core.scenario.tree import Node

Find = Callable[[str, str], tuple[str, str] | None]
MAX_PARENTS = 5
_OWN = ("version", "name", "extends")  # of the file itself: not inherited


def extend(child: Node, file: str, find: Find | None) -> tuple[Node, list[Problem]]:
    """The child with all its parents under it, and what is wrong with the chain or the parents' text."""
    problems: list[Problem] = []
    merged, latest, chain = child, child, [file]
    while True:
        wanted = latest.value.get("extends") if isinstance(latest.value, dict) else None
        if wanted is None or not isinstance(wanted.value, str):
            if wanted is not None and latest is not child and wanted.value is not None:
                problems.append(
                    _blame(wanted, "this is no name", "would be right: a bundled name or a file beside it")
                )
            return merged, problems
        parent = _find_parent(wanted, chain, find, problems)
        if parent is None:
            return merged, problems
        merged, latest = merge(merged, replace(parent, value=without_own(parent))), parent


def _find_parent(wanted: Node, chain: list[str], find: Find | None, problems: list[Problem]) -> Node | None:
    if len(chain) > MAX_PARENTS:
        problems.append(_blame(wanted, f"more than {MAX_PARENTS} parents", "would be right: a shorter chain"))
        return None
    what, right = (
        f"'{wanted.value[:60]}' is not found",
        "would be right: a bundled name or a file beside this one",
    )
    try:
        found = find(wanted.value, chain[-1]) if find else None
    except ScenarioError as error:
        found, problem = None, error.problems[0]
        what = f"'{wanted.value[:60]}': {problem.what}" if problem.file else problem.what
        right = problem.right
    if found is None:
        problems.append(_blame(wanted, what, right))
        return None
    text, file = found
    if file in chain:
        circle = " -> ".join([*chain[chain.index(file) :], file])
        problems.append(
            _blame(wanted, f"a scenario can't extend itself ({circle})", "would be right: another parent")
        )
        return None
    chain.append(file)
    parent, flaws = read_text(text, file)
    problems += flaws
    if parent is not None and parent.value is not None and not isinstance(parent.value, dict):
        problems.append(
            Problem(file, parent.line, parent.column, "scenario", "this is no map", "would be right: fields")
        )
        return None
    return parent if parent is not None and parent.value is not None else None


def _blame(node: Node, what: str, right: str) -> Problem:
    return Problem(node.file, node.line, node.column, "extends", what, right)


def without_own(parent: Node) -> dict[str, Node]:
    """The members that a child inherits."""
    return {key: node for key, node in parent.value.items() if key not in _OWN}


def merge(child: Node, parent: Node) -> Node:
    """The child's value laid over the parent's; a null is no value."""
    if child.flawed or (isinstance(child.value, dict) and isinstance(parent.value, dict)):
        return child if child.flawed else _merge_maps(child, parent)
    if isinstance(child.value, list) and isinstance(parent.value, list):
        return _merge_lists(child, parent)
    return parent if child.value is None else child


def _merge_maps(child: Node, parent: Node) -> Node:
    under = parent.value
    value = {key: merge(node, under[key]) if key in under else node for key, node in child.value.items()}
    return replace(child, value=value | {key: node for key, node in under.items() if key not in value})


def _merge_lists(child: Node, parent: Node) -> Node:
    names = {_identify(item) for item in child.value} - {None}
    inherited = [item for item in parent.value if _identify(item) not in names]
    return replace(child, value=[*child.value, *inherited])


def _identify(item: Node) -> object:
    """An entry's name, or the entry itself when it is a word of a list."""
    if isinstance(item.value, dict):
        name = item.value.get("name")
        return ("name", name.value) if name is not None and isinstance(name.value, str) else None
    return ("word", item.value) if isinstance(item.value, str) else None
