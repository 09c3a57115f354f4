"""The scenario language: what a file may say, and what is wrong with one.

    records.py   a scenario as the router uses it (the output of everything else here)
    load.py      text or dict -> Scenario, or ScenarioError with every problem: the door of this folder
    tree.py      hardened YAML/JSON: values with their line and column
    units.py     durations, budgets, shares, money: parse and print
    fields.py    the fields of the language (pydantic): types, defaults, descriptions; source of the JSON Schema
    problems.py  pydantic's complaints in our words, with position and suggestion
    merge.py     `extends`
    compile.py   fields -> records, names checked against each other
    advise.py    warnings: what can't act

PYTEST_DONT_REWRITE
"""
