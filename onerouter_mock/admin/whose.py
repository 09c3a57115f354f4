"""A made-up OneRouter key that a scenario takes for the same account's.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from onerouter_mock.admin.stand_ins import make_nobodys
from onerouter_mock.core.errors import RequestError
from onerouter_mock.core.wire.accounts import find_owner
from onerouter_mock.core.wire.request import SECRET_HEADERS
from onerouter_mock.dry_run import choose_account_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onerouter_mock.core.records import Call
    from onerouter_mock.core.scenario.records import Scenario


def find_account_key(call: Call, scenario: Scenario) -> str | None:
    """The key for `--account-key`; None when the one that explain chooses is as good, "" for a call without.

    Shape: `scenario` as the command has it, with stand-ins for what it spells of credentials.
    """
    if not any(name in call.sealed.hidden for name in SECRET_HEADERS):
        return ""
    usual, wanted = choose_account_key(scenario), (call.account, call.account_test_kind)
    if _owner(scenario, usual) == wanted:
        return None
    return next((key for key in _keys(call, scenario) if _owner(scenario, key) == wanted), None)


def _keys(call: Call, scenario: Scenario) -> Iterator[str]:
    if call.account_test_kind:
        yield f"mock-{call.account_test_kind}-again"
    for account in scenario.accounts:
        yield from (sample for glob in account.match if (sample := make_nobodys(glob)))
    yield from ("sk-made-up", "")


def _owner(scenario: Scenario, key: str) -> tuple[str | None, str | None]:
    try:
        owner = find_owner(scenario, (key,) if key else ())
    except RequestError:
        return None, None
    return owner.account, owner.test_kind
