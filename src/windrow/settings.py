"""The settings, with units and defaults, read from the environment; no other module reads it."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from windrow.domain.base_models import is_commit
from windrow.domain.characters import MOST_TEXT_CHARS
from windrow.domain.dataset import DataLimits
from windrow.domain.errors import InvalidParameter
from windrow.domain.prediction import PredictLimits
from windrow.domain.recipe import DEFAULT_BASE_MODEL, MULTILINGUAL_BASE_MODELS

PREFIX = "WINDROW_"
# A training process takes about 0.5 GB at rest, as its limit counts; less than this is of no use.
MIN_MEMORY_BYTES = 1_000_000_000
# What a training of the default base model takes, as its limit counts: 1.44 GB with long texts, as measured, and the
# states of many. Where less is there, the kernel ends the training first, and only if all of it is really used.
LEAST_DEFAULT_MEMORY_BYTES = 1_750_000_000
_SERVICE_HOST = "_SERVICE_HOST"
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def _flag(text: str) -> bool:
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ValueError("true or false expected")


def _ids(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _base_models(text: str) -> tuple[str, ...]:
    entries = _ids(text)
    for entry in entries:
        _, at, commit = entry.partition("@")
        if at and not is_commit(commit):
            raise ValueError("a commit of 40 hexadecimal digits expected behind @")
    return entries


def _log_format(text: str) -> str:
    if text in ("text", "json"):
        return text
    raise ValueError("text or json expected")


def _at_least(minimum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text)
        if value < minimum:
            raise ValueError(f"at least {minimum} expected")
        return value

    return parse


def _zero_or_at_least(minimum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = _at_least(0)(text)
        if 0 < value < minimum:
            raise ValueError(f"0 or at least {minimum} expected")
        return value

    return parse


def _between(minimum: int, maximum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = _at_least(minimum)(text)
        if value > maximum:
            raise ValueError(f"at most {maximum} expected")
        return value

    return parse


def _setting(default: Any, parse: Callable[[str], Any], doc: str) -> Any:
    return field(default=default, metadata={"parse": parse, "doc": doc})


@dataclass(frozen=True, slots=True)
class Settings:
    """The server's settings; each is also an environment variable, ``WINDROW_`` and the name in capitals."""

    host: str = _setting("127.0.0.1", str, "Address to listen on.")
    allowed_hosts: tuple[str, ...] = _setting(
        (),
        _ids,
        "Names by which the server is reached, beside localhost and IP addresses, comma-separated; * allows every one.",
    )
    port: int = _setting(14345, _at_least(0), "Port to listen on; 0 takes a free one.")
    data_dir: Path = _setting(Path("windrow-data"), Path, "Folder that holds classifiers and base models.")
    url: str = _setting("", str, "Server that the command line asks; empty: the data directory itself.")
    log_format: str = _setting("text", _log_format, "Form of a log line: text or json.")
    max_body_bytes: int = _setting(32_000_000, _at_least(1), "Largest request body, in bytes.")
    max_pending_body_bytes: int = _setting(
        256_000_000,
        _at_least(1),
        "Bytes of request bodies that are received or read at the same time; further large ones are told when to come "
        "again.",
    )
    max_rows: int = _setting(100_000, _at_least(2), "Most training rows in one request.")
    max_labels: int = _setting(1_000, _at_least(2), "Most labels of one classifier.")
    max_text_chars: int = _setting(
        20_000, _between(1, MOST_TEXT_CHARS), f"Longest text, in characters; at most {MOST_TEXT_CHARS:,}."
    )
    max_texts: int = _setting(1_000, _at_least(1), "Most texts in one predict.")
    max_model_names: int = _setting(1_000, _at_least(1), "Most classifiers in one predict.")
    max_queued_requests: int = _setting(
        256, _at_least(1), "Requests that may wait for the encoder; further ones are told when to come again."
    )
    max_queued_tokens: int = _setting(
        1_000_000,
        _at_least(1),
        "Tokens that may wait for the encoder; further requests are told when to come again.",
    )
    allowed_base_models: tuple[str, ...] = _setting(
        (
            DEFAULT_BASE_MODEL,
            "sentence-transformers/all-mpnet-base-v2",
            "BAAI/bge-small-en-v1.5",
            "BAAI/bge-base-en-v1.5",
            *MULTILINGUAL_BASE_MODELS,
        ),
        _base_models,
        "Base models that may be asked for, comma-separated, each as owner/name or, pinned, as owner/name@commit; "
        "* allows every one.",
    )
    offline: bool = _setting(False, _flag, "Never download a base model.")
    retention_days: int = _setting(
        7, _between(0, 36_500), "Days for which a deleted classifier can be restored; then its files are removed."
    )
    max_import_bytes: int = _setting(
        256_000_000, _at_least(1), "Largest file to import, and the most that it may unpack to, in bytes."
    )
    min_free_bytes: int = _setting(
        100_000_000,
        _at_least(0),
        "Room on the data directory's disk, in bytes, below which trainings and imports are refused; 0 refuses none.",
    )
    keep_training_data: bool = _setting(True, _flag, "Keep the training rows beside the classifier.")
    encoder_threads: int = _setting(0, _at_least(0), "Threads that encode texts; 0 takes one for each physical core.")
    classifier_cache_bytes: int = _setting(
        256_000_000, _at_least(0), "Memory for loaded classifiers, in bytes; the least recently used go first."
    )
    pinned_classifiers: tuple[str, ...] = _setting(
        (), _ids, "Classifiers that are loaded at the start and stay in memory, by name or alias, comma-separated."
    )
    embedding_cache_bytes: int = _setting(
        64_000_000, _at_least(0), "Memory for encoded texts, in bytes, so that none is encoded twice; 0 keeps none."
    )
    max_concurrent_fits: int = _setting(1, _at_least(1), "Trainings that run at the same time; further ones wait.")
    max_fit_memory_bytes: int = _setting(
        0,
        _zero_or_at_least(MIN_MEMORY_BYTES),
        f"Memory that one training process may use, in bytes, at least {MIN_MEMORY_BYTES:,}; 0 takes three quarters of "
        "the machine's or the container's, divided by the trainings that may run at the same time, but at least "
        f"{LEAST_DEFAULT_MEMORY_BYTES:,}.",
    )
    max_queued_fits: int = _setting(
        32, _at_least(0), "Trainings that may wait for their turn; further ones are told when to come again."
    )
    max_connections: int = _setting(
        1_000, _at_least(1), "Connections that are open at the same time; further ones are told when to come again."
    )
    keep_alive_s: int = _setting(
        75, _at_least(1), "Seconds for which a connection without a request stays open for the next one."
    )
    shutdown_timeout_s: int = _setting(
        30, _at_least(0), "Seconds that a stopping server waits for running requests and trainings."
    )

    @property
    def limits(self) -> DataLimits:
        """The limits on one training's rows."""
        return DataLimits(self.max_rows, self.max_labels, self.max_text_chars)

    @property
    def predict_limits(self) -> PredictLimits:
        """The limits on one predict's names and texts."""
        return PredictLimits(self.max_texts, self.max_model_names, self.max_text_chars)


