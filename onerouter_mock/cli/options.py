"""What each command takes: options, their environment twins, and the hints for words that are none of them.

Only argparse is imported here, so that `--help` and `health` stay cheap.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from onerouter_mock.cli import COMMANDS, Stop, values
from onerouter_mock.cli.overview import OVERVIEW, SUMMARIES

TWIN_PREFIX = "ONEROUTER_MOCK_"

# Of `serve` and `run`, each with a twin: option, how its value reads, its parser (None: a switch), help.
SERVE: tuple[tuple[str, str, Callable[[str], Any] | None, str], ...] = (
    (
        "--scenario",
        "NAME|FILE",
        str,
        "what goes wrong: a bundled name, a name in --scenario-dir, or a file (healthy)",
    ),
    ("--scenario-dir", "DIR", str, "where names are looked up first"),
    ("--host", "ADDRESS", str, "where to listen (127.0.0.1)"),
    ("--port", "N", values.whole("port", 0, 65535), "0 picks a free one (serve: 4117, run: 0)"),
    ("--seed", "N", values.parse_seed, "seed of every draw"),
    ("--speed", "N", values.parse_speed, "scripted time runs N times faster"),
    ("--clock", "real|virtual", values.one_of("clock", "real", "virtual"), "virtual: nothing sleeps"),
    ("--waits", "told|jump", values.one_of("kind of waits", "told", "jump"), "what refused clients are told"),
    ("--wire", "documented|observed", values.one_of("wire", "documented", "observed"), "dialect of errors"),
    ("--force-fallback", "true|false", values.parse_bool, "overrides byok_conf.fallback of every request"),
    ("--allow-host", "NAME", str, "a further Host name for the control API; may be repeated"),
    ("--session-limit", "N", values.whole("limit", 1), "sessions kept at most (1000)"),
    ("--journal-size", "N", values.whole("size", 1), "calls kept for each session (2000)"),
    ("--ready-file", "PATH", str, "gets url, base_url and pid as JSON once the server is ready"),
    ("--log", "all|problems|off", values.one_of("log", "all", "problems", "off"), "calls printed on stderr"),
    ("--log-format", "text|json", values.one_of("format", "text", "json"), "json: an object a line (text)"),
    ("--no-trace-header", "", None, "answers carry no x-onerouter-mock-route"),
    ("--watch", "", None, "reload the scenario file when it changes"),
)


class Parser(argparse.ArgumentParser):
    """argparse, with errors of one line and a hint."""

    def error(self, message: str) -> NoReturn:
        raise Stop(f"{self.prog}: {_reword(message, self)}\nhint: {self.prog} --help")


def parse(words: list[str], tail: list[str] | None) -> argparse.Namespace | None:
    """The options of one command, with `command` and (after `--`) `tail`; None when help was printed.

    Errors: Stop with one line and a hint.
    """
    word = words[0]
    if word in ("-h", "--help", "help"):
        print(OVERVIEW)
        return None
    if word not in COMMANDS:
        raise Stop(_unknown_command(word))
    if "-h" in words or "--help" in words:
        print(_parser(word).format_help().rstrip())
        return None
    if word == "run" and not tail:
        raise Stop("onerouter-mock run: CMD is missing; would be right: onerouter-mock run -- pytest -q")
    if tail is not None and word != "run":
        words, tail = words + tail, None
    parser = _parser(word)
    args = parser.parse_intermixed_args(words[1:])  # options may stand between SCENARIO and REQUEST.json
    args.command, args.tail = word, tail
    if word in ("serve", "run"):
        _read_twins(args, os.environ)
    elif getattr(args, "scenario_dir", "") is None:
        args.scenario_dir = os.environ.get(f"{TWIN_PREFIX}SCENARIO_DIR") or None
    return args


def _parser(command: str) -> Parser:
    usage, about = SUMMARIES[command]
    parser = Parser(
        prog=f"onerouter-mock {command}",
        usage=f"onerouter-mock {usage}",
        description=about,
        allow_abbrev=False,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=36, width=100),
    )
    if command in ("serve", "run"):
        for option, shown, parse_value, text in SERVE:
            _add(parser, option, shown, parse_value, text)
        parser.epilog = (
            f"Each option has a twin in the environment: {TWIN_PREFIX}SCENARIO, {TWIN_PREFIX}PORT, ..."
        )
    _MORE.get(command, _add_nothing)(parser)
    return parser


def _add(
    parser: Parser, option: str, shown: str, parse_value: Callable[[str], Any] | None, text: str
) -> None:
    if parse_value is None:
        parser.add_argument(option, action="store_true", default=None, help=text)
    elif option == "--allow-host":
        parser.add_argument(option, metavar=shown, action="append", help=text)
    else:
        parser.add_argument(option, metavar=shown, type=_typed(parse_value), help=text)


def _typed(parse_value: Callable[[str], Any]) -> Callable[[str], Any]:
    def convert(text: str) -> Any:
        try:
            return parse_value(text)
        except values.WrongValue as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def _add_nothing(parser: Parser) -> None:
    pass


def _add_run(parser: Parser) -> None:
    parser.add_argument(
        "--strict", action="store_true", help="exit 1 when CMD passed but a failing finding was seen"
    )
    parser.add_argument("--journal", metavar="FILE.jsonl", help="write every call as a line of JSON")


def _add_scenario_dir(parser: Parser) -> None:
    parser.add_argument("--scenario-dir", metavar="DIR", help="where names are looked up first")


def _add_show(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME")
    _add_scenario_dir(parser)


def _add_init(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME")


def _add_check(parser: Parser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+")
    _add_scenario_dir(parser)


def _add_explain(parser: Parser) -> None:
    parser.add_argument("scenario", metavar="SCENARIO")
    parser.add_argument("request", metavar="REQUEST.json", nargs="?", help="a request body to send instead")
    number, duration, boolean = values.whole("number", 1, 10_000), values.parse_duration, values.parse_bool
    parser.add_argument(
        "--calls", metavar="N", type=_typed(number), default=5, help="how many such calls (5)"
    )
    parser.add_argument(
        "--gap", metavar="1s", type=_typed(duration), default=0, help="time between calls (0s)"
    )
    parser.add_argument("--fallback", metavar="true|false", type=_typed(boolean), help="byok_conf.fallback")
    parser.add_argument("--provider", metavar="P", help="byok_conf.provider (openai)")
    parser.add_argument("--model", metavar="M", help="model (gpt-5.1-chat)")
    parser.add_argument("--key", metavar="K", help="the credential in byok_conf, as a client would send it")
    parser.add_argument("--account-key", metavar="K", help="the OneRouter key that calls come with")
    parser.add_argument("--stream", action="store_true", help="ask for streamed answers")
    parser.add_argument("--seed", metavar="N", type=_typed(values.parse_seed), help="seed of every draw")
    _add_scenario_dir(parser)


def _add_faults(parser: Parser) -> None:
    parser.add_argument("provider", metavar="PROVIDER", nargs="?", help="only this provider's")
    form = values.one_of("format", "table", "json")
    parser.add_argument("--format", metavar="table|json", type=_typed(form), default="table", help="(table)")


def _add_url(parser: Parser) -> None:
    text = f"(${TWIN_PREFIX}URL, else http://127.0.0.1:4117)"
    parser.add_argument("url", metavar="URL", nargs="?", help=text)


def _add_wait(parser: Parser) -> None:
    _add_url(parser)
    seconds = _typed(values.parse_duration)
    parser.add_argument(
        "--timeout", metavar="10s", type=seconds, default=10_000_000, help="give up after (10s)"
    )


def _add_report(parser: Parser) -> None:
    text = f"a server, or a journal file of run --journal (${TWIN_PREFIX}URL, else http://127.0.0.1:4117)"
    parser.add_argument("source", metavar="URL|FILE", nargs="?", help=text)


_MORE: dict[str, Callable[[Parser], None]] = {
    "run": _add_run,
    "scenarios": _add_scenario_dir,
    "show": _add_show,
    "init": _add_init,
    "check": _add_check,
    "explain": _add_explain,
    "faults": _add_faults,
    "health": _add_url,
    "env": _add_url,
    "wait": _add_wait,
    "report": _add_report,
}


def _read_twins(args: argparse.Namespace, environ: Mapping[str, str]) -> None:
    """Fill what no flag said from the environment. An empty variable says nothing."""
    for option, _, parse_value, _ in SERVE:
        name = option.strip("-").replace("-", "_")
        twin = TWIN_PREFIX + name.upper()
        text = environ.get(twin, "")
        if getattr(args, name) is not None or not text:
            continue
        try:
            value = (parse_value or values.parse_flag)(text)
        except values.WrongValue as error:
            raise Stop(f"{twin}: {error}") from None
        setattr(args, name, [word.strip() for word in text.split(",")] if name == "allow_host" else value)


def _unknown_command(word: str) -> str:
    near = _nearest(word, list(COMMANDS))
    hint = f'did you mean "{near}"?' if near else f"would be right: {', '.join(COMMANDS)}"
    return f'onerouter-mock: "{word}" is no command; {hint}\nhint: onerouter-mock --help'


def _reword(message: str, parser: Parser) -> str:
    """argparse's complaint in our words."""
    if message.startswith("unrecognized arguments: "):
        word = message.removeprefix("unrecognized arguments: ").split(" ")[0]
        known = [option for action in parser._actions for option in action.option_strings]
        near = _nearest(word.split("=")[0], known) if word.startswith("-") else None
        noun = "option" if word.startswith("-") else "argument"
        return f'unknown {noun} "{word}"' + (f'; did you mean "{near}"?' if near else "")
    if message.startswith("the following arguments are required: "):
        return f"{message.removeprefix('the following arguments are required: ')} is missing"
    return message.removeprefix("argument ").replace(": expected one argument", " is without its value")


def _nearest(word: str, known: list[str]) -> str | None:
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, known, n=1, cutoff=0.6)), None)
