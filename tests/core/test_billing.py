"""Tokens to money, and what is set right at the end of an answer."""

from __future__ import annotations

from builders import World, byok, world

from onerouter_mock.core.records import Cost, Decision

OWN = {"lane": "byok"}


def cost_of(decision: Decision) -> Cost:
    assert decision.cost is not None
    return decision.cost


def account(there: World, word: str = "spent") -> int:
    spent: int = there.state.cells.get((word, "default"), 0)
    return spent


def test_the_contracts_example_costs_what_the_contract_says() -> None:
    there = world(rules=[{"reply": {"text": "x", "usage": {"prompt_tokens": 9, "completion_tokens": 12}}}])
    cost = cost_of(there.ask())
    assert (cost.prompt_nano, cost.completion_nano, cost.total_nano) == (11_250, 120_000, 131_000)
    assert account(there) == 131_000


def test_an_own_key_costs_no_credits_but_the_providers_money() -> None:
    there = world()
    cost = cost_of(there.ask(byok()))
    assert cost.is_byok
    assert (cost.prompt_nano, cost.completion_nano, cost.total_nano) == (0, 0, 0)
    assert cost.byok_nano > 0
    assert (account(there), account(there, "byok_spent")) == (0, cost.byok_nano)


def test_an_answer_costs_what_it_costs_where_it_ran() -> None:
    there = world()
    model = there.scenario.catalogue.models["deepseek/deepseek-v3.2"]
    for slug in model.providers:
        decision = there.ask(byok(slug), model=model.id)
        usage = decision.usage
        assert usage is not None
        prompt, completion = there.scenario.catalogue.price(model, slug)
        dollars = (usage.prompt_tokens * prompt + usage.completion_tokens * completion) / 1e6
        assert abs(cost_of(decision).byok_nano / 1e9 - dollars) < 1e-6


def test_a_cost_is_the_sum_of_its_parts_rounded_to_six_digits() -> None:
    there = world()
    for prompt_tokens in range(1, 200):
        cost = cost_of(there.ask(prompt_tokens=prompt_tokens))
        assert cost.total_nano / 1e9 == round(cost.prompt_nano / 1e9 + cost.completion_nano / 1e9, 6)


def test_a_failed_call_costs_nothing() -> None:
    there = world(rules=[{"error": "overloaded"}])
    decision = there.ask(byok())
    there.end(decision)
    assert (decision.cost, account(there), account(there, "byok_spent")) == (None, 0, 0)


def test_a_free_model_costs_nothing_but_needs_credits() -> None:
    there = world()
    free = next(name for name in there.scenario.catalogue.models if name.endswith(":free"))
    assert cost_of(there.ask(model=free)).total_nano == 0
    assert world(accounts={"default": {"credits": 0}}).route(model=free) == "router!quota"


def test_one_answer_may_overshoot_the_credits() -> None:
    there = world(accounts={"default": {"credits": "0.000001"}})
    assert [there.route() for _ in range(2)] == ["shared:openai", "router!quota"]


def test_a_broken_stream_costs_what_was_delivered() -> None:
    cut = {"do": "cut", "after": "8 tokens"}
    decision = world(rules=[{"when": {"stream": True}, "break": cut}]).ask(stream=True)
    assert decision.usage is not None
    assert decision.usage.completion_tokens == 8
    assert cost_of(decision).completion_nano == 80_000


def test_a_client_that_leaves_pays_for_what_it_got() -> None:
    there = world()
    decision = there.ask(stream=True)
    planned = account(there)
    there.end(decision, 5)
    assert decision.usage is not None
    assert decision.usage.completion_tokens == 5
    assert cost_of(decision).completion_nano == 50_000
    assert account(there) == cost_of(decision).total_nano < planned


def test_a_client_that_leaves_sets_the_own_keys_budgets_right() -> None:
    there = world(
        limits=[
            {"name": "t", "when": OWN, "quota": "1000 tokens"},
            {"name": "m", "when": OWN, "quota": "1 USD"},
        ]
    )
    decision = there.ask(byok(), max_tokens=500)
    there.end(decision, 5)
    used = {cell[1]: value for cell, value in there.state.cells.items() if cell[0] == "quota"}
    assert used == {"t": 9 + 5, "m": cost_of(decision).byok_nano}
    assert account(there, "byok_spent") == cost_of(decision).byok_nano


def test_an_answer_that_ends_as_planned_changes_no_money() -> None:
    there = world()
    decision = there.ask()
    spent = account(there)
    there.end(decision)
    assert account(there) == spent == cost_of(decision).total_nano


def test_a_budget_in_money_sees_the_cost_at_once() -> None:
    there = world(
        limits=[{"name": "m", "when": {"lane": "shared"}, "per": ["account"], "quota": "0.0000001 USD"}]
    )
    assert there.ask().served is not None
    assert there.route() == "shared:openai!quota -> shared:azure-ai-foundry!quota"
