"""The catalogue's nouns: providers, how they fail, models, prices, recorded speed. No data here, no deeds.

Prices are USD per million tokens (`request`: USD a request), times whole microseconds.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from onerouter_mock.core.scenario.records import Lognormal

HeaderStyle = Literal["openai", "limits_only", "anthropic", "mistral", "none"]
Confidence = Literal["A", "B", "C"]


@dataclass(frozen=True, slots=True)
class ErrorForm:
    """One way in which a provider words one kind of failure.

    Shape: the texts hold fixed places, filled by `failures.fail`: {provider} {model} {key} {context} {over}
    {unit} ("requests", "tokens") {call} {metric}; in `counted` and `too_large` also {budget} ("requests per
    min (RPM)") {budget_long} {rate} {limit} {limit_commas} {used} {requested}; in `again` {wait} ("18.7s")
    {wait_s} ("19"). `counted` is the message when a budget is known, else `message`; `again` goes to {again}
    when a wait is known, in `counted` `again_counted` if that is another. `code` "{status}": the status as text.
    `too_large`: a request larger than the whole budget. `variants`: the same kind under other statuses, for
    scenarios that name one.
    Source: `confidence` A seen verbatim or official text, B official status and words from memory, C weak or
    guessed.
    """

    status: int
    message: str
    type: str | None = None
    code: str | int | None = None
    param: str | None = None
    counted: str | None = None
    again: str = ""
    again_counted: str | None = None
    too_large: ErrorForm | None = None
    variants: tuple[ErrorForm, ...] = ()
    confidence: Confidence = "C"
    source: str = "guessed"


@dataclass(frozen=True, slots=True)
class CredentialForm:
    """What `byok_conf.credentials` may be: text that is not empty, or an object with these members.

    `secret`: the member whose last 4 characters name the key; it need not be among the required ones.
    """

    kind: Literal["text", "object"]
    required: tuple[str, ...] = ()
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """Speed as measured: time to first token, and tokens a second after it."""

    ttft: Lognormal
    rate: float


@dataclass(frozen=True, slots=True)
class Provider:
    """`errors` has a form for each of the 13 neutral kinds. `latency` None: answers at once."""

    slug: str
    name: str
    credentials: tuple[CredentialForm, ...]
    errors: Mapping[str, ErrorForm]
    headers: HeaderStyle = "none"
    headers_source: str = "guessed"
    latency: Recorded | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A model at one provider of the shared pool."""

    provider: str
    prompt: float
    completion: float
    context: int
    tier: str = "standard"


@dataclass(frozen=True, slots=True)
class Model:
    """`id` as the catalogue names it, `short_id` without vendor prefix; `offers` own vendor first.

    `prompt`, `completion` are the vendor's own prices, by which answers are billed. `endpoints` are words of
    ENDPOINTS; `protocols` the list's `supported_endpoint_types`. `known` False: made up for an id that the
    catalogue lacks.
    """

    id: str
    short_id: str
    vendor: str
    display_name: str
    offers: tuple[Offer, ...]
    prompt: float
    completion: float
    context: int
    max_output: int
    default_output: int
    category: str = "LLM"
    endpoints: tuple[str, ...] = ("chat", "completions", "responses", "messages", "gemini")
    protocols: tuple[str, ...] = ("openai",)
    input_modalities: tuple[str, ...] = ("text",)
    output_modalities: tuple[str, ...] = ("text",)
    request: float | None = None
    tools: bool = True
    reasoning: bool = False
    dimensions: int | None = None
    known: bool = True
    providers: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "providers", tuple(dict.fromkeys(offer.provider for offer in self.offers)))

    @property
    def vision(self) -> bool:
        """Whether it reads images."""
        return "image" in self.input_modalities

    @property
    def streams(self) -> bool:
        """Whether its answer may be streamed: all that speak text do, but embeddings, scores and verdicts."""
        return self.category == "LLM"


@dataclass(slots=True)
class Spent:
    """The budget that refused an attempt: what its message says.

    Shape: `window_us` None: it never refills (`quota`) or counts attempts in flight.
    Units: requests or tokens; nano-dollars for `usd`.
    """

    unit: str
    limit: int
    used: int
    requested: int
    window_us: int | None = None
    quota: bool = False
    too_large: bool = False


@dataclass(slots=True)
class Reading:
    """A budget as headers tell it. `reset_us`: from now until it is full again, None when it never is."""

    unit: str
    limit: int
    remaining: int
    reset_us: int | None = None
    window_us: int | None = None
