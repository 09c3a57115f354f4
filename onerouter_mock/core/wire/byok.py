"""`byok_conf`: the caller's own provider key. What leaves this file is a `Byok`, which holds no secret.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from onerouter_mock.core.records import Byok
from onerouter_mock.core.wire.complaints import complain, describe
from onerouter_mock.core.wire.secrets import bare, fingerprint, is_slug, kind_of_test_key, last4, matches

if TYPE_CHECKING:
    from onerouter_mock.core.catalogue.records import CredentialForm, Provider
    from onerouter_mock.core.scenario.records import Scenario

_MEMBERS = ("provider", "fallback", "credentials")
_MOST_REMEMBERED = 4096
_ENDS_ANYHOW = ("private_key",)  # PEM has a line break at its end


class _Known(NamedTuple):
    key: str | None
    ident: str
    last4: str | None
    globs: tuple[str, ...]
    test_kind: str | None


def read_byok(scenario: Scenario, conf: Any, notices: list[str]) -> Byok | None:
    """The caller's own key, None when `byok_conf` is absent or null. Members that are not known: a notice.

    Errors: RequestError 400 naming the first wrong one of `byok_conf`, its `provider`, `credentials`,
    `fallback`.
    Source: documented (provider, fallback, credentials of four providers); what is refused, guessed.
    """
    if conf is None:
        return None
    if not isinstance(conf, dict):
        kind = describe(conf, quote=False)
        raise complain("byok_conf", kind, "an object with provider and credentials, or null")
    provider = _read_provider(scenario, conf.get("provider"))
    credentials = conf.get("credentials")
    secret = _read_credentials(provider, credentials)
    _note_blanks(credentials, notices)
    fallback = conf.get("fallback")
    if fallback is not None and not isinstance(fallback, bool):
        right = str(fallback).lower() if str(fallback).lower() in ("true", "false") else "true or false"
        raise complain("byok_conf.fallback", describe(fallback, quote=_is_short(fallback)), right)
    if len(conf) > 3 or not conf.keys() <= set(_MEMBERS):
        others = (name for name in conf if name not in _MEMBERS)
        notices += [f"byok_conf.{_spell_member(name)} is not known, it was ignored" for name in others]
    known = _recognize(scenario, provider.slug, secret)
    sent = fallback is not False
    return Byok(provider.slug, known.key, known.ident, known.last4, sent, sent, known.globs, known.test_kind)


def _spell_member(name: str) -> str:
    return name if is_slug(name.replace("_", "-").lower()) else "?"


def _is_short(value: Any) -> bool:
    return not isinstance(value, str) or (len(value) <= 8 and value.isalnum())


def _read_provider(scenario: Scenario, slug: Any) -> Provider:
    providers = scenario.catalogue.providers
    if slug is None:
        raise complain("byok_conf.provider", "missing", f"one of {', '.join(providers)}")
    if not isinstance(slug, str):
        raise complain("byok_conf.provider", describe(slug, quote=False), f"one of {', '.join(providers)}")
    provider = providers.get(slug)
    if provider is None:
        # A key in the provider's place must not be quoted back.
        shown = f'"{slug}" is no provider' if is_slug(slug) else "the text is no provider"
        raise complain("byok_conf.provider", shown, f"one of {', '.join(providers)}")
    return provider


def _read_credentials(provider: Provider, credentials: Any) -> str:
    """The secret that tells the key from others."""
    forms = {form.kind: form for form in provider.credentials}
    right = " or ".join(_spell_form(form) for form in provider.credentials)
    where = "byok_conf.credentials"
    if credentials is None:
        raise complain(where, "missing", right)
    if isinstance(credentials, str):
        if "text" not in forms:
            raise complain(where, f"text where {provider.slug} takes an object", right)
        if not credentials.strip():
            raise complain(where, "empty", right)
        return credentials
    if not isinstance(credentials, dict):
        raise complain(where, describe(credentials, quote=False), right)
    if "object" not in forms:
        raise complain(where, f"an object where {provider.slug} takes text", right)
    form = forms["object"]
    for name in form.required:
        value = credentials.get(name)
        if not isinstance(value, str) or not value.strip():
            what = "is missing" if value is None else "is empty" if isinstance(value, str) else "is no text"
            raise complain(where, f'"{name}" {what}', right)
    return _secret_member(form, credentials)


def _note_blanks(credentials: Any, notices: list[str]) -> None:
    """White space around a key is sent on as a part of it, and no provider knows such a key."""
    where = "byok_conf.credentials"
    texts = {where: credentials}
    if isinstance(credentials, dict):
        texts = {
            f"{where}.{_spell_member(name)}": text
            for name, text in credentials.items()
            if name not in _ENDS_ANYHOW
        }
    for place, text in texts.items():
        key = bare(text) if isinstance(text, str) else ""
        if key not in ("", text):
            begin, _, end = text.partition(key)
            word, blanks = ("ends in", end) if end else ("begins with", begin)
            what = "a line break" if "\n" in blanks or "\r" in blanks else "white space"
            notices.append(f"{place} {word} {what}; would be right: the key alone")


def _secret_member(form: CredentialForm, credentials: dict[str, Any]) -> str:
    secret = credentials.get(form.secret or "")
    if isinstance(secret, str) and secret:
        return secret
    return "\n".join(str(credentials[name]) for name in form.required)


def _spell_form(form: CredentialForm) -> str:
    if form.kind == "text":
        return "your key as text"
    return f"an object with {', '.join(form.required)}"


def _recognize(scenario: Scenario, provider: str, secret: str) -> _Known:
    """What the scenario calls this key; remembered by its fingerprint, so that many names cost nothing."""
    remembered: dict[tuple[str, str], _Known] = scenario.memo.setdefault("wire.byok", {})
    ident = fingerprint(secret)
    known = remembered.get((provider, ident))
    if known is None:
        test_kind = kind_of_test_key(secret)
        names = (
            key.name
            for key in scenario.keys
            if key.provider in (None, provider) and matches(secret, key.match)
        )
        name = f"mock-{test_kind}" if test_kind else next(names, None)
        globs = tuple(glob for glob in scenario.key_globs if matches(secret, (glob,)))
        # Of several secrets joined (an object without its secret member) the end is nobody's business.
        shown = bare(secret)
        known = _Known(name, ident, None if "\n" in shown else last4(shown), globs, test_kind)
        if len(remembered) >= _MOST_REMEMBERED:
            remembered.clear()
        remembered[provider, ident] = known
    return known
