"""The fields of the language: names, types, defaults, descriptions. The JSON Schema is made from here.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from onerouter_mock.core.scenario.aspects import Aspects, ErrorField, Step
from onerouter_mock.core.scenario.words import (
    Duration,
    Fields,
    Kind,
    Lane,
    Money,
    Quota,
    Share,
    Slug,
    Text,
    Windows,
    listed,
)

Name = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,100}$")]
KeyName = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f*?\[\]]{1,64}$")]
ProviderSlug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
ModelId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}$")]
Price = Annotated[float, Field(ge=0, le=1e6)]
Count = Annotated[int, Field(ge=1, le=10**12)]
WholeNumber = Annotated[int, Field(ge=0, le=10**12)]

_SOME = Field(min_length=1)
Glob = Annotated[str, Field(min_length=1, max_length=1000)]
Globs = Annotated[list[Glob], _SOME, listed(Glob)]
Lanes = Annotated[list[Lane], _SOME, listed(Lane)]
Kinds = Annotated[list[Kind], listed(Kind)]
Numbers = Annotated[list[Count], _SOME, listed(Count)]
RulePart = Literal["key", "account", "provider", "model"]
LimitPart = Literal["key", "account", "provider", "model", "lane"]
RuleParts = Annotated[list[RulePart], listed(RulePart)]
LimitParts = Annotated[list[LimitPart], listed(LimitPart)]


class When(Fields):
    """Which attempts. All that is given must match; a list means any; text may be a glob (* ? [abc])."""

    lane: Lanes | None = Field(
        None, description="byok (own key), shared (pool), router; without it byok and shared."
    )
    provider: Globs | None = Field(None, description="The provider that is tried.")
    model: Globs | None = Field(None, description="As asked, or as the catalogue names it.")
    key: Globs | None = Field(
        None, description="A name of `keys`, or a glob on the provider credential itself."
    )
    account: Globs | None = Field(None, description="A name of `accounts`.")
    endpoint: Globs | None = Field(
        None,
        description="chat, completions, responses, messages, gemini, embeddings, rerank, moderations, "
        "images, audio, video, models, balance.",
    )
    stream: bool | None = Field(None, description="Whether the call asks for a stream.")
    prompt: Globs | None = Field(None, description="The text of the last user message.")
    system: Globs | None = Field(None, description="The text of the system message.")
    header: dict[Text, Globs] | None = Field(None, description="Request headers, by name.")
    attempt: Numbers | None = Field(None, description="The attempt's number in its call, from 1.")


class Limit(Fields):
    """A budget that matching attempts draw on."""

    name: Name | None = Field(None, description="For traces; default limits[0].")
    when: When | None = Field(None, description="Which attempts draw on it.")
    per: LimitParts | None = Field(None, description="Separate budgets by these; default [key].")
    requests: Windows | None = Field(
        None, description="Requests in a window: 10/min, 200/day, 5/10s, or a list."
    )
    tokens: Windows | None = Field(None, description="Tokens in a window: 30k/min, or a list.")
    quota: Quota | None = Field(
        None, description="A total that never refills: 5 requests, 10k tokens, 2 USD."
    )
    concurrency: Count | None = Field(None, description="Attempts in flight at once.")
    used: WholeNumber | None = Field(None, description="Requests drawn already when the session begins.")
    algorithm: Literal["bucket", "fixed", "sliding"] = Field(
        "bucket",
        description="bucket (refills continuously), fixed (a window from first use), sliding (an exact log).",
    )
    error: ErrorField | None = Field(
        None, description="The failure when it is used up; default rate_limit or quota."
    )
    headers: Literal["auto", "none"] = Field(
        "auto", description="The provider's rate-limit headers: auto or none."
    )


class Rule(Aspects):
    """Acts on matching attempts."""

    name: Name | None = Field(None, description="For traces; default rules[0].")
    when: When | None = Field(None, description="Which attempts it concerns.")
    skip: WholeNumber | None = Field(None, description="The first N matching attempts pass.")
    times: WholeNumber | None = Field(None, description="Act N times, then never.")
    every: Count | None = Field(None, description="Act on the Nth, 2Nth, ... matching attempt.")
    chance: Share | None = Field(None, description="Act on this share of them: 10% or 0.1.")
    after: Duration | None = Field(None, description="From this session time on.")
    until: Duration | None = Field(None, description="Until this session time, which is not included.")
    per: RuleParts | None = Field(
        None, description="Count skip, times, every and steps apart for each of these."
    )
    steps: Annotated[list[Step], _SOME] | None = Field(None, description="Aspects taken one after another.")
    then: Literal["pass", "last", "loop"] | None = Field(
        None, description="After the last step; default pass."
    )


class Key(Fields):
    """A name for provider keys."""

    match: Globs = Field(description="Globs on the credential, or on the secret member of an object.")
    provider: ProviderSlug | None = Field(None, description="Only at this provider.")
    expires: Duration | None = Field(None, description="After the session began; from then on invalid_key.")


class Account(Fields):
    """A name for OneRouter keys."""

    match: Globs | None = Field(None, description="Globs on the OneRouter key.")
    credits: Money | None = Field(None, description="Credits in USD; default 1000.")
    disabled: bool = Field(False, description="Answers 401.")


class Cooldown(Fields):
    """The router stops asking a provider that keeps failing."""

    failures: Count = Field(3, description="After so many failures")
    within: Duration = Field(60_000_000, description="in this time", json_schema_extra={"default": "1m"})
    for_: Duration = Field(
        30_000_000,
        alias="for",
        description="it is left out for this long.",
        json_schema_extra={"default": "30s"},
    )


class Router(Fields):
    """How the router itself behaves."""

    fallback_on: Kinds | None = Field(
        None,
        description="Kinds of failure of the own key that fall back to the shared pool; default: all but "
        "context_length, content_filter, invalid_request.",
    )
    cooldown: Cooldown | None = Field(
        None, description="Leave out a provider that keeps failing; off unless given."
    )
    balance: Literal["listed", "weighted"] = Field("listed", description="The order of the shared providers.")
    timeout: Duration | None = Field(
        None, description="The router's patience with a silent provider; default 5s."
    )
    deliver_errors: Literal["status", "body"] = Field(
        "status", description="Upstream failures as an HTTP status, or in the body of a 200."
    )
    keep_alive: Duration | None = Field(
        None, description="Comment lines in a silent stream; default every 15s."
    )


class Provider(Fields):
    """A change or an addition to the catalogue's providers."""

    name: Text | None = Field(None, description="The name for people.")
    latency: Literal["recorded"] | None = Field(
        None, description="`recorded`: as slow as measured; else at once."
    )