def variable_name(setting: str) -> str:
    """Return the environment variable of a setting: ``WINDROW_DATA_DIR`` for ``data_dir``."""
    return PREFIX + setting.upper()


def _service_links(variables: Mapping[str, str]) -> set[str]:
    """Return the names of variables that Kubernetes sets in every pod for each Service.

    A Service "windrow-api" has ``WINDROW_API_SERVICE_HOST``, ``WINDROW_API_SERVICE_PORT``, ``WINDROW_API_PORT`` and
    ``WINDROW_API_PORT_80_TCP_ADDR``, among others. Only where the first exists do the others count, so that a misspelt
    setting is still refused.
    """
    services = "|".join(re.escape(name[: -len(_SERVICE_HOST)]) for name in variables if name.endswith(_SERVICE_HOST))
    link = re.compile(rf"(?:{services})_(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)")
    port, address = re.compile(r"\w+_PORT(?:_\d+_(?:TCP|UDP|SCTP))?"), re.compile(r"(?:tcp|udp|sctp)://.*")
    return {
        name
        for name, value in variables.items()
        if link.fullmatch(name) or (port.fullmatch(name) and address.fullmatch(value))
    }


def read_environment() -> Mapping[str, str]:
    """Return this process's environment variables, for whatever starts another process."""
    return os.environ


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment, with defaults for what is not set.

    Args:
        environment: Variables by name; ``None`` reads the process's own.

    Raises:
        InvalidParameter: A variable's value cannot be read, or a ``WINDROW_`` variable is unknown.
    """
    variables = read_environment() if environment is None else environment
    known = {variable_name(each.name): each for each in fields(Settings)}
    values: dict[str, Any] = {}
    service_links = _service_links(variables)
    for name in sorted(variables):
        if not name.startswith(PREFIX) or name in service_links:
            continue
        if name not in known:
            raise InvalidParameter(
                f"{name} is no setting of Windrow. Known are: {', '.join(known)}.", {"parameter": name}
            )
        try:
            values[known[name].name] = known[name].metadata["parse"](variables[name])
        except ValueError as error:
            raise InvalidParameter(
                f"{name}={variables[name]!r} cannot be used: {error}. {known[name].metadata['doc']}",
                {"parameter": name},
            ) from error
    return Settings(**values)
