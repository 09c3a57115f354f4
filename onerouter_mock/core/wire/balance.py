"""GET /v1/balance: what is left of the account's credits.

Source: seen in two clients: `{"account_name", "credit_balance"}`, USD as a number.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from onerouter_mock.core.records import Decision


def balance_body(decision: Decision) -> bytes:
    """Units: `credit_balance` in USD."""
    left_usd = (decision.balance_nano or 0) / 1e9
    return orjson.dumps({"account_name": decision.call.account, "credit_balance": left_usd})
