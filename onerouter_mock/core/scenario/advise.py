"""Warnings: what a scenario says that can't act, or that nobody will see.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from onerouter_mock.core.errors import Problem
from onerouter_mock.core.scenario.names import has_wildcard
from onerouter_mock.core.scenario.problems import suggest
from onerouter_mock.core.scenario.records import Aspects, Limit, Rule, Scenario, When
from onerouter_mock.core.scenario.tree import Node, follow, spell_path
from onerouter_mock.core.scenario.units import quote

Entry = Rule | Limit
_ATTEMPTS = frozenset({"byok", "shared"})
_ONLY_NAMED = frozenset({"models", "balance"})  # a rule without `endpoint` does not concern these
_STREAMED = frozenset({"chat", "completions", "responses", "messages", "gemini"})
# What a client never sees of a shared provider's failure: the router has its own words for it.
_WORDING = ("message", "type", "code", "param", "headers", "body")


def advise(scenario: Scenario) -> list[Problem]:
    """What can't act in a valid scenario, in the order of the file; no exit code changes by it."""
    found: list[Problem] = []
    for rule in scenario.rules:
        found += [_place(rule, rule.name, what, right) for what, right in _doubt_rule(rule, scenario)]
    for limit in scenario.limits:
        found += [_place(limit, limit.name, what, right) for what, right in _doubt_limit(limit, scenario)]
    found += [*_doubt_names(scenario), *_doubt_accounts(scenario)]
    found += [*_doubt_twins(scenario.rules), *_doubt_twins(scenario.limits)]
    return sorted(dict.fromkeys(found), key=lambda each: (each.file, each.line, each.column))


def _place(entry: Entry, where: str, what: str, right: str) -> Problem:
    node = entry.said
    if isinstance(node, Node) and node.line:
        return Problem(node.file, node.line, node.column, where, what, right)
    return Problem(entry.where, 0, 0, where, what, right)


def _doubt_rule(rule: Rule, scenario: Scenario) -> Iterator[tuple[str, str]]:
    yield from _doubt_when(rule.when, scenario)
    blocker = _find_blocker(rule, scenario.rules)
    if blocker:
        yield f"never acts: '{blocker.name}' before it always does", "would be right: the narrower rule first"
    if rule.times == 0 or rule.chance == 0:
        yield "never acts: times or chance is 0", "would be right: at least 1, or no rule"
    if rule.until_us is not None and rule.until_us <= (rule.after_us or 0):
        yield "never acts: it ends before it begins", "would be right: until later than after"
    for aspects in rule.steps:
        yield from _doubt_stream(aspects, rule.when)
        yield from _doubt_failure(aspects, rule, scenario)


def _doubt_stream(aspects: Aspects, when: When) -> Iterator[tuple[str, str]]:
    for aspect, given in (("break", aspects.break_), ("stream", aspects.stream)):
        if given and when.stream is False:
            yield f"{aspect} concerns streams only, and when.stream is false", "would be right: stream: true"
        elif given and when.endpoint is not None and not when.endpoint & _STREAMED:
            yield (
                f"{aspect} concerns streams only, and these endpoints have none",
                "would be right: endpoint: chat",
            )
    if aspects.break_ and aspects.break_.for_us is not None and aspects.break_.do != "stall":
        yield f"for has no effect on do: {aspects.break_.do}", "would be right: do: stall"
    if aspects.break_ and aspects.break_.error and aspects.break_.do != "error":
        yield f"error has no effect on do: {aspects.break_.do}", "would be right: do: error"
    if aspects.stream and aspects.stream.rate and aspects.stream.gap:
        yield "rate and gap both set the pace", "would be right: one of them"


