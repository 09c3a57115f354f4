"""The catalogue as a whole: find a model by any of its names, or guess one.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from onerouter_mock.core.catalogue.names import make_unknown_model, name_model
from onerouter_mock.core.catalogue.records import Model, Offer, Provider


class Catalogue:
    """Providers by slug and models by id, in their order; never changed once made.

    A scenario's additions make a new one (`extended`).
    """

    __slots__ = ("_names", "models", "providers")

    def __init__(self, providers: Iterable[Provider], models: Iterable[Model]) -> None:
        self.providers: Mapping[str, Provider] = MappingProxyType({each.slug: each for each in providers})
        self.models: Mapping[str, Model] = MappingProxyType({each.id: each for each in models})
        names: dict[str, Model] = {}
        for model in self.models.values():
            for name in name_model(model):
                names.setdefault(name, model)
        names.update(self.models)
        self._names = names

    def find(self, asked: str) -> Model | None:
        """The model of this name, with its vendor's or a provider's prefix or without; None: not here."""
        return self._names.get(asked)

    def guess(self, asked: str) -> Model:
        """A model made up for a name that is not here: its vendor guessed (else openai), a default price."""
        return make_unknown_model(asked, self.providers)

    def serves(self, model: Model, provider: str) -> bool:
        """Whether this provider would run this model for somebody who brings a key.

        Of an unknown model every provider would: people bring their own model to their own provider. Which of
        the shared pool have it is `model.providers`.
        """
        return not model.known or provider in model.providers

    def price(self, model: Model, provider: str | None = None) -> tuple[float, float]:
        """USD per million prompt and completion tokens: the vendor's own price, or that at `provider`."""
        offer = self.offer(model, provider) if provider else None
        return (offer.prompt, offer.completion) if offer else (model.prompt, model.completion)

    def offer(self, model: Model, provider: str) -> Offer | None:
        """The model as this provider of the shared pool has it."""
        return next((offer for offer in model.offers if offer.provider == provider), None)

    def extended(
        self, providers: Mapping[str, Mapping[str, Any]], models: Mapping[str, Mapping[str, Any]]
    ) -> Catalogue:
        """This catalogue with a scenario's overrides and additions.

        Shape: `extend.PROVIDER_FIELDS` and `extend.MODEL_FIELDS` name the members.
        Errors: ScenarioError where a name does not exist or nothing is recorded; types the caller checks.
        """
        from onerouter_mock.core.catalogue.extend import extend

        return extend(self, providers, models)
