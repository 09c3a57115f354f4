"""Checked fields to the records that the router reads.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import TypeVar

from onerouter_mock.core.catalogue import Catalogue, built_in
from onerouter_mock.core.records import ENDPOINTS, KINDS
from onerouter_mock.core.scenario import fields
from onerouter_mock.core.scenario.aspects import Aspects
from onerouter_mock.core.scenario.happen import compile_aspects, compile_error
from onerouter_mock.core.scenario.names import has_wildcard
from onerouter_mock.core.scenario.records import (
    Account,
    Budget,
    Cooldown,
    KeyName,
    Limit,
    RouterConf,
    Rule,
    Scenario,
    When,
)
from onerouter_mock.core.scenario.tree import Node, to_data

_FAULTS_OF_THE_REQUEST = frozenset({"context_length", "content_filter", "invalid_request"})
Entry = TypeVar("Entry", Rule, Limit)


def compile_scenario(checked: fields.Scenario, root: Node, file: str, name: str) -> Scenario:
    """The scenario as the router uses it; `name` is for one that does not say its own."""
    limits = compile_limits(checked.limits, root)
    rules = compile_rules(checked.rules, root)
    keys = tuple(KeyName(n, tuple(k.match), k.provider, k.expires) for n, k in checked.keys.items())
    return Scenario(
        name=checked.name or name,
        catalogue=_extend_catalogue(checked),
        description=checked.description,
        file=file,
        seed=checked.seed,
        clock=checked.clock,
        speed=checked.speed,
        waits=checked.waits or ("jump" if checked.clock == "virtual" else "told"),
        wire=checked.wire,
        keys=keys,
        accounts=_compile_accounts(checked),
        auth=checked.auth,
        router=_compile_router(checked.router),
        unknown_models=checked.unknown_models,
        limits=limits,
        rules=rules,
        key_globs=find_key_globs((*limits, *rules), keys),
        source=root,
    )


def _extend_catalogue(checked: fields.Scenario) -> Catalogue:
    if not checked.providers and not checked.models:
        return built_in()
    providers = {name: entry.model_dump(exclude_none=True) for name, entry in checked.providers.items()}
    models = {name: entry.model_dump(exclude_none=True) for name, entry in checked.models.items()}
    return built_in().extended(providers, models)


def _compile_accounts(checked: fields.Scenario) -> tuple[Account, ...]:
    """In written order, but `default`, who takes what nobody else matched, comes last."""
    default = Account("default")
    named = {
        name: Account(
            name,
            tuple(entry.match or ()),
            default.credits_nano if entry.credits is None else entry.credits,
            entry.disabled,
        )
        for name, entry in checked.accounts.items()
    }
    default = named.pop("default", default)
    return (*named.values(), default)


def _compile_router(router: fields.Router | None) -> RouterConf:
    default = RouterConf(frozenset(KINDS) - _FAULTS_OF_THE_REQUEST)
    if router is None:
        return default
    cooldown = router.cooldown
    return replace(
        default,
        fallback_on=default.fallback_on if router.fallback_on is None else frozenset(router.fallback_on),
        cooldown=Cooldown(cooldown.failures, cooldown.within, cooldown.for_) if cooldown else None,
        balance=router.balance,
        timeout_us=default.timeout_us if router.timeout is None else router.timeout,
        deliver_errors=router.deliver_errors,
        keep_alive_us=default.keep_alive_us if router.keep_alive is None else router.keep_alive,
    )


def compile_rules(checked: Sequence[fields.Rule], root: Node) -> tuple[Rule, ...]:
    """The rules, each with the place of its first key."""
    nodes = root.value["rules"].value if checked else ()
    rules = [
        _compile_rule(rule, node, number)
        for number, (rule, node) in enumerate(zip(checked, nodes, strict=True))
    ]
    return tell_apart(rules)


def _compile_rule(rule: fields.Rule, node: Node, number: int) -> Rule:
    steps: Sequence[Aspects] = rule.steps or [rule]
    return Rule(
        name=rule.name or f"rules[{number}]",
        ident=rule.name or _digest(node),
        where=spell_where(node),
        when=_compile_when(rule.when),
        steps=tuple(compile_aspects(step) for step in steps),
        then=rule.then or ("pass" if rule.steps else "loop"),
        skip=rule.skip or 0,
        times=rule.times,
        every=rule.every or 1,
        chance=rule.chance,
        after_us=rule.after,
        until_us=rule.until,
        per=tuple(dict.fromkeys(rule.per or ())),
        said=node,
    )


def compile_limits(checked: Sequence[fields.Limit], root: Node) -> tuple[Limit, ...]:
    """The limits, each with the place of its first key."""
    nodes = root.value["limits"].value if checked else ()
    limits = [
        _compile_limit(each, node, number)
        for number, (each, node) in enumerate(zip(checked, nodes, strict=True))
    ]
    return tell_apart(limits)


def _compile_limit(limit: fields.Limit, node: Node, number: int) -> Limit:
    kind = "quota" if limit.quota else "rate_limit"
    return Limit(
        name=limit.name or f"limits[{number}]",
        ident=limit.name or _digest(node),
        where=spell_where(node),
        when=_compile_when(limit.when),
        budgets=tuple(_compile_budgets(limit)),
        per=("key",) if limit.per is None else tuple(dict.fromkeys(limit.per)),
        used=limit.used or 0,
        algorithm=limit.algorithm,
        error=compile_error(limit.error, kind) if limit.error else None,
        headers=limit.headers == "auto",
        said=node,
    )


def _compile_budgets(limit: fields.Limit) -> Iterable[Budget]:
    for amount, window_us, text in limit.requests or ():
        yield Budget("rate", "requests", amount, text, window_us)
    for amount, window_us, text in limit.tokens or ():
        yield Budget("rate", "tokens", amount, text, window_us)
    if limit.quota:
        amount, unit, text = limit.quota
        yield Budget("quota", unit, amount, text)
    if limit.concurrency:
        yield Budget("concurrency", "requests", limit.concurrency, f"{limit.concurrency} at once")


def _compile_when(when: fields.When | None) -> When:
    if when is None:
        return When()
    header = when.header or {}
    return When(
        lane=frozenset(when.lane) if when.lane else None,
        provider=tuple(when.provider) if when.provider else None,
        model=tuple(when.model) if when.model else None,
        key=tuple(when.key) if when.key else None,
        account=tuple(when.account) if when.account else None,
        endpoint=_spread_endpoints(when.endpoint) if when.endpoint else None,
        stream=when.stream,
        prompt=tuple(when.prompt) if when.prompt else None,
        system=tuple(when.system) if when.system else None,
        header=tuple((name.lower(), tuple(globs)) for name, globs in header.items()),
        attempt=frozenset(when.attempt) if when.attempt else None,
    )


def _spread_endpoints(globs: Sequence[str]) -> frozenset[str]:
    return frozenset(word for word in ENDPOINTS for glob in globs if fnmatchcase(word, glob))


def base_name(file: str) -> str:
    """A file's name without its folders, as any system writes them."""
    return re.split(r"[/\\]", file)[-1]