class Model(Fields):
    """A change or an addition to the catalogue's models. Prices in USD per million tokens."""

    providers: Annotated[list[ProviderSlug], _SOME, listed(ProviderSlug)] | None = Field(
        None, description="Who serves it, the default order first."
    )
    prompt: Price | None = Field(None, description="Price of a million prompt tokens.")
    completion: Price | None = Field(None, description="Price of a million completion tokens.")
    request: Price | None = Field(None, description="Price of a request.")
    context: Count | None = Field(None, description="The context window in tokens.")
    max_output: Count | None = Field(None, description="The longest answer in tokens.")
    default_output: Count | None = Field(
        None, description="What an answer without max_tokens draws on a token limit."
    )
    display_name: Text | None = Field(None, description="The name for people.")


class Scenario(Fields):
    """What goes wrong in an otherwise healthy world."""

    version: Literal[1] = Field(1, description="The language's version.")
    name: Slug | None = Field(None, description="Default: the file's stem.")
    description: str = Field("", description="One sentence.")
    extends: Text | None = Field(None, description="A bundled name, or a file beside this one.")
    seed: int = Field(0, ge=-(2**63), le=2**63 - 1, description="Every draw is a function of it.")
    clock: Literal["real", "virtual"] = Field("real", description="virtual: nothing sleeps.")
    speed: Annotated[float, Field(gt=0, ge=1e-6, le=1e9)] = Field(
        1.0, description="All scripted time runs so many times faster."
    )
    waits: Literal["told", "jump"] | None = Field(
        None, description="What a refused client is told; default jump under the virtual clock, else told."
    )
    wire: Literal["documented", "observed"] = Field(
        "documented", description="The dialect of answers and errors."
    )
    keys: dict[KeyName, Key] = Field({}, description="Names for provider keys; the first match wins.")
    accounts: dict[KeyName, Account] = Field(
        {}, description="Names for OneRouter keys; the first match wins."
    )
    auth: Literal["any", "listed"] = Field(
        "any", description="any: every bearer key is good; listed: `accounts`."
    )
    router: Router | None = Field(None, description="How the router itself behaves.")
    providers: dict[ProviderSlug, Provider] = Field({}, description="Changes to the catalogue's providers.")
    models: dict[ModelId, Model] = Field({}, description="Changes to the catalogue's models.")
    unknown_models: Literal["accept", "refuse"] = Field(
        "accept", description="Models that the catalogue lacks."
    )
    limits: list[Limit] = Field([], description="Budgets that attempts draw on.")
    rules: list[Rule] = Field([], description="What happens to attempts.")


class Additions(Fields):
    """Rules and limits that are added to a scenario at run time."""

    rules: list[Rule] = Field([], description="What happens to attempts.")
    limits: list[Limit] = Field([], description="Budgets that attempts draw on.")
