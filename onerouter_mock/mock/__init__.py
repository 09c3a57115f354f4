"""The mock as an object, for tests: `serve`, `connect` and the pytest fixture all make a `OneRouterMock`.

    onerouter.py   its members
    faults.py      `byok`, `shared`, `router`: who fails, and the handles
    control.py     how it asks the mock: in this process, or over HTTP
    start.py       `serve` and `connect`
    choose.py      which scenario: a name, a path, a dict or text, with overrides
    seen.py        journal entries with their members as attributes
    spelling.py    Python values as the scenario language spells them
    no_call.py     the story of a test in which nothing arrived
    worlds.py      what the pytest fixture begins and ends with
    report.py      what a pytest run says of it at the end

PYTEST_DONT_REWRITE
"""
