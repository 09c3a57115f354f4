"""What a scenario's text becomes: defaults, every form of every field, names, places, overrides."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest

from onerouter_mock.core.errors import ScenarioError
from onerouter_mock.core.records import ENDPOINTS, KINDS
from onerouter_mock.core.scenario.aspects import Malformed
from onerouter_mock.core.scenario.happen import name_kind
from onerouter_mock.core.scenario.load import (
    add_rules,
    build_rules,
    build_scenario,
    load_scenario,
    override,
    slug_stem,
)
from onerouter_mock.core.scenario.records import (
    Account,
    Aspects,
    Break,
    Budget,
    Cooldown,
    ErrorSpec,
    Fixed,
    KeyName,
    Limit,
    Lognormal,
    Normal,
    Pace,
    Reply,
    Rule,
    Scenario,
    Uniform,
    When,
)


def rule(**fields: Any) -> Rule:
    return build_scenario({"rules": [fields]}).rules[0]


def limit(**fields: Any) -> Limit:
    return build_scenario({"limits": [fields]}).limits[0]


def aspects(**fields: Any) -> Aspects:
    (step,) = rule(**fields).steps
    return step


def when(**fields: Any) -> When:
    return build_scenario({
        "keys": {"alice": {"match": "sk-alice-*"}}, "rules": [{"when": fields, "error": 500}],
    }).rules[0].when  # fmt: skip


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "~", "{}", "rules:", "---\n"])
def test_an_empty_file_is_a_healthy_world(text: str) -> None:
    made = load_scenario(text, file="dir/my_rules.v2.yaml")
    assert (made.name, made.file) == ("my-rules-v2", "dir/my_rules.v2.yaml")
    assert (made.seed, made.clock, made.speed, made.waits, made.wire) == (
        0,
        "real",
        1.0,
        "told",
        "documented",
    )
    assert (made.keys, made.accounts, made.auth) == (
        (),
        (Account("default", (), 1000 * 10**9, False),),
        "any",
    )
    assert (made.unknown_models, made.limits, made.rules, made.key_globs) == ("accept", (), (), ())
    assert made.router.fallback_on == set(KINDS) - {"context_length", "content_filter", "invalid_request"}
    assert (made.router.cooldown, made.router.balance, made.router.deliver_errors) == (
        None,
        "listed",
        "status",
    )
    assert (made.router.timeout_us, made.router.keep_alive_us) == (5_000_000, 15_000_000)


def test_top_level_fields_arrive() -> None:
    made = load_scenario(
        "version: 1\nname: mine\ndescription: One sentence.\nseed: -7\n"
        "clock: virtual\nspeed: 2.5\nwire: observed\n"
        "keys:\n  alice: {match: [sk-a-*, sk-b-*], provider: openai, expires: 60s}\n"
        "accounts:\n  default: {credits: 5, match: sk-d}\n  broke: {match: 'sk-broke-*', credits: 0}\n"
        "  off: {match: x, credits: 2.50 USD, disabled: true}\nauth: listed\n"
        "router:\n  fallback_on: [rate_limit]\n"
        "  cooldown: {failures: 2, within: 10s, for: 20s}\n  balance: weighted\n"
        "  timeout: 1s\n  deliver_errors: body\n  keep_alive: 2s\nunknown_models: refuse\n",
        file="f.yaml",
    )
    assert (made.name, made.description, made.seed, made.speed) == ("mine", "One sentence.", -7, 2.5)
    assert (made.clock, made.waits, made.wire, made.auth) == ("virtual", "jump", "observed", "listed")
    assert made.keys == (KeyName("alice", ("sk-a-*", "sk-b-*"), "openai", 60_000_000),)
    assert made.accounts == (
        Account("broke", ("sk-broke-*",), 0, False),
        Account("off", ("x",), 2_500_000_000, True),
        Account("default", ("sk-d",), 5_000_000_000, False),
    )
    assert made.router.fallback_on == {"rate_limit"}
    assert made.router.cooldown == Cooldown(2, 10_000_000, 20_000_000)
    assert (made.router.balance, made.router.timeout_us) == ("weighted", 1_000_000)
    assert (made.router.deliver_errors, made.router.keep_alive_us) == ("body", 2_000_000)
    assert made.unknown_models == "refuse"


def test_waits_are_told_when_the_scenario_says_so_under_the_virtual_clock() -> None:
    assert build_scenario({"clock": "virtual", "waits": "told"}).waits == "told"
    assert build_scenario({"waits": "jump"}).waits == "jump"


def test_router_may_fall_back_on_nothing() -> None:
    assert build_scenario({"router": {"fallback_on": []}}).router.fallback_on == frozenset()


def test_cooldown_fields_have_the_values_of_its_example() -> None:
    assert build_scenario({"router": {"cooldown": {}}}).router.cooldown == Cooldown(3, 60_000_000, 30_000_000)


def test_catalogue_takes_the_scenario_s_models_and_providers() -> None:
    made = load_scenario(
        "providers: {fireworks: {latency: recorded}, mine: {name: Mine}}\n"
        "models: {my-model: {providers: [mine, openai], prompt: 1.25, completion: 10, context: 128000}}\n"
        "rules: [{when: {provider: mine}, error: 500}]\n",
        file="f.yaml",
    )
    model = made.catalogue.find("my-model")
    assert model is not None
    assert (model.providers, model.prompt, model.completion, model.context) == (
        ("mine", "openai"),
        1.25,
        10.0,
        128_000,
    )
    assert made.catalogue.providers["fireworks"].latency is not None
    assert build_scenario({}).catalogue.find("my-model") is None


def test_when_takes_one_or_many() -> None:
    assert when(lane="byok").lane == {"byok"}
    assert when(lane=["byok", "router"]).lane == {"byok", "router"}
    assert when().lane is None
    assert when(provider=["openai", "google-*"]).provider == ("openai", "google-*")
    assert when(model="never-heard-of").model == ("never-heard-of",)
    assert when(key="alice").key == ("alice",)
    assert when(account="default").account == ("default",)
    assert when(stream=False).stream is False
    assert when(prompt="*weather*", system=["a", "b*"]).system == ("a", "b*")
    assert when(attempt=1).attempt == {1}
    assert when(attempt=[1, 2]).attempt == {1, 2}
    assert when(header={"X-Try": ["a*", "b"], "user-agent": "x"}).header == (
        ("x-try", ("a*", "b")),
        ("user-agent", ("x",)),
    )


def test_endpoint_globs_are_spread_over_the_endpoints() -> None:
    assert when(endpoint="m*").endpoint == {"messages", "moderations", "models"}
    assert when(endpoint=["chat", "balance"]).endpoint == {"chat", "balance"}
    assert when(endpoint="*").endpoint == set(ENDPOINTS)


def test_a_key_glob_that_is_no_name_goes_to_the_credential() -> None:
    made = build_scenario({
        "keys": {"alice": {"match": "x"}},
        "limits": [{"when": {"key": ["alice", "sk-own-*"]}, "requests": "3/min"}],
        "rules": [{"when": {"key": ["sk-own-*", "[ab]?"]}, "error": 500}],
    })  # fmt: skip
    assert made.key_globs == ("sk-own-*", "[ab]?")


@pytest.mark.parametrize(
    ("error", "spec"),
    [
        ("rate_limit", ErrorSpec("rate_limit")),
        (429, ErrorSpec("rate_limit", 429)),
        (529, ErrorSpec("overloaded", 529)),
        ({"status": 418}, ErrorSpec("invalid_request", 418)),
        ({"kind": "quota", "status": 402}, ErrorSpec("quota", 402)),
        ({"kind": "overloaded", "retry_after": "20s"}, ErrorSpec("overloaded", retry_after_us=20_000_000)),
        ({"kind": "overloaded", "retry_after": "date"}, ErrorSpec("overloaded", retry_after_date="date")),
        (
            {"kind": "overloaded", "retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"},
            ErrorSpec("overloaded", retry_after_date="Wed, 21 Oct 2026 07:28:00 GMT"),
        ),
        (
            {"kind": "quota", "message": "m", "type": "t", "code": 7, "param": "p", "should_retry": False,
             "headers": {"X-A": "b", "retry-after": 5}, "body": "<html>"},
            ErrorSpec("quota", None, "m", "t", 7, "p", should_retry=False,
                      headers=(("X-A", "b"), ("retry-after", "5")), body="<html>"),
        ),
        ({"kind": "quota", "code": "c", "message": None}, ErrorSpec("quota", code="c")),
    ],
)  # fmt: skip
def test_forms_of_error(error: object, spec: ErrorSpec) -> None:
    assert aspects(error=error) == Aspects(error=spec)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request"), (401, "invalid_key"), (402, "quota"), (403, "permission"),
        (404, "model_not_found"), (408, "timeout"), (409, "invalid_request"), (413, "invalid_request"),
        (422, "invalid_request"), (429, "rate_limit"), (499, "invalid_request"), (500, "server_error"),
        (501, "server_error"), (502, "bad_gateway"), (503, "overloaded"), (504, "timeout"),
        (529, "overloaded"), (599, "server_error"),
    ],
)  # fmt: skip
def test_a_bare_status_stands_for_a_kind(status: int, kind: str) -> None:
    assert name_kind(status) == kind


@pytest.mark.parametrize(
    ("delay", "made"),
    [
        ("250ms", Fixed(250_000)),
        (timedelta(seconds=2), Fixed(2_000_000)),
        ({"uniform": ["1s", "3s"]}, Uniform(1_000_000, 3_000_000)),
        ({"normal": {"mean": "1s", "stddev": "200ms"}}, Normal(1_000_000, 200_000)),
        ({"lognormal": {"median": "800ms", "sigma": 0.6}}, Lognormal(800_000, 0.6, None)),
        ({"lognormal": {"median": "800ms", "sigma": 1, "max": "10s"}}, Lognormal(800_000, 1.0, 10_000_000)),
    ],
)
def test_forms_of_delay(delay: object, made: object) -> None:
    assert aspects(delay=delay) == Aspects(delay=made)  # type: ignore[arg-type]  # one of the table's delays
    assert aspects(stream={"ttft": delay, "gap": delay}).stream == Pace(ttft=made, gap=made)  # type: ignore[arg-type]  # as above


def test_forms_of_stream() -> None:
    assert aspects(stream={"rate": "40 tok/s"}).stream == Pace(rate=40.0)
    assert aspects(stream={"slice": "1 byte"}).stream == Pace(slice=(1, "bytes"))
    assert aspects(stream={"slice": "1 token"}).stream == Pace(slice=(1, "token"))


@pytest.mark.parametrize(
    "do",
    [
        "cut",
        "reset",
        "stall",
        "error",
        "truncate",
        "no_done",
        "bad_json",
        "bad_chunk",
        "duplicate",
        "comment",
    ],
)
def test_every_break_happens_at_half_of_the_answer_unless_told(do: str) -> None:
    made = aspects(**{"break": {"do": do}}).break_
    assert made is not None
    assert (made.do, made.unit, made.after, made.for_us) == (do, "share", 0.5, None)
    assert made.error == (ErrorSpec("server_error") if do == "error" else None)


def test_forms_of_break() -> None:
    assert aspects(**{"break": {"do": "cut", "after": "8 tokens"}}).break_ == Break("cut", "tokens", 8.0)
    assert aspects(**{"break": {"do": "cut", "after": "3 chunks"}}).break_ == Break("cut", "chunks", 3.0)
    assert aspects(**{"break": {"do": "cut", "after": "2s"}}).break_ == Break("cut", "us", 2_000_000.0)
    assert aspects(**{"break": {"do": "stall", "for": "30s"}}).break_ == Break("stall", for_us=30_000_000)
    error = {"do": "error", "after": "50%", "error": "overloaded"}
    assert aspects(**{"break": error}).break_ == Break("error", "share", 0.5, None, ErrorSpec("overloaded"))


@pytest.mark.parametrize("connection", ["reset", "empty", "hang", "garbage", "short_body", "html"])
def test_every_connection_failure_is_known(connection: str) -> None:
    assert aspects(connection=connection) == Aspects(connection=connection)


@pytest.mark.parametrize(
    ("reply", "made"),
    [
        ("hello", Reply(text="hello")),
        ("", Reply(text="")),
        ({"json": {"a": [1, None], "b": "ü"}}, Reply(json='{"a":[1,null],"b":"ü"}')),
        ({"json": [1, 2]}, Reply(json="[1,2]")),
        ({"chunks": ["He", "llo"]}, Reply(chunks=("He", "llo"))),
        ({"text": "t", "reasoning": "r", "refusal": "no", "finish_reason": "length"},
         Reply(text="t", reasoning="r", refusal="no", finish_reason="length")),
        ({"tool_calls": [{"name": "f", "arguments": {"a": None}}, {"name": "g", "arguments": "{broken"},
                         {"name": "h"}]},
         Reply(tool_calls=(("f", '{"a":null}'), ("g", "{broken"), ("h", "{}")))),
        ({"usage": {"prompt_tokens": 9, "completion_tokens": 0}},
         Reply(usage=(("prompt_tokens", 9), ("completion_tokens", 0)))),
        *(({"malformed": word}, Reply(malformed=word)) for word in get_args(Malformed)),
    ],
)  # fmt: skip
def test_forms_of_reply(reply: object, made: Reply) -> None:
    assert aspects(reply=reply) == Aspects(reply=made)


def test_gates_of_a_rule() -> None:
    made = rule(
        name="x",
        skip=2,
        times=3,
        every=4,
        chance="10%",
        after="30s",
        until="2m",
        per=["key", "model"],
        error=500,
    )
    assert (made.name, made.ident, made.skip, made.times, made.every, made.chance) == ("x", "x", 2, 3, 4, 0.1)
    assert (made.after_us, made.until_us, made.per, made.then) == (
        30_000_000,
        120_000_000,
        ("key", "model"),
        "loop",
    )
    plain = rule(error=500)
    assert (plain.name, plain.skip, plain.times, plain.every, plain.chance) == ("rules[0]", 0, None, 1, None)
    assert (plain.after_us, plain.until_us, plain.per) == (None, None, ())
    assert rule(chance=0.25, error=500).chance == 0.25
    assert rule(per="key", error=500).per == ("key",)


def test_steps_pass_at_their_end_unless_told() -> None:
    made = rule(steps=[{"error": 500, "delay": "1s"}, {"ok": True}])
    assert made.then == "pass"
    assert made.steps == (
        Aspects(delay=Fixed(1_000_000), error=ErrorSpec("server_error", 500)),
        Aspects(ok=True),
    )
    assert rule(steps=[{"ok": True}], then="last").then == "last"
    assert rule(steps=[{"ok": True}], then="loop").then == "loop"


@pytest.mark.parametrize(
    ("fields", "budgets"),
    [
        ({"requests": "3/min"}, [Budget("rate", "requests", 3, "3/min", 60_000_000)]),
        ({"requests": ["3/min", "200/day"]}, [Budget("rate", "requests", 3, "3/min", 60_000_000),
                                              Budget("rate", "requests", 200, "200/day", 86_400_000_000)]),
        ({"tokens": "30k/min"}, [Budget("rate", "tokens", 30_000, "30k/min", 60_000_000)]),
        ({"quota": "5 requests"}, [Budget("quota", "requests", 5, "5 requests")]),
        ({"quota": "10k tokens"}, [Budget("quota", "tokens", 10_000, "10k tokens")]),
        ({"quota": "2 USD"}, [Budget("quota", "usd", 2_000_000_000, "2 USD")]),
        ({"concurrency": 2}, [Budget("concurrency", "requests", 2, "2 at once")]),
        ({"requests": "5/10s", "concurrency": 1}, [Budget("rate", "requests", 5, "5/10s", 10_000_000),
                                                   Budget("concurrency", "requests", 1, "1 at once")]),
    ],
)  # fmt: skip
def test_budgets_of_a_limit(fields: dict[str, Any], budgets: list[Budget]) -> None:
    assert list(limit(**fields).budgets) == budgets


def test_fields_of_a_limit() -> None:
    plain = limit(requests="3/min")
    assert (plain.name, plain.per, plain.used, plain.algorithm) == ("limits[0]", ("key",), 0, "bucket")
    assert (plain.error, plain.headers) == (None, True)
    full = limit(name="n", requests="3/min", used=3, algorithm="sliding", per=["account", "lane"],
                 headers="none",
                 error={"should_retry": False})  # fmt: skip
    assert (full.name, full.ident, full.per, full.used) == ("n", "n", ("account", "lane"), 3)
    assert (full.algorithm, full.headers, full.error) == (
        "sliding",
        False,
        ErrorSpec("rate_limit", should_retry=False),
    )
    assert limit(quota="5 requests", error={"message": "m"}).error == ErrorSpec("quota", message="m")
    assert limit(requests="3/min", per=[]).per == ()


def test_where_is_the_line_of_the_first_key() -> None:
    text = "# story\nlimits:\n  - {name: a, requests: 3/min}\nrules:\n  -\n    # why\n    error: 500\n"
    made = load_scenario(text, file="some/dir/ratelimit.yaml")
    assert made.limits[0].where == "ratelimit.yaml:3"
    assert made.rules[0].where == "ratelimit.yaml:7"
    assert load_scenario('{"rules": [\n{"error": 500}]}', file="a.json").rules[0].where == "a.json:2"
    assert rule(error=500).where == "scenario"


def test_a_rule_without_a_name_is_known_by_its_content() -> None:
    alone = load_scenario("rules:\n  - error: 500", file="f").rules[0]
    behind = load_scenario("rules:\n  - {error: quota}\n\n  - {error: 500}", file="g").rules[1]
    other = load_scenario("rules:\n  - error: 502", file="f").rules[0]
    assert alone.ident == behind.ident != other.ident
    assert behind.name == "rules[1]"


def test_twins_are_told_apart() -> None:
    made = build_scenario(
        {
            "rules": [
                {"error": 500},
                {"error": 500},
                {"name": "a", "error": 1 + 499},
                {"name": "a", "error": 502},
            ]
        }
    )
    assert len({each.ident for each in made.rules}) == 4
    assert made.rules[3].name == "a"


def test_added_rules_stand_in_front_with_their_own_place() -> None:
    base = load_scenario("keys: {alice: {match: x}}\nrules:\n  - {name: old, error: 500}\n", file="f.yaml")
    base.memo["something"] = 1
    rules, limits = build_rules(
        {"rules": [{"error": 429}, {"name": "old", "when": {"key": ["alice", "sk-*"]}, "error": "quota"}],
         "limits": [{"requests": "1/s"}]},
        base, where="test_a.py:12",
    )  # fmt: skip
    made = add_rules(base, rules, limits)
    assert [each.name for each in made.rules] == ["rules[0]", "old", "old"]
    assert [each.where for each in made.rules] == ["test_a.py:12", "test_a.py:12", "f.yaml:3"]
    assert len({each.ident for each in made.rules}) == 3
    assert [each.where for each in made.limits] == ["test_a.py:12"]
    assert made.key_globs == ("sk-*",)
    assert made.memo == {}
    assert base.rules[0].ident == made.rules[2].ident


def test_added_rules_twice_the_same_count_apart() -> None:
    made = build_scenario({})
    for _ in range(3):
        made = add_rules(made, *build_rules({"rules": [{"error": 429, "times": 1}]}, made, where="t"))
    assert len({each.ident for each in made.rules}) == 3


def test_added_rules_may_not_name_what_is_not_there() -> None:
    with pytest.raises(ScenarioError, match="no key 'bob'; did you mean 'rob'"):
        build_rules({"rules": [{"when": {"key": "bob"}, "error": 500}]},
                    build_scenario({"keys": {"rob": {"match": "x"}}}), where="t")  # fmt: skip


def test_override_is_checked_like_a_file_and_leaves_the_rest() -> None:
    base = load_scenario(
        "seed: 3\nrouter: {timeout: 1s, balance: weighted}\nrules: [{error: 500}]\n", file="f.yaml"
    )
    made = override(base, seed=7, speed=None, router={"timeout": "2s"})
    assert (made.seed, made.name, made.file, made.rules) == (7, "f", "f.yaml", base.rules)
    assert (made.router.timeout_us, made.router.balance) == (2_000_000, "weighted")
    assert (base.seed, base.router.timeout_us) == (3, 1_000_000)


def test_override_of_the_clock_moves_the_waits_unless_they_were_said() -> None:
    assert override(build_scenario({}), clock="virtual").waits == "jump"
    assert override(build_scenario({"clock": "virtual"}), clock="real").waits == "told"
    assert override(build_scenario({"waits": "told"}), clock="virtual").waits == "told"
    assert override(override(build_scenario({}), waits="told"), clock="virtual").waits == "told"
    assert override(build_scenario({}), waits="jump").waits == "jump"


def test_override_keeps_rules_that_were_added() -> None:
    base = build_scenario({"rules": [{"name": "own", "error": 500}]})
    more = add_rules(base, *build_rules({"rules": [{"name": "added", "error": 429}]}, base, where="t"))
    assert [each.name for each in override(more, seed=1).rules] == ["added", "own"]
    front = override(more, rules=[{"name": "front", "error": 502}], models={"m": {"prompt": 1}})
    assert [each.name for each in front.rules] == ["front", "added", "own"]
    assert front.catalogue.find("m") is not None
    assert [each.name for each in override(front, seed=2).rules] == ["front", "added", "own"]


def test_override_of_keys_changes_which_globs_are_names() -> None:
    base = build_scenario({"rules": [{"when": {"key": "sk-*"}, "error": 500}]})
    made = override(base, keys={"alice": {"match": "x"}})
    assert [key.name for key in made.keys] == ["alice"]
    assert made.key_globs == ("sk-*",)


def test_override_of_a_scenario_made_by_hand() -> None:
    by_hand = replace(build_scenario({}), seed=5, speed=3.0, source=None)
    made = override(by_hand, clock="virtual", name="other")
    assert (made.seed, made.speed, made.clock, made.waits, made.name) == (5, 3.0, "virtual", "jump", "other")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("ratelimit.yaml", "ratelimit"), ("a/b/My Rules.YAML", "my-rules"),
        ("my_rules.v2.yaml", "my-rules-v2"), (r"C:\x\own.yml", "own"), ("-.yaml", "unnamed"),
        ("", "unnamed"), ("noend", "noend"),
        ("ü.yaml", "unnamed"),
        ("x" * 200 + ".yaml", "x" * 64),
    ],
)  # fmt: skip
def test_the_default_name_is_the_slug_of_the_stem(file: str, name: str) -> None:
    assert slug_stem(file) == name


def test_names_from_data_and_from_outside() -> None:
    assert build_scenario({}).name == "unnamed"
    assert load_scenario("", file="scenario", name="unnamed").name == "unnamed"
    assert load_scenario("name: x", file="scenario", name="unnamed").name == "x"


def test_equal_text_makes_equal_scenarios() -> None:
    text = "rules: [{error: 500}]"
    assert load_scenario(text, file="f") == load_scenario(text, file="f")
    assert isinstance(load_scenario(text, file="f"), Scenario)


def test_small_numbers_need_no_exponent() -> None:
    made = build_scenario(
        {"accounts": {"a": {"credits": 0.00000001}}, "rules": [{"chance": 0.00001, "error": 500}]}
    )
    assert (made.accounts[0].credits_nano, made.rules[0].chance) == (10, 0.00001)