def _doubt_failure(aspects: Aspects, rule: Rule, scenario: Scenario) -> Iterator[tuple[str, str]]:
    lanes = _lanes(rule.when)
    if not _fails(aspects) or "router" in lanes:
        return
    if aspects.connection in ("garbage", "short_body", "html", "empty"):
        right = "would be right: when: {lane: router}, if the client should see it"
        yield f"the router hides connection: {aspects.connection} of a provider; clients see a 502", right
    elif aspects.error and lanes == {"shared"} and any(getattr(aspects.error, part) for part in _WORDING):
        right = "would be right: when: {lane: router}, if the client should see it"
        yield "the router words failures of the shared pool itself; clients see 429, 408 or 502", right
    if _kind(aspects) in scenario.router.fallback_on and not _pool_may_fail(rule, scenario):
        right = "would be right: calls with fallback: false, or a rule for lane: shared too"
        if lanes == {"byok"}:
            yield "the router hides it by falling back: the shared pool answers", right
        elif rule.when.provider is not None:
            yield "the router hides it by falling back: other providers answer", right


def _pool_may_fail(rule: Rule, scenario: Scenario) -> bool:
    """Whether something else lets attempts in the shared lane fail, whoever the provider."""
    others: list[Entry] = [*scenario.limits, *(other for other in scenario.rules if other is not rule)]
    broke = any(account.credits_nano <= 0 for account in scenario.accounts)
    return broke or any(
        "shared" in _lanes(other.when) and other.when.provider is None
        for other in others
        if isinstance(other, Limit) or any(_fails(step) for step in other.steps)
    )


def _kind(aspects: Aspects) -> str:
    if aspects.error:
        return aspects.error.kind
    return "timeout" if aspects.connection == "hang" else "connection"


def _doubt_limit(limit: Limit, scenario: Scenario) -> Iterator[tuple[str, str]]:
    yield from _doubt_when(limit.when, scenario)
    if limit.algorithm != "bucket" and not any(budget.kind == "rate" for budget in limit.budgets):
        yield (
            f"algorithm: {limit.algorithm} has no effect on quota and concurrency",
            "would be right: requests",
        )
    if scenario.clock == "virtual" and any(budget.kind == "concurrency" for budget in limit.budgets):
        yield (
            "under clock: virtual answers take no time, and concurrency counts only those that stall or hang",
            "would be right: clock: real",
        )


def _doubt_when(when: When, scenario: Scenario) -> Iterator[tuple[str, str]]:
    accounts = [account.name for account in scenario.accounts]
    for noun, globs, known in (
        ("provider", when.provider, scenario.catalogue.providers),
        ("account", when.account, accounts),
    ):
        for glob in globs or ():
            if has_wildcard(glob) and not _names_any(glob, known):
                yield f"{quote(glob)} names no {noun}", suggest(glob.strip("*?"), known)
    if when.endpoint is not None and not when.endpoint:
        yield "when.endpoint names no endpoint", "would be right: chat, embeddings, ..."
    for model in when.model or () if scenario.unknown_models == "refuse" else ():
        if not _names_any(model, scenario.catalogue.models) and not scenario.catalogue.find(model):
            known = [entry.short_id for entry in scenario.catalogue.models.values()]
            if not _names_any(model, known):
                yield f"{quote(model)} names no model, and unknown models are refused", suggest(model, known)


def _names_any(glob: str, known: Collection[str]) -> bool:
    return any(fnmatchcase(name, glob) for name in known)


def _doubt_names(scenario: Scenario) -> Iterator[Problem]:
    keys = [("keys", key.name, key.match, key.provider) for key in scenario.keys]
    accounts = [("accounts", account.name, account.match, None) for account in scenario.accounts]
    for things in (keys, accounts):
        for number, (group, name, match, provider) in enumerate(things):
            for _, before, taken, where in things[:number]:
                if match and where in (None, provider) and set(match) <= _covered(match, taken):
                    what, right = (
                        f"never matches: {group}.{before} takes all of it",
                        "would be right: the narrower one first",
                    )
                    yield _place_key(scenario, (group, name), what, right)


