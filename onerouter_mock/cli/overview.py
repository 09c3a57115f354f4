"""The words of `--help`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

# Command -> usage, what it does.
SUMMARIES = {
    "serve": (
        "[serve] [OPTION...]",
        "Serve until Ctrl-C. The first line on stdout says where; everything else goes to stderr.",
    ),
    "run": (
        "run [OPTION...] -- CMD ARG...",
        "Serve on a free port, run CMD with the environment that `env` prints, and exit with CMD's code."
        " Silent while all is well; prints the timeline when CMD fails.",
    ),
    "explain": (
        "explain SCENARIO [REQUEST.json] [OPTION...]",
        "Dry run on virtual time, without a socket: which routes the first N such calls would take, and why."
        " Without REQUEST.json: a plain chat request with an own OpenAI key.",
    ),
    "scenarios": ("scenarios [--scenario-dir DIR]", "List the scenarios that have names: their stories."),
    "show": ("show NAME", "Print a scenario's text."),
    "init": ("init NAME", "Write a commented starter file, NAME.yaml."),
    "check": ("check FILE...", "Validate scenario files: every problem with its line, and what can't act."),
    "schema": ("schema", "Print the JSON Schema of scenario files, for editors."),
    "faults": ("faults [PROVIDER] [--format table|json]", "List how each provider words its failures."),
    "health": ("health [URL]", "Probe a server: exit 0 when it is ready, else 1."),
    "wait": ("wait [URL] [--timeout 10s]", "Wait until a server is ready; exit 4 when it is not in time."),
    "report": ("report [URL|FILE]", "Print the timeline of a server or of a journal file, and its findings."),
    "env": ("env [URL]", 'Print export lines that point clients at a server: eval "$(onerouter-mock env)".'),
}  # fmt: skip

OVERVIEW = """\
onerouter-mock: a local OneRouter that runs scenarios

usage: onerouter-mock [serve] [--scenario NAME|FILE] [--port N] [OPTION...]
       onerouter-mock COMMAND ...

  serve       serve on http://127.0.0.1:4117/v1 until Ctrl-C (all options: onerouter-mock serve --help)
  run         run a command against a server of its own: onerouter-mock run --scenario outage -- pytest -q
  explain     which routes calls would take, and why, without a server: onerouter-mock explain ratelimit

  scenarios   list the bundled scenarios         check     validate a file
  show        print one                          schema    print the JSON Schema of scenario files
  init        write a commented starter file     faults    how each provider fails

  health      probe a server                     report    print its timeline and findings
  wait        wait until it is ready             env       print export lines for clients

  --version   print the version                  --help    this page; COMMAND --help for one command

exit codes: 0 ok, 1 a finding or a check failed, 2 usage error or invalid scenario, 3 could not bind,
            4 not ready in time, 130/143 ended by a signal; run passes its command's code through"""
