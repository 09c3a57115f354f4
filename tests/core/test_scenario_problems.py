"""Wrong scenarios: each slip is one problem, at its place, with what would be right; all of them at once."""

from __future__ import annotations

import pytest

from onerouter_mock.core.errors import ScenarioError
from onerouter_mock.core.scenario.load import build_rules, build_scenario, load_scenario, override


def problems(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(text, file="x/f.yaml")
    assert str(caught.value) == "\n".join(str(problem) for problem in caught.value.problems)
    return [str(problem).removeprefix("x/f.yaml:") for problem in caught.value.problems]


RULE = "rules:\n  - "
LIMIT = "limits:\n  - "

# Snippet -> line:column: where: what is wrong; what would be right
TABLE = [
    ("rulse: []", "1:1: rulse: unknown field 'rulse'; did you mean 'rules'?"),
    ("version: 2", "1:10: version: 2 is not allowed; would be right: 1"),
    ("name: My Rules", "1:7: name: 'My Rules' is no such name; would be right: up to 64 of a-z, 0-9 and -"),
    ("seed: 1.5", "1:7: seed: 1.5 is no whole number; would be right: a whole number"),
    ("seed: '7'", "1:7: seed: '7' is text; would be right: 7"),
    ("seed: true", "1:7: seed: true is a boolean; would be right: a whole number"),
    ("clock: vitual", "1:8: clock: 'vitual' is unknown; did you mean 'virtual'?"),
    ("speed: 0", "1:8: speed: 0 is too small; would be right: at least 0.000001"),
    ("speed: .inf", "1:8: speed: inf is no finite number; would be right: a number"),
    ("waits: tell", "1:8: waits: 'tell' is unknown; would be right: told, jump"),
    ("auth: [any]", "1:7: auth: this is a list; would be right: any, listed"),
    ("rules: {error: 500}", "1:9: rules: this is a map; would be right: a list, each entry after '- '"),
    ("limits: 3", "1:9: limits: 3 is a number; would be right: a list"),
    ("- x", "1:1: scenario: this is a list; would be right: a map, as in rules: [...]"),
    ("extends: nothing", "1:10: extends: 'nothing' is not found; "
     "would be right: a bundled name or a file beside this one"),
    ("extends: 3", "1:10: extends: 3 is a number; would be right: '3'"),
    ("keys: {alice: sk-*}", "1:15: keys.alice: 'sk-*' is text; would be right: a map of match, provider, expires"),
    ("keys: {alice: {provider: openai}}", "1:16: keys.alice.match: 'match' is missing; "
     "would be right: match: 'sk-alice-*'"),
    ("keys: {'a*': {match: x}}", "1:8: keys.a*: 'a*' is no such name; "
     "would be right: up to 64 characters without * ? [ ]"),
    ("keys: {a: {match: x, provider: opnai}}", "1:32: keys.a.provider: no provider 'opnai'; did you mean 'openai'?"),
    ("keys: {a: {match: x, expires: 60}}", "1:31: keys.a.expires: 60 has no unit; would be right: 60s"),
    ("accounts: {a: {match: x, credits: lots}}", "1:35: accounts.a.credits: 'lots' is no amount of money; "
     "would be right: 2.50, in USD"),
    ("router: {fallback_on: [rate_limits]}", "1:24: router.fallback_on[0]: 'rate_limits' is unknown; "
     "did you mean 'rate_limit'?"),
    ("router: {timeout: 5}", "1:19: router.timeout: 5 has no unit; would be right: 5s"),
    ("router: {cooldown: {failure: 3}}", "1:21: router.cooldown.failure: unknown field 'failure'; "
     "did you mean 'failures'?"),
    ("providers: {openai: {latency: recordd}}", "1:31: providers.openai.latency: 'recordd' is unknown; "
     "did you mean 'recorded'?"),
    ("models: {ok: {providers: [opnai]}}", "1:27: models.ok.providers: no provider 'opnai'; did you mean 'openai'?"),
    ("models: {ok: {prompt: -1}}", "1:23: models.ok.prompt: -1 is too small; would be right: at least 0"),
    ("models: {'m m': {}}", "1:10: models.m m: 'm m' is no such name; "
     "would be right: a model id: letters, digits and . _ : / @ + -"),
    # unknown keys without a value
    ("lmits:", "1:1: lmits: unknown field 'lmits'; did you mean 'limits'?"),
    ("rules: [{error: 429},]\nextra: null", "2:1: extra: unknown field 'extra'; would be right: version, name, "
     "description, extends, seed, clock, speed, waits, wire, keys, accounts, auth, router, providers, models, "
     "unknown_models, limits, rules"),
    (RULE + "{name: a, eror: , error: 429}", "2:15: rules[0].eror: unknown field 'eror'; did you mean 'error'?"),
    (RULE + "{eror: }", "2:6: rules[0].eror: unknown field 'eror'; did you mean 'error'?"),
    (RULE + "{steps: [{ok: true, x: ~}]}", "2:25: rules[0].steps[0].x: unknown field 'x'; "
     "would be right: delay, stream, reply, break, error, connection, ok"),
    (RULE + "{delay: {uniform: [1s, 3s], gaus: null}}", "2:33: rules[0].delay.gaus: unknown field 'gaus'; "
     "would be right: uniform, normal, lognormal"),
    (RULE + "{error: {kind: quota, mesage: }}", "2:27: rules[0].error.mesage: unknown field 'mesage'; "
     "did you mean 'message'?"),
    ("accounts: {a: {match: x, credit: }}", "1:26: accounts.a.credit: unknown field 'credit'; "
     "did you mean 'credits'?"),
    ("router: {cooldown: {failure: null}}", "1:21: router.cooldown.failure: unknown field 'failure'; "
     "did you mean 'failures'?"),
    # limits
    ("limits:\n- requests: 3", "2:13: limits[0].requests: 3 has no unit; would be right: 3/min"),
    (LIMIT + "{requests: [3/min, 4]}", "2:24: limits[0].requests[1]: 4 has no unit; would be right: 4/min"),
    (LIMIT + "{requests: 3/minute}", "2:16: limits[0].requests: 'minute' is no window; would be right: 3/min"),
    (LIMIT + "{quota: 5}", "2:13: limits[0].quota: 5 has no unit; would be right: 5 requests"),
    (LIMIT + "{concurrency: 0}", "2:19: limits[0].concurrency: 0 is too small; would be right: at least 1"),
    (LIMIT + "{name: x}", "2:6: limits[0]: the limit has no budget; "
     "would be right: one of requests, tokens, quota, concurrency"),
    (LIMIT + "{request: 3/min}", "2:6: limits[0].request: unknown field 'request'; did you mean 'requests'?"),
    (LIMIT + "{tokens: 30k/min, used: 3}", "2:23: limits[0].used: used counts requests, and the limit has tokens; "
     "would be right: used in a limit of requests only"),
    (LIMIT + "{concurrency: 2, used: 1}", "2:22: limits[0].used: used counts requests, and the limit has none; "
     "would be right: requests, or quota: 5 requests"),
    (LIMIT + "{requests: 3/min, used: 5}", "2:29: limits[0].used: 5 is more than the limit itself; "
     "would be right: at most 3"),
    (LIMIT + "{requests: 20k/min, algorithm: sliding}", "2:16: limits[0].requests: '20k/min' is too much for "
     "algorithm: sliding; would be right: at most 10k in a window, or algorithm: bucket"),
    (LIMIT + "{requests: 3/min, per: [user]}", "2:29: limits[0].per[0]: 'user' is unknown; "
     "would be right: key, account, provider, model, lane"),
    (LIMIT + "{requests: 3/min, headers: false}", "2:32: limits[0].headers: false is a boolean; "
     "would be right: auto, none"),
    # when
    (RULE + "{when: {providor: openai}, error: 500}", "2:13: rules[0].when.providor: unknown field 'providor'; "
     "did you mean 'provider'?"),
    (RULE + "{when: {provider: opnai}, error: 500}", "2:23: rules[0].when.provider: no provider 'opnai'; "
     "did you mean 'openai'?"),
    (RULE + "{when: {key: alise}, error: 500}\nkeys: {alice: {match: x}}", "2:18: rules[0].when.key: no key 'alise'; "
     "did you mean 'alice'?"),
    (RULE + "{when: {key: sk-1}, error: 500}", "2:18: rules[0].when.key: no key 'sk-1'; "
     "would be right: a name of `keys`, or a glob on the credential, such as 'sk-own-*'"),
    (RULE + "{when: {account: brok}, error: 500}\naccounts: {broke: {match: x}}", "2:22: rules[0].when.account: "
     "no account 'brok'; did you mean 'broke'?"),
    (RULE + "{when: {endpoint: chatt}, error: 500}", "2:23: rules[0].when.endpoint: no endpoint 'chatt'; "
     "did you mean 'chat'?"),
    (RULE + "{when: {lane: [byok, ruter]}, error: 500}", "2:26: rules[0].when.lane[1]: 'ruter' is unknown; "
     "did you mean 'router'?"),
    (RULE + "{when: {stream: 'yes'}, error: 500}", "2:21: rules[0].when.stream: 'yes' is text; would be right: true"),
    (RULE + "{when: {model: 4}, error: 500}", "2:20: rules[0].when.model: 4 is a number; would be right: '4'"),
    (RULE + "{when: {model: []}, error: 500}", "2:20: rules[0].when.model: 0 entries are too few; "
     "would be right: at least 1"),
    (RULE + "{when: {attempt: '1'}, error: 500}", "2:22: rules[0].when.attempt: '1' is text; would be right: 1"),
    (RULE + "{when: {header: {X-Api-Key: x}}, error: 500}", "2:22: rules[0].when.header.X-Api-Key: 'X-Api-Key' "
     "holds a secret; would be right: when.key or when.account"),
    (RULE + "{when: {lane: router, provider: openai}, error: 500}", "2:27: rules[0].when.provider: provider means "
     "nothing to lane: router, which is the call as a whole; would be right: lane: byok or shared, or no provider"),
    (RULE + "{when: {lane: router, attempt: 1}, error: 500}", "2:27: rules[0].when.attempt: attempt means "
     "nothing to lane: router, which is the call as a whole; would be right: lane: byok or shared, or no attempt"),
    # rules
    (RULE + "{name: x}", "2:6: rules[0]: the rule does nothing; "
     "would be right: one of delay, stream, reply, break, error, connection or steps"),
    (RULE + "{eror: 500}", "2:6: rules[0].eror: unknown field 'eror'; did you mean 'error'?"),
    (RULE + "{error: 500, connection: reset}", "2:18: rules[0].connection: error and connection exclude each other; "
     "would be right: one of them"),
    (RULE + "{delay: 3s, steps: [{error: 500}]}", "2:6: rules[0].delay: steps and delay exclude each other; "
     "would be right: the aspect inside a step"),
    (RULE + "{error: 500, then: loop}", "2:18: rules[0].then: then without steps; would be right: steps before it"),
    (RULE + "{steps: [{}]}", "2:14: rules[0].steps[0]: the step does nothing; would be right: ok: true"),
    (RULE + "{steps: []}", "2:13: rules[0].steps: 0 entries are too few; would be right: at least 1"),
    (RULE + "{steps: [{ok: false}]}", "2:19: rules[0].steps[0].ok: false is not allowed; would be right: true"),
    (RULE + "{steps: [{ok: true, error: 500}]}", "2:15: rules[0].steps[0].ok: ok and error exclude each other; "
     "would be right: one of them"),
    (RULE + "{chance: 10, error: 500}", "2:14: rules[0].chance: 10 is more than the whole; "
     "would be right: 10% or a number up to 1"),
    (RULE + "{every: 0, error: 500}", "2:13: rules[0].every: 0 is too small; would be right: at least 1"),
    (RULE + "{times: 1.5, error: 500}", "2:13: rules[0].times: 1.5 is no whole number; would be right: a whole number"),
    (RULE + "{after: 30, error: 500}", "2:13: rules[0].after: 30 has no unit; would be right: 30s"),
    (RULE + "{per: [lane], error: 500}", "2:12: rules[0].per[0]: 'lane' is unknown; "
     "would be right: key, account, provider, model"),
    # aspects
    (RULE + "{error: overload}", "2:13: rules[0].error: 'overload' is unknown; did you mean 'overloaded'?"),
    (RULE + "{error: '429'}", "2:13: rules[0].error: '429' is text; would be right: 429"),
    (RULE + "{error: 200}", "2:13: rules[0].error: 200 is too small; would be right: at least 400"),
    (RULE + "{error: [500]}", "2:13: rules[0].error: this is a list; "
     "would be right: a kind (rate_limit), a status (429) or {kind: rate_limit, ...}"),
    (RULE + "{error: {message: hi}}", "2:14: rules[0].error: neither kind nor status; "
     "would be right: kind: rate_limit, or status: 429"),
    (RULE + "{error: no_provider}", "2:13: rules[0].error: 'no_provider' is the router's own; "
     "would be right: when: {lane: router}, or another kind"),
    (RULE + "{error: {kind: quota, retry_after: 5}}", "2:40: rules[0].error.retry_after: 5 has no unit; "
     "would be right: 5s"),
    (RULE + "{error: {kind: quota, retry_after: soon}}", "2:40: rules[0].error.retry_after: 'soon' is no duration; "
     "would be right: 20s, date, or a date such as 'Wed, 21 Oct 2026 07:28:00 GMT'"),
    (RULE + "{error: {kind: quota, headers: {x: \"a\\nb\"}}}", "2:40: rules[0].error.headers.x: the value breaks the "
     "header; would be right: one line of text"),
    (RULE + "{connection: rst}", "2:18: rules[0].connection: 'rst' is unknown; did you mean 'reset'?"),
    (RULE + "{delay: 3}", "2:13: rules[0].delay: 3 has no unit; would be right: 3s"),
    (RULE + "{delay: [1s]}", "2:13: rules[0].delay: this is a list; would be right: 250ms, or {uniform: [1s, 3s]}"),
    (RULE + "{delay: {uniform: [3s, 1s]}}", "2:14: rules[0].delay: uniform goes backwards; "
     "would be right: the shorter duration first"),
    (RULE + "{delay: {normal: {mean: 1s}}}", "2:23: rules[0].delay.normal.stddev: 'stddev' is missing; "
     "would be right: stddev: 200ms"),
    (RULE + "{delay: {uniform: [1s, 2s], normal: {mean: 1s, stddev: 1s}}}", "2:14: rules[0].delay: this is no delay; "
     "would be right: one of uniform, normal, lognormal; or 250ms"),
    (RULE + "{stream: {rate: 40}}", "2:21: rules[0].stream.rate: 40 has no unit; would be right: 40 tok/s"),
    (RULE + "{stream: {slice: 64}}", "2:22: rules[0].stream.slice: 64 has no unit; would be right: 64 bytes"),
    (RULE + "{break: cut}", "2:13: rules[0].break: 'cut' is text; would be right: a map of do, after, for, error"),
    (RULE + "{break: {after: 8 tokens}}", "2:14: rules[0].break.do: 'do' is missing; would be right: do: cut"),
    (RULE + "{break: {do: cut, after: 8}}", "2:30: rules[0].break.after: 8 has no unit; would be right: 8 tokens"),
    (RULE + "{break: {do: snap}}", "2:18: rules[0].break.do: 'snap' is unknown; would be right: cut, reset, stall, "
     "error, truncate, no_done, bad_json, bad_chunk, duplicate, comment"),
    (RULE + "{reply: 42}", "2:13: rules[0].reply: 42 is a number; "
     "would be right: text, or {text: ..., tool_calls: [...], json: {...}}"),
    (RULE + "{reply: {text: a, json: {b: 1}}}", "2:23: rules[0].reply.json: text and json exclude each other; "
     "would be right: one of them"),
    (RULE + "{reply: {malformed: bad_jsn}}", "2:25: rules[0].reply.malformed: 'bad_jsn' is unknown; "
     "did you mean 'bad_json'?"),
    (RULE + "{reply: {tool_calls: [{arguments: {}}]}}", "2:28: rules[0].reply.tool_calls[0].name: 'name' is missing; "
     "would be right: name: get_weather"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "problem"), TABLE, ids=[text.replace("\n", " ") for text, _ in TABLE])
def test_one_slip_is_one_problem(text: str, problem: str) -> None:
    assert problems(text) == [problem]


def test_known_keys_without_a_value_count_as_absent() -> None:
    text = (
        "limits:\nrouter: {cooldown: null}\nkeys: {alice: ~}\n"
        "rules: [{name: , when: {lane: , header: {x-a: }}, error: {kind: quota, body: }, reply: {json: {a: null}}}]"
    )
    made = load_scenario(text, file="f.yaml")
    assert (made.limits, made.keys, made.router.cooldown) == ((), (), None)
    assert made.rules[0].name == "rules[0]"


def test_an_unknown_key_without_a_value_is_told_from_parents_and_python_too() -> None:
    def find(name: str, beside: str) -> tuple[str, str]:
        return "rules: [{error: 429}, {name: a, eror: , error: 500}]", f"{name}.yaml"

    with pytest.raises(ScenarioError, match=r"^base.yaml:1:33: rules\[1\].eror: unknown field 'eror'"):
        load_scenario("extends: base\nrules: [{error: 503}]", file="f.yaml", find=find)
    with pytest.raises(ScenarioError, match=r"^scenario: lmits: unknown field 'lmits'"):
        build_scenario({"lmits": None})
    with pytest.raises(ScenarioError, match=r"^test_a.py:12: rule: unknown field 'rule'"):
        build_rules({"rule": None}, build_scenario({}), where="test_a.py:12")


def test_all_problems_of_a_file_are_told_at_once_in_its_order() -> None:
    text = (
        "limits:\n  - requests: 3\nrules:\n  - {when: {providor: openai}, error: rate_limt}\n"
        "  - {when: {provider: opnai}, error: 500, connection: reset}\nseed: x\nseed: 3\n"
    )
    assert [line.partition(": ")[0] for line in problems(text)] == [
        "2:15",
        "4:13",
        "4:39",
        "5:23",
        "5:43",
        "6:7",
        "7:1",
    ]


def test_a_json_text_tells_its_places_too() -> None:
    assert problems('{"limits": [\n  {"requests": 3}]}') == [
        "2:16: limits[0].requests: 3 has no unit; would be right: 3/min"
    ]


def test_python_data_has_no_lines() -> None:
    with pytest.raises(ScenarioError) as caught:
        build_scenario({"limits": [{"requests": 3}], "rules": [{"eror": 500}]})
    assert sorted(map(str, caught.value.problems)) == [
        "scenario: limits[0].requests: 3 has no unit; would be right: 3/min",
        "scenario: rules[0].eror: unknown field 'eror'; did you mean 'error'?",
    ]


def test_added_rules_take_rules_and_limits_only() -> None:
    with pytest.raises(ScenarioError) as caught:
        build_rules({"rules": [{"error": 500}], "seed": 3}, build_scenario({}), where="test_a.py:12")
    assert str(caught.value) == "test_a.py:12: seed: unknown field 'seed'; would be right: rules, limits"


def test_a_wrong_override_is_answered_with_the_right_form() -> None:
    with pytest.raises(ScenarioError) as caught:
        override(build_scenario({}), sped=3)
    assert str(caught.value) == "override: sped: unknown field 'sped'; did you mean 'speed'?"
    with pytest.raises(ScenarioError, match="extends can't be overridden"):
        override(build_scenario({}), extends="outage")


def test_long_values_are_cut_in_messages() -> None:
    (line,) = problems(f"clock: {'x' * 5_000}")
    assert len(line) < 200