def _doubt_accounts(scenario: Scenario) -> Iterator[Problem]:
    for account in scenario.accounts:
        if account.name != "default" and not account.match:
            what = "no key is this account's: it has no match"
            right = f"would be right: match: 'sk-{account.name}-*', or the account named default"
            yield _place_key(scenario, ("accounts", account.name), what, right)
    if scenario.auth == "listed" and not any(account.match for account in scenario.accounts):
        what = "every OneRouter key is refused: no account has a match"
        right = "would be right: auth: any, or an account with match: 'sk-*'"
        yield _place_key(scenario, ("auth",), what, right)


def _place_key(scenario: Scenario, path: tuple[str, ...], what: str, right: str) -> Problem:
    """A problem at the key that a path of keys leads to."""
    node, taken = follow(scenario.source, path) if isinstance(scenario.source, Node) else (None, [])
    where = spell_path(path)
    if node is not None and len(taken) == len(path) and node.key_line:
        return Problem(node.file, node.key_line, node.key_column, where, what, right)
    return Problem(scenario.file, 0, 0, where, what, right)


def _doubt_twins(entries: Sequence[Entry]) -> Iterator[Problem]:
    """Names that several entries have, each told at the second of them."""
    named: dict[str, list[Entry]] = {}
    for entry in entries:
        named.setdefault(entry.name, []).append(entry)
    for name, twins in named.items():
        if len(twins) > 1:
            group = "rules" if isinstance(twins[0], Rule) else "limits"
            right = "would be right: a name for each, to tell them apart in traces"
            yield _place(twins[1], group, f"{len(twins)} are named '{name}'", right)


def _fails(aspects: Aspects) -> bool:
    return aspects.error is not None or aspects.connection is not None


def _lanes(when: When) -> frozenset[str]:
    return when.lane or _ATTEMPTS


def _find_blocker(rule: Rule, rules: Iterable[Rule]) -> Rule | None:
    """The rule before this one that always decides all that this one would."""
    wanted = {aspect for step in rule.steps for aspect in _decided(step)}
    for before in rules:
        if before is rule:
            return None
        if _is_open(before) and _covers(before.when, rule.when):
            if all(_fails(step) for step in before.steps):
                return before
            if wanted and all(wanted <= _decided(step) for step in before.steps):
                return before
    return None


def _decided(step: Aspects) -> set[str]:
    given = {"delay": step.delay, "stream": step.stream, "reply": step.reply, "break": step.break_}
    return {name for name, value in given.items() if value} | ({"failure"} if _fails(step) else set())


def _is_open(rule: Rule) -> bool:
    """Whether a rule acts on every attempt that it matches, for ever."""
    gates = rule.skip == 0 and rule.times is None and rule.every == 1 and rule.chance in (None, 1.0)
    return gates and not rule.after_us and rule.until_us is None and rule.then != "pass"


def _covers(wide: When, narrow: When) -> bool:
    """Whether all that the narrow one matches, the wide one matches too (False when in doubt)."""
    if not _lanes(narrow) <= _lanes(wide):
        return False
    if wide.endpoint is None and narrow.endpoint is not None and not narrow.endpoint.isdisjoint(_ONLY_NAMED):
        return False
    for field in ("endpoint", "attempt"):
        ours, theirs = getattr(wide, field), getattr(narrow, field)
        if ours is not None and (theirs is None or not theirs <= ours):
            return False
    for field in ("provider", "model", "key", "account", "prompt", "system"):
        ours, theirs = getattr(wide, field), getattr(narrow, field)
        if ours is not None and (theirs is None or set(theirs) - _covered(theirs, ours)):
            return False
    return (wide.stream is None or wide.stream == narrow.stream) and set(wide.header) <= set(narrow.header)


def _covered(narrow: Iterable[str], wide: Collection[str]) -> set[str]:
    """Those of the narrow globs that some wide glob takes in whole."""
    return {
        glob
        for glob in narrow
        if any(
            glob == over or over == "*" or (not has_wildcard(glob) and fnmatchcase(glob, over))
            for over in wide
        )
    }
