"""Which rules and limits concern an attempt. What an attempt's `when` looks at is asked once for each
combination and remembered; only prompt, system, header and the attempt's number are looked at each time.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onerouter_mock.core.catalogue import Model
    from onerouter_mock.core.records import Call
    from onerouter_mock.core.scenario.records import Limit, Rule, Scenario, When

_MEMO_MOST = 4096  # clients choose model names: the memo may not grow with them
_PROVIDER_LANES = frozenset({"byok", "shared"})
# They run no model: rules and limits concern them only by name.
RUNNING_NOTHING = frozenset({"models", "balance", "unknown"})


@dataclass(frozen=True, slots=True)
class Concern:
    """What may concern an attempt, in written order. `limits_vary`, `rules_vary`: some look at the
    request's own words."""

    limits: tuple[Limit, ...]
    rules: tuple[Rule, ...]
    limits_vary: bool
    rules_vary: bool


def concern(
    scenario: Scenario, call: Call, lane: str, provider: str, asked: str, model: Model | None
) -> Concern:
    """All that may concern an attempt at `asked` through this lane, before prompt, system, header and
    attempt number.

    Shape: `provider` is "" in the router lane; `model` what `asked` names in the catalogue.
    """
    byok = call.byok if lane != "shared" else None
    # globs tell what else the credential matches: two keys without a name may differ in them
    key = (
        lane,
        provider,
        asked,
        call.endpoint,
        call.stream,
        call.account,
        byok and byok.key,
        byok and byok.globs,
    )
    found: Concern | None = _memo(scenario).get(key)
    if found is None:
        seen = _Seen(call, lane, provider, _names(asked, model))
        limits = tuple(limit for limit in scenario.limits if seen.fits(limit.when))
        rules = tuple(rule for rule in scenario.rules if seen.fits(rule.when))
        found = Concern(
            limits, rules, any(_varies(x.when) for x in limits), any(_varies(x.when) for x in rules)
        )
        _remember(scenario, key, found)
    return found


def limits_of(found: Concern, call: Call, attempt: int) -> tuple[Limit, ...]:
    """The limits that match the call's `attempt`th attempt (0 in the router lane)."""
    if not found.limits_vary:
        return found.limits
    return tuple(limit for limit in found.limits if _fits_words(limit.when, call, attempt))


def rules_of(found: Concern, call: Call, attempt: int) -> tuple[Rule, ...]:
    """The rules that match the call's `attempt`th attempt (0 in the router lane)."""
    if not found.rules_vary:
        return found.rules
    return tuple(rule for rule in found.rules if _fits_words(rule.when, call, attempt))


def resolve(scenario: Scenario, asked: str) -> Model | None:
    """The model that a name stands for; made up for an unknown one, or None with `unknown_models: refuse`."""
    key = ("model", asked)
    found = _memo(scenario).get(key, key)
    if found is key:
        found = scenario.catalogue.find(asked)
        if found is None and asked and scenario.unknown_models == "accept":
            found = scenario.catalogue.guess(asked)
        _remember(scenario, key, found)
    model: Model | None = found
    return model


def _memo(scenario: Scenario) -> dict[Any, Any]:
    memo: dict[Any, Any] | None = scenario.memo.get("when")
    if memo is None:
        memo = scenario.memo["when"] = {}
    return memo


def _remember(scenario: Scenario, key: Any, value: Any) -> None:
    memo = _memo(scenario)
    if len(memo) >= _MEMO_MOST:
        memo.clear()
    memo[key] = value


def _names(asked: str, model: Model | None) -> tuple[str, ...]:
    """Every name of the model: as asked, as the catalogue has it, with and without its vendor."""
    if model is None:
        return (asked,)
    return tuple(dict.fromkeys((asked, model.id, model.short_id, f"{model.vendor}/{model.short_id}")))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the memo is keyed by."""

    call: Call
    lane: str
    provider: str
    names: tuple[str, ...]

    def fits(self, when: When) -> bool:
        call = self.call
        if self.lane not in (when.lane or _PROVIDER_LANES):
            return False
        if when.endpoint is None:
            if call.endpoint in RUNNING_NOTHING:
                return False
        elif call.endpoint not in when.endpoint:
            return False
        if when.stream is not None and when.stream != call.stream:
            return False
        if when.provider is not None and not matches(when.provider, (self.provider,)):
            return False
        if when.model is not None and not matches(when.model, self.names):
            return False
        if when.account is not None and not matches(when.account, (call.account or "",)):
            return False
        return when.key is None or self._fits_key(when.key)

    def _fits_key(self, globs: tuple[str, ...]) -> bool:
        # The shared pool has no provider key: `key: alice` means her own key, and never the pool that helps
        # her out.
        byok = self.call.byok
        if byok is None or self.lane == "shared":
            return False
        return any(glob in byok.globs for glob in globs) or (
            byok.key is not None and matches(globs, (byok.key,))
        )


def _varies(when: When) -> bool:
    return bool(when.prompt or when.system or when.header or when.attempt)


def _fits_words(when: When, call: Call, attempt: int) -> bool:
    if when.attempt is not None and attempt not in when.attempt:
        return False
    if when.prompt is not None and not matches(when.prompt, (call.prompt,)):
        return False
    if when.system is not None and not matches(when.system, (call.system,)):
        return False
    return all(name in call.headers and matches(globs, (call.headers[name],)) for name, globs in when.header)


def matches(globs: Iterable[str], values: Iterable[str]) -> bool:
    """Whether one of the globs is, as a whole and with its case, one of the values."""
    values = tuple(values)
    return any(_compile(glob).match(value) is not None for glob in globs for value in values)


@lru_cache(maxsize=4096)
def _compile(glob: str) -> re.Pattern[str]:
    # fnmatchcase keeps but 256 patterns (3.11), and would compile each again in a scenario of thousands of
    # rules
    return re.compile(translate(glob))
