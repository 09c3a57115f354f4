"""Names checked against each other: a provider, key, account or endpoint without wildcard must exist.

On the tree rather than on the checked fields, so that a wrong name is told together with every other slip.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from onerouter_mock.core.catalogue import built_in
from onerouter_mock.core.catalogue.latency import RECORDED
from onerouter_mock.core.errors import Problem
from onerouter_mock.core.records import ENDPOINTS
from onerouter_mock.core.scenario.problems import complain, suggest
from onerouter_mock.core.scenario.records import Scenario
from onerouter_mock.core.scenario.tree import Node
from onerouter_mock.core.scenario.units import quote

_SECRET_HEADERS = ("authorization", "x-api-key")


@dataclass(slots=True)
class Names:
    """What may be named without a wildcard."""

    providers: Collection[str]
    keys: Collection[str]
    accounts: Collection[str]


def has_wildcard(text: str) -> bool:
    """Whether a text is a glob: holds `*`, `?` or `[`."""
    return any(letter in text for letter in "*?[")


def list_names(root: Node) -> Names:
    """The names that a scenario's tree gives, with the catalogue's."""
    providers = {**built_in().providers, **_member(root, "providers")}
    return Names(providers, _member(root, "keys"), {**_member(root, "accounts"), "default": None})


def names_of(scenario: Scenario) -> Names:
    """The names that a scenario gives, for rules that are added to it."""
    keys = [key.name for key in scenario.keys]
    return Names(scenario.catalogue.providers, keys, [account.name for account in scenario.accounts])


def _member(node: Node, name: str) -> dict[str, Node]:
    """The map under a key; nothing where there is none."""
    found = node.value.get(name) if isinstance(node.value, dict) else None
    members = found.value if found is not None and isinstance(found.value, dict) else {}
    return {key: node for key, node in members.items() if node.value is not None or node.flawed}


def entries(root: Node, name: str) -> list[Node]:
    """The entries of `rules` or `limits` that are maps."""
    found = root.value.get(name) if isinstance(root.value, dict) else None
    listed = found.value if found is not None and isinstance(found.value, list) else []
    return [item for item in listed if isinstance(item.value, dict)]


def words(node: Node | None) -> Iterator[Node]:
    """The texts of a field that takes one or a list."""
    if node is not None:
        for item in node.value if isinstance(node.value, list) else [node]:
            if isinstance(item.value, str):
                yield item


def check_names(root: Node, names: Names) -> list[Problem]:
    """Every name that does not exist."""
    problems = [
        problem
        for group in ("limits", "rules")
        for entry in entries(root, group)
        for problem in _check_when(entry, [group, entry.index, "when"], names)
    ]
    for group, field in (("keys", "provider"), ("models", "providers")):
        for name, node in _member(root, group).items():
            if isinstance(node.value, dict):
                for word in words(node.value.get(field)):
                    problems += _look_up(word, [group, name, field], "provider", names.providers, globs=False)
    for slug, node in _member(root, "providers").items():
        latency = node.value.get("latency") if isinstance(node.value, dict) else None
        if latency is not None and latency.value == "recorded" and slug not in RECORDED:
            what, right = (
                f"nothing is recorded of {quote(slug)}",
                f"recorded are {', '.join(sorted(RECORDED))}",
            )
            problems.append(complain(latency, ["providers", slug, "latency"], what, right))
    return problems


def _check_when(entry: Node, path: list[str | int], names: Names) -> Iterator[Problem]:
    when = _member(entry, "when")
    for field, known in (
        ("provider", names.providers),
        ("key", names.keys),
        ("account", names.accounts),
        ("endpoint", ENDPOINTS),
    ):
        for word in words(when.get(field)):
            yield from _look_up(word, [*path, field], field, known, globs=True)
    header = when.get("header")
    for name, node in header.value.items() if header is not None and isinstance(header.value, dict) else ():
        if name.lower() in _SECRET_HEADERS:
            what, right = f"{quote(name)} holds a secret", "would be right: when.key or when.account"
            yield complain(node, [*path, "header", name], what, right, at_key=True)


def _look_up(
    word: Node, path: list[str | int], noun: str, known: Collection[str], *, globs: bool
) -> Iterator[Problem]:
    if word.value in known or not word.value or (globs and has_wildcard(word.value)):
        return
    right = suggest(word.value, known)
    if noun == "key" and not right.startswith("did"):
        right = "would be right: a name of `keys`, or a glob on the credential, such as 'sk-own-*'"
    yield complain(word, path, f"no {noun} {quote(word.value)}", right)
