"""The scenario language: what a file may say, and what is wrong with one.

    records.py   a scenario as the router uses it (the output of everything else here)
    load.py      text or dict -> Scenario, or ScenarioError with every problem: the door of this folder
    read.py      YAML and JSON text, hardened, as events with line and column
    slips.py     why a text is no YAML, in plain words
    tree.py      the tree grown from them: values that know where they stand
    units.py     durations, budgets, shares, money: parse and print
    words.py     the types of fields: kinds, lanes, quantities
    aspects.py   the fields of what happens to an attempt
    fields.py    all other fields: types, defaults, descriptions
    schema.py    the JSON Schema, made from the fields
    problems.py  pydantic's complaints in our words, with position and suggestion
    names.py     names that must exist
    clashes.py   what can't stand together
    merge.py     `extends`
    compile.py   fields -> records; happen.py: the same for aspects
    advise.py    warnings: what can't act

PYTEST_DONT_REWRITE
"""
