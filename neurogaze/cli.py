"""The command `neurogaze`: LightningCLI for what trains, plain functions for the rest."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

from neurogaze.endings import (
    DATA_ERROR,
    INTERRUPTED,
    TERMINATED,
    UNREAD,
    drop_unwritten,
    input_error,
    interrupted_by_sigterm,
    missing_extra,
    unread,
)
from neurogaze.errors import InputError
from neurogaze.quiet import hush
from neurogaze.roots import Roots

TRAINING = ("fit", "validate", "test")
POSITIONAL = (
    "run",
    "score",
    "bench",
    "control",
    "grids",
    "ensemble",
    "report",
    "sweep",
    "export",
    "explain",
    "card",
    "infer",
)
"""Commands whose first argument, a file or folder, is given without a flag."""

TRUTH = ("true", "false", "yes", "no")
"""What may follow a switch."""


def _commands() -> dict[str, Callable[..., Any]]:
    from neurogaze import commands, deploy_commands, face_commands

    return {
        "demo": commands.demo,
        "run": commands.run,
        "prepare": commands.prepare,
        "consolidate": commands.consolidate,
        "evaluate": face_commands.evaluate,
        "calibrate": face_commands.calibrate,
        "robustness": face_commands.robustness,
        "score": commands.score,
        "bench": commands.bench,
        "control": commands.control,
        "grids": commands.grids,
        "ensemble": face_commands.ensemble,
        "sweep": face_commands.sweep,
        "leakage": commands.leakage,
        "report": commands.report,
        "export": deploy_commands.export,
        "explain": deploy_commands.explain,
        "card": deploy_commands.card,
        "infer": deploy_commands.infer,
        "serve": deploy_commands.serve,
        "browser": deploy_commands.browser,
    }


def usage() -> str:
    """The help of the command itself."""
    summaries = {
        "fit": "Train a teacher or a student from a configuration.",
        "validate": "Judge a checkpoint on the validation part of its data.",
        "test": "Judge a checkpoint on the held-out part of its data.",
    }
    for name, function in _commands().items():
        summaries[name] = (inspect.getdoc(function) or "").splitlines()[0]
    rows = "\n".join(f"  {name:<12} {text}" for name, text in summaries.items())
    return (
        "usage: neurogaze COMMAND [options]      neurogaze COMMAND --help\n\n"
        "EEG-to-face cross-modal distillation: recordings, teacher, prototype grid, student.\n\n"
        f"commands:\n{rows}\n\n"
        "options:\n  --version    print the version\n"
        "  --debug      show the full traceback of an error\n"
    )


def _call(name: str, function: Callable[..., Any], args: Sequence[str]) -> int:
    """Parse arguments from the function's signature and docstring, call it, return its code."""
    from jsonargparse import ArgumentParser

    if not _resolved(function):
        from neurogaze import training  # noqa: F401  (it makes the names of classes known)
    summary = (inspect.getdoc(function) or "").split("\n\nArgs:")[0]
    parser = ArgumentParser(prog=f"neurogaze {name}", description=summary)
    first, *others = inspect.signature(function).parameters
    if name in POSITIONAL:
        parser.add_function_arguments(function, as_group=False, as_positional=True, skip={*others})
    skip: set[str | int] = {first} if name in POSITIONAL else set()
    parser.add_function_arguments(function, skip=skip, sub_configs=True)
    config = parser.parse_args(_spelled(function, args))
    if "roots" in config:  # corpora look for their data when they are built
        Roots(**config.roots.as_dict()).export()
    values = parser.instantiate(config)
    return function(**values.as_dict()) or 0


def _resolved(function: Callable[..., Any]) -> bool:
    """Replace the names of types by the types, unless it takes classes to choose from.

    The parser would import whatever the function's module names for type checkers alone: PyTorch
    and Lightning, ten seconds before a line of help.
    """
    try:
        function.__annotations__ = get_type_hints(function)
    except NameError:
        return False
    return True


def _spelled(function: Callable[..., Any], args: Sequence[str]) -> list[str]:
    """Let a switch stand alone: `--local` means `--local=true`."""
    switches = {
        f"--{name}"
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.annotation in (bool, "bool")
    }
    following = [*args, ""][1:]
    return [
        f"{word}=true" if word in switches and then.lower() not in TRUTH else word
        for word, then in zip(args, following, strict=True)
    ]


def _train(args: Sequence[str]) -> None:
    from neurogaze import training

    training.build_cli(args, run=True)


def main(args: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        args: words after the program name; None takes them from the command line.

    Returns:
        0, 1 when some files of a batch failed, 2 when the input cannot be used, 130 when
        interrupted, 141 when nobody reads any more what is printed, or 143 when ended by SIGTERM.
    """
    words = list(sys.argv[1:] if args is None else args)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    with interrupted_by_sigterm() as came:
        try:
            return _answer(words)
        except KeyboardInterrupt:
            print("interrupted; run the same command again to go on", file=sys.stderr)
            return TERMINATED if came else INTERRUPTED
        except Exception as error:
            left = isinstance(error, BrokenPipeError) and unread()
            drop_unwritten()
            told = input_error(error) or missing_extra(error)
            if left and told is None:
                return UNREAD
            if debug or told is None:
                raise
            print(f"{' '.join(['neurogaze', *words[:1]])}: error: {told}", file=sys.stderr)
            return DATA_ERROR


def _answer(words: Sequence[str]) -> int:
    """Do what the words ask; what was printed has left when it ends, or the error is raised."""
    try:
        if not words or words[0] in ("-h", "--help"):
            print(usage())
            return 0
        if words[0] == "--version":
            from neurogaze import __version__

            print(__version__)
            return 0
        return _dispatch(words[0], words[1:])
    finally:
        print(end="", flush=True)


def _dispatch(name: str, args: Sequence[str]) -> int:
    if name in TRAINING:
        hush()
        _train([name, *args])
        return 0
    commands = _commands()
    if name not in commands:
        known = ", ".join([*TRAINING, *commands])
        raise InputError(f"command {name!r}", "is unknown", f"use one of {known}")
    hush()
    return _call(name, commands[name], args)