def spell_where(node: Node) -> str:
    """`file:line` of an entry's first key; only what was given as its origin, where there is no line."""
    return f"{base_name(node.file)}:{node.line}" if node.line else node.file


def _digest(node: Node) -> str:
    """A name for what has none: its content, so that other entries may come and go around it."""
    text = json.dumps(to_data(node), sort_keys=True, default=str)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def tell_apart(entries: Iterable[Entry], taken: Iterable[str] = ()) -> tuple[Entry, ...]:
    """Entries with idents that nobody else has: twins would share their dice and counters."""
    seen = dict.fromkeys(taken, 1)
    apart: list[Entry] = []
    for entry in entries:
        ident = entry.ident
        while ident in seen:
            seen[entry.ident] = number = seen.get(entry.ident, 1) + 1
            ident = f"{entry.ident}#{number}"
        seen[ident] = 1
        apart.append(entry if ident == entry.ident else replace(entry, ident=ident))
    return tuple(apart)


def find_key_globs(entries: Iterable[Rule | Limit], keys: Iterable[KeyName]) -> tuple[str, ...]:
    """The globs of `when.key` that are no scenario name: they match the credential itself."""
    names = {key.name for key in keys}
    globs = [
        glob for entry in entries for glob in entry.when.key or () if has_wildcard(glob) and glob not in names
    ]
    return tuple(dict.fromkeys(globs))
