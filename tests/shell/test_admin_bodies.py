"""What may be in the bodies of the control API: JSON objects, each key once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from asking import Answered, ask

import onerouter_mock
from onerouter_mock import OneRouterMock


@pytest.fixture(scope="module")
def mock() -> Iterator[OneRouterMock]:
    with onerouter_mock.serve("healthy", clock="virtual") as mock:
        yield mock


def post(mock: OneRouterMock, path: str, text: str) -> Answered:
    return ask(f"{mock.url}/_mock/{path}", "POST", text.encode())


TWINS = [
    ("rules", '{"rules":[{"error":429,"error":500}]}',
     "body:1:24: rules[0].error: 'error' stands here twice; would be right: once; it first stands in line 1"),
    ("rules", '{"rules": [],\n "where": "a",\n "rules": [{"error": 500}]}',
     "body:3:2: rules: 'rules' stands here twice; would be right: once; it first stands in line 1"),
    ("verify", '{"route": "x",\n"route": "*"}',
     "body:2:1: route: 'route' stands here twice; would be right: once; it first stands in line 1"),
    ("verify", '{"served_by": {"lane": "byok", "lane": "shared"}}',
     "body:1:32: served_by.lane: 'lane' stands here twice; would be right: once; it first stands in line 1"),
    ("clock", '{"advance": "1s", "advance": "2s"}',
     "body:1:19: advance: 'advance' stands here twice; would be right: once; it first stands in line 1"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "problem"), TWINS, ids=[text for _, text, _ in TWINS])
def test_a_key_that_stands_twice_is_refused_with_its_place(
    mock: OneRouterMock, path: str, text: str, problem: str
) -> None:
    answered = post(mock, path, text)
    assert answered.status == 400
    assert answered.json["error"]["problems"] == [problem]
    assert answered.json["error"]["message"] == problem
    assert ask(f"{mock.url}/_mock/rules").json["rules"] == []
    assert ask(f"{mock.url}/_mock/clock").json["now"] == 0


def test_all_keys_that_stand_twice_are_told_at_once(mock: OneRouterMock) -> None:
    answered = post(
        mock, "rules", '{"rules":[{"error":429,"error":500},{"name":"a","name":"b","error":429}]}'
    )
    assert answered.json["error"]["message"] == "2 problems"
    assert [line.partition(": ")[2][:14] for line in answered.json["error"]["problems"]] == [
        "rules[0].error",
        "rules[1].name:",
    ]


def test_a_key_that_stands_twice_in_a_body_that_no_file_could_be_is_refused_too(mock: OneRouterMock) -> None:
    answered = post(
        mock, "rules", '{"rules": [{"reply": "%s", "error": 429, "error": 500}]}' % ("x" * 300_000)
    )
    assert answered.status == 400
    assert answered.json["error"]["problems"] == ["body: 'error' stands in a map twice; would be right: once"]


def test_long_replies_large_numbers_and_the_same_key_in_two_maps_are_let_in(mock: OneRouterMock) -> None:
    rules = '{"rules": [{"name": "long", "reply": "%s"}, {"name": "big", "reply": {"json": %s}}]}'
    answered = post(mock, "rules", rules % ("x" * 300_000, "9" * 300))
    assert answered.json["names"] == ["long", "big"]
    assert ask(f"{mock.url}/_mock/rules", "DELETE").status == 200


@pytest.mark.parametrize("path", ["rules", "verify", "clock"])
@pytest.mark.parametrize("depth", [40, 400, 900, 1000, 1020, 1100, 50_000])
def test_a_body_that_is_nested_deep_is_refused(mock: OneRouterMock, path: str, depth: int) -> None:
    answered = post(mock, path, f'{{"rules": {"[" * depth}{"]" * depth}}}')
    assert answered.status == 400
    assert "would be right" in answered.text or "nested deeper" in answered.text
