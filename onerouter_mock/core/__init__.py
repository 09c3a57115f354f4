"""The pure floor: values in, values out. No clock, socket, file, thread or global dice.

If you can say which noun your change is about, you know the file:

    errors.py       what we raise: MockError > ScenarioError (the author's file), RequestError (the client's call)
    records.py      the nouns: Call, Attempt, Failure, Answer, Decision and their parts
    dice.py         every random number: a function of named parts
    scenario/       the language: what a file may say, and what is wrong with one
    catalogue/      providers, models, prices, limits, how each provider fails (data)
    state.py        what a session remembers, in cells; reading through pending changes
    when.py         which rules and limits concern an attempt (and the memo of it)
    counting.py     ways of counting: is there room at `now`, how long is the wait, what is left
    limits.py       budgets: drawn all together or not at all
    rules.py        which rule acts on an attempt
    candidates.py   who may be tried for a call, in which order, and why not the others
    decide.py       try them until one answers: the router
    router.py       the router itself, before any attempt: test keys, limits and rules of its lane, refusals
    attempts.py     one attempt, and how it fails
    endings.py      what the client sees of it all: status, waits, ids, rate-limit headers
    answers/        seeded text, tool calls, JSON for a schema, tokens (the only file that knows Faker)
    timeline.py     when each piece of an answer is sent, and where a break ends it
    billing.py      tokens to money, the ledger, what is set right when an answer ends
    wire/           the emulated JSON, one file per dialect; refusals (error objects); secrets stop here
    plan.py         what is to happen on the wire: Frame, Plan, Outcome
    render.py       a Decision as bytes on a timeline (Plan)
    trace.py        a Decision or journal entry as lines of text; the route mini-language

Never here: asyncio, aiohttp, time, os, pathlib, socket, threading, logging, pytest, or any shell. Allowed: pydantic,
yaml (scenario), faker (answers), orjson. `decide` and `render` never raise and never write. Only `wire/` knows the
emulated JSON's field names; only `catalogue/` knows providers by name. `tests/test_architecture.py` asserts all this.

Units: time is whole microseconds (`_us`) on the session's clock; money whole nano-dollars (`_nano`); tokens are the
matches of `\\s?\\S{1,16}|\\s`.

PYTEST_DONT_REWRITE
"""
