"""The words of the HTTP API in a message, told as the options by which the command line asks for the same.

Owns that one table; knows nothing of who says the message. What stands in quotation marks is left as it is.
"""

import re
from collections.abc import Callable
from typing import Final

_Words = str | Callable[["re.Match[str]"], str]

# Parameters that are words of their own; where a name like these is part of a path or of another name, it is none.
_PARAMETERS: Final = (
    "abstain_below",
    "base_model",
    "batch_size",
    "dry_run",
    "max_seconds",
    "min_in_scope",
    "min_recall",
    "not_worse",
    "num_iterations",
    "target_precision",
    "top_k",
)
# Words of every day too, so that only "sort is unknown" and the like mean the parameter.
_PLAIN: Final = ("folds", "force", "limit", "overwrite", "prefix", "purge", "seed", "sort", "tag", "task")
_SWITCHES: Final = ("dry_run", "force", "not_worse", "overwrite", "purge")
_ALONE: Final = r"(?<![\w./\\@-]){}(?![\w/\\@-]|\.\w)"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _percent(match: "re.Match[str]") -> str:
    with_it, iterations, without = match.groups()
    return f"{float(with_it) * 100:.1f} % are placed right with {iterations}, {float(without) * 100:.1f} % with 0"


# How the name that exists already is taken all the same, by verb.
_OVERWRITE: Final = {
    "fit": "exists. Choose another name, or leave out --no-overwrite",
    "import": "exists. Choose another one with --name, or add --overwrite",
}
# In this order: what is longer, or says more about the place of a word, comes first.
_TABLE: Final[tuple[tuple[str, _Words], ...]] = (
    (
        r" or take the condition back: must_pass beside require says which",
        " or leave a condition out; --keep-must-pass says which",
    ),
    (r"(\d\.\d+) with num_iterations=(\d+), (\d\.\d+) with 0\b", _percent),
    (r"(?:^|(?<=[.:] ))num_iterations=([1-9]\d*): ", r"Train with --num-iterations \1: "),
    (r"\bAsk with num_iterations=", "Ask with --num-iterations "),
    (r"\bjudged \((\d\.\d+)\)", lambda match: f"judged ({float(match[1]) * 100:.1f} %)"),
    (r" failed_rows lists the others\.", " The table lists the others."),
    (r"\. Leave them out: see rows\.", ". Leave them out."),
    (r": see rows\.", "."),
    (r"\bcross_validate=false\b", "--no-cross-validate"),
    (r"\b(?:[Ss]end|[Pp]ass) cross_validate=true\b", "leave out --no-cross-validate"),
    (r"\brequire\.must_pass\b", "--must-pass"),
    (_ALONE.format("must_pass"), "--keep-must-pass"),
    (r"\brequire\.test_data\b", "--test-data"),
    (r"\brequire\.(min_recall|not_worse)\b", lambda match: _option(match[1])),
    (r"\b(?:training_data|test_data|must_pass)\[\d+\]\.(text|label)\b", r"the \1"),
    (r"\b(?:training_data|test_data|must_pass)\[\d+\]", "the row"),
    (_ALONE.format("training_data"), "the file"),
    (_ALONE.format("test_data"), "the file with the test rows"),
    (r"\bmodel_names has\b", "the command has"),
    (rf"\bSend ({'|'.join(_SWITCHES)})=true\b", lambda match: f"Add {_option(match[1])}"),
    (rf"\bsend ({'|'.join(_SWITCHES)})=true\b", lambda match: f"add {_option(match[1])}"),
    (rf"\b({'|'.join(_SWITCHES)})=true\b", lambda match: _option(match[1])),
    (rf"\b({'|'.join(_PARAMETERS)})=(?=[\w.])", lambda match: f"{_option(match[1])} "),
    (_ALONE.format(f"({'|'.join(_PARAMETERS)})"), lambda match: _option(match[1])),
    (rf"(?:^|(?<=[.:;] ))({'|'.join(_PLAIN)})(?= is )", lambda match: _option(match[1])),
    (r"(?:^|(?<=[.:;] ))n(?= is \d)", "-n"),
    (r"(?:^|(?<=[.:;] ))Send (?:it|this one) again", "Ask again"),
    (r"(?:^|(?<=[.:;] ))Send (?=[\w'-])", "Pass "),
    (r"(?<=, or )send (?=[\w'-])", "pass "),
)
_QUOTED: Final = re.compile(r"""((?<!\w)'(?:[^'\\]|\\.)*'(?!\w)|"(?:[^"\\]|\\.)*")""")


def in_options(message: str, verb: str = "") -> str:
    """Return a message in which parameters of the HTTP API are options of the command line.

    Args:
        message: Whole sentences, as the service says them.
        verb: The verb that was asked for, since the same is not done by the same option everywhere.
    """
    if verb in _OVERWRITE:
        message = re.sub(
            r"exists, and overwrite is false\. Choose another name, or send overwrite=true", _OVERWRITE[verb], message
        )
    pieces = _QUOTED.split(message)
    # The pieces between the quotations; each other one is a quotation.
    pieces[::2] = map(_told, pieces[::2])
    return "".join(pieces)


def _told(piece: str) -> str:
    for pattern, words in _TABLE:
        piece = re.sub(pattern, words, piece)
    return piece
