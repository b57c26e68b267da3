"""The settings, with units and defaults, read from the environment; no other module reads it."""

import hashlib
import ipaddress
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from windrow.domain.access import KEY_PREFIX
from windrow.domain.base_models import is_commit
from windrow.domain.characters import MOST_TEXT_CHARS
from windrow.domain.dataset import DataLimits
from windrow.domain.errors import InvalidParameter
from windrow.domain.key_form import checked_key
from windrow.domain.key_limits import LIMITS, MAX_LIMIT, KeyLimits
from windrow.domain.prediction import PredictLimits
from windrow.domain.recipe import DEFAULT_BASE_MODEL, MULTILINGUAL_BASE_MODELS
from windrow.domain.secret import Secret
from windrow.domain.store_url import StoreUrl, is_store_url, read_store_url, without_secrets

PREFIX = "WINDROW_"
# A training process takes about 0.5 GB at rest, as its limit counts; less than this is of no use.
MIN_MEMORY_BYTES = 1_000_000_000
# What a training of the default base model takes, as its limit counts: 2.5 GB with 120 texts of 256 tokens, measured.
# Where less is there, the kernel ends the training first, and only if all of it is really used.
LEAST_DEFAULT_MEMORY_BYTES = 2_750_000_000
# More than a key and what an editor puts around it.
MAX_KEY_FILE_CHARS = 4_096
_SERVICE_HOST = "_SERVICE_HOST"
# Where trainings run: in processes of this machine, on the Ray cluster of RAY_ADDRESS or of this machine, or, by an
# address that begins with ray://, on one elsewhere.
LOCAL_RUNNER = "local"
RAY_RUNNER = "ray"
# What ``embedding_cache_bytes`` is for whoever classifies files: their rows seldom repeat, so that more would only take
# memory.
FEW_EMBEDDINGS_BYTES = 4_000_000
_RAY_CLIENT = re.compile(r"ray://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_ROOT_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
# Formats of other servers with paths that Windrow or another one of them has too.
COLLIDING_DIALECTS = ("cohere", "vllm")
# What the server's own paths begin with: a prefix that begins so could not be told from them.
_OWN_PATHS = {"v1", "classify", "predict", "docs", "health", "metrics", "console", "openapi.json", "favicon.ico"}


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


def read_data_dir(text: str) -> Path | StoreUrl:
    """Return the folder, or the place in an object store, that holds a data directory.

    Raises:
        ValueError: It is to be an address, and is none of an object store.
    """
    return read_store_url(text) if is_store_url(text) else Path(text)


def _file_roots(text: str) -> tuple[Path | StoreUrl, ...]:
    roots = tuple(read_data_dir(each) for each in _ids(text))
    if not all(isinstance(each, StoreUrl) or each.is_absolute() for each in roots):
        raise ValueError("whole paths of folders expected, like /srv/mails, or addresses like s3://BUCKET/PREFIX")
    return roots


def _folder(text: str) -> Path | None:
    return Path(text) if text.strip() else None


def _user_cache() -> Path:
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "windrow")
    except RuntimeError as error:  # such as in a container, whose user may have no name
        raise InvalidParameter(
            "The user who runs Windrow has no home, so there is no place for copies of what is in the object store. "
            "Name a folder with {setting}.",
            {"parameter": "cache_dir", "setting": variable_name("cache_dir")},
        ) from error


def _log_format(text: str) -> str:
    if text in ("text", "json"):
        return text
    raise ValueError("text or json expected")


def _runner(text: str) -> str:
    runner = text.strip()
    if runner in (LOCAL_RUNNER, RAY_RUNNER) or _RAY_CLIENT.fullmatch(runner):
        return runner
    raise ValueError("local, ray or ray://HOST:PORT expected")


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(each.lower().rstrip("/") for each in _ids(text))
    if not all(_ORIGIN.fullmatch(each) for each in origins):
        raise ValueError("origins expected as a browser names them, like https://app.example, and never *")
    return origins


def _networks(text: str) -> tuple[str, ...]:
    networks = _ids(text)
    for each in networks:
        try:
            ipaddress.ip_network(each)
        except ValueError as error:
            raise ValueError("addresses and networks expected, like 10.0.0.7 or 10.0.0.0/8, and never *") from error
    return networks


def _dialects(text: str) -> tuple[str, ...]:
    dialects = tuple(each.lower() for each in _ids(text))
    if unknown := [each for each in dialects if each not in COLLIDING_DIALECTS]:
        known = " and ".join(COLLIDING_DIALECTS)
        raise ValueError(f"names among {known} expected, not {unknown[0]}")
    return dialects


def read_root_path(text: str) -> str:
    """Return a path prefix without a slash at its end.

    Raises:
        ValueError: It is none, or begins as the server's own paths do.
    """
    path = text.strip().rstrip("/")
    if path and (_ROOT_PATH.fullmatch(path) is None or {".", ".."} & set(path.split("/"))):
        raise ValueError("a path expected, like /windrow")
    if path.split("/")[1:2] and path.split("/")[1] in _OWN_PATHS:
        raise ValueError(f"the server's own paths begin with /{path.split('/')[1]}, so another prefix expected")
    return path


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


def _secret(text: str) -> Secret | None:
    return Secret(text.strip()) if text.strip() else None


def _key_limit(what: str) -> Any:
    return _setting(0, _between(0, MAX_LIMIT), f"{what}, unless the key has a limit of its own; 0 for no limit.")


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
    insecure_no_keys: bool = _setting(
        False,
        _flag,
        "Answer without an API key also on an address that others reach, since something in front of the server checks "
        "who asks.",
    )
    first_key_file: str = _setting(
        "",
        str,
        "File with a key, wdr_ and at least 32 random bytes as text, of which a server on a data directory that never "
        "had one makes the API key named first, with every scope.",
    )
    tls_cert: str = _setting(
        "",
        str,
        "File with the server's certificate and those between it and the root (PEM); the server then speaks TLS.",
    )
    tls_key: str = _setting("", str, "File with the private key of the certificate (PEM); empty: the same file.")
    trusted_proxies: tuple[str, ...] = _setting(
        (),
        _networks,
        "Addresses and networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, comma-separated.",
    )
    root_path: str = _setting(
        "",
        read_root_path,
        "Path prefix under which a proxy shows the server, like /windrow, whether it strips it or not.",
    )
    cors_origins: tuple[str, ...] = _setting(
        (),
        _origins,
        "Origins whose pages a browser lets ask this server, comma-separated, like https://app.example.",
    )
    dialects: tuple[str, ...] = _setting(
        (),
        _dialects,
        "Formats of other servers that are answered also at paths which Windrow or another format has, where the keys "
        f"of a request tell them apart, comma-separated: {', '.join(COLLIDING_DIALECTS)}. At paths of its own, each "
        "format is always answered.",
    )
    console: bool = _setting(
        True, _flag, "Show the console at /; its page and files need no key, and all that it shows needs the reader's."
    )
    docs: bool = _setting(True, _flag, "Show /docs and /openapi.json, which need no key.")
    data_dir: Path | StoreUrl = _setting(
        Path("windrow-data"),
        read_data_dir,
        "Folder that holds classifiers and base models; or a place in an object store, as s3://BUCKET/PREFIX, "
        "gs://BUCKET/PREFIX or az://CONTAINER/PREFIX, for one server or several equal ones.",
    )
    cache_dir: Path | None = _setting(
        None,
        _folder,
        "With an object store: folder on this machine for base models and copies of what is in the store; empty: a "
        "folder of the user's cache.",
    )
    cache_bytes: int = _setting(
        5_000_000_000,
        _at_least(0),
        "With an object store: what the copies on this machine may take, in bytes; those that were not used for the "
        "longest time go first.",
    )
    url: str = _setting("", str, "Server that the command line asks; empty: the data directory itself.")
    api_key: Secret | None = _setting(
        None, _secret, "API key that the command line and Python send to a server; it is shown nowhere."
    )
    api_key_file: str = _setting("", str, "File with the API key that the command line and Python send to a server.")
    log_format: str = _setting("text", _log_format, "Form of a log line: text or json.")
    traces: bool = _setting(
        False,
        _flag,
        "Send spans of OpenTelemetry by OTLP over HTTP, to where its own OTEL_EXPORTER_OTLP_ENDPOINT says; needs the "
        "extra otel.",
    )
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
    audit_days: int = _setting(
        365,
        _between(0, 36_500),
        "Days for which the audit trail is kept; 0 writes none, and leaves what is there as it is.",
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
    runner: str = _setting(
        LOCAL_RUNNER,
        _runner,
        "Where trainings run: local, in processes beside the server; ray, on the Ray cluster that RAY_ADDRESS names or "
        "that runs on this machine; or ray://HOST:PORT, on one elsewhere.",
    )
    fit_threads: int = _setting(
        0,
        _at_least(0),
        "Threads with which an adapter is trained, here or on Ray; 0 takes one for each core that the server may use. "
        "Another number rounds sums differently.",
    )
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
    file_roots: tuple[Path | StoreUrl, ...] = _setting(
        (),
        _file_roots,
        "Folders and places in object stores below which clients may have the server read and write files, "
        "comma-separated, like /srv/mails,s3://BUCKET/PREFIX; whoever may start such jobs reaches all of them. Empty: "
        "none.",
    )
    max_concurrent_file_predictions: int = _setting(
        1, _at_least(1), "Predictions of files that run at the same time, beside trainings; further ones wait."
    )
    max_queued_file_predictions: int = _setting(
        32, _at_least(0), "Predictions of files that may wait for their turn; further ones are told when to come again."
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
    key_requests_per_second: int = _key_limit("Requests a second that an API key may send to one server")
    key_requests_per_day: int = _key_limit("Requests a day (UTC) that an API key may send")
    key_texts_per_day: int = _key_limit("Texts a day (UTC) that an API key may have predicted or evaluated")
    key_max_queued_fits: int = _key_limit("Trainings of an API key that may wait for their turn on one server")
    key_max_stored_bytes: int = _key_limit("Bytes on the disk that revisions made by an API key may take")
    key_max_revisions: int = _key_limit("Revisions made by an API key that may be on the disk")

    @property
    def local_dir(self) -> Path:
        """The folder on this machine: the data directory, or what goes with one in an object store.

        Raises:
            InvalidParameter: It is to be in the home of a user who has none.
        """
        if isinstance(self.data_dir, Path):
            return self.data_dir
        folder = self.cache_dir or _user_cache()
        # One for each place: a purge in one of them must find all of its copies, and nothing else.
        return folder / f"{self.data_dir.bucket}-{hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:16]}"

    @property
    def limits(self) -> DataLimits:
        """The limits on one training's rows."""
        return DataLimits(self.max_rows, self.max_labels, self.max_text_chars)

    @property
    def key_limits(self) -> KeyLimits:
        """The limits of API keys that have none of their own."""
        return KeyLimits(**{name: getattr(self, f"key_{name}") for name in LIMITS})

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


def set_unless_set(name: str, value: str) -> None:
    """Set an environment variable of this process for a library that reads it, unless whoever started it did."""
    os.environ.setdefault(name, value)


def read_key_file(path: str | Path, source: str) -> str:
    """Return what a file with an API key holds, without white space around it.

    Args:
        path: The file; may be a pipe.
        source: The variable or option that names it, for the error.

    Raises:
        InvalidParameter: It cannot be read.
    """
    try:
        with Path(path).open(encoding="utf-8") as file:
            return file.read(MAX_KEY_FILE_CHARS).strip()
    except (OSError, ValueError) as error:  # also what is no UTF-8
        # Whoever names a key in the place of its file must not find it in a log.
        shown = "…" if KEY_PREFIX in str(path) else str(path)
        raise InvalidParameter(
            "The file {path}, which {source} names, cannot be read: {why}. It holds an API key and nothing else.",
            {
                "parameter": "api_key_file",
                "path": shown,
                "source": source,
                "why": getattr(error, "strerror", None) or "it is no text",
            },
        ) from None


def node_cache_dir(environment: Mapping[str, str] | None = None) -> Path:
    """Return the folder for copies of base models on a node of a Ray cluster: ``WINDROW_CACHE_DIR``, or the user's.

    Args:
        environment: Variables by name; ``None`` reads the process's own.
    """
    variables = read_environment() if environment is None else environment
    if named := _folder(variables.get(variable_name("cache_dir"), "")):
        return named
    try:
        return _user_cache()
    except InvalidParameter:  # a container's user may have no home
        return Path(tempfile.gettempdir(), f"windrow-{os.getuid()}")


def read_api_key(file: str | Path | None = None, environment: Mapping[str, str] | None = None) -> Secret | None:
    """Return the API key to send to a server; ``None`` where none is set.

    Args:
        file: The file that holds it; ``None`` for what the environment says.
        environment: Variables by name; ``None`` reads the process's own.

    Raises:
        InvalidParameter: Two variables say it, the file cannot be read, or it holds no key. No error shows a key.
    """
    if file is not None:
        return checked_key(read_key_file(file, "--api-key-file"), "--api-key-file")
    variables = read_environment() if environment is None else environment
    of_key, of_file = variable_name("api_key"), variable_name("api_key_file")
    key, path = variables.get(of_key, ""), variables.get(of_file, "")
    if key.strip() and path:
        raise InvalidParameter(
            "{key} and {file} both say which API key to send. Set one of them.",
            {"parameter": "api_key", "key": of_key, "file": of_file},
        )
    if path:
        return checked_key(read_key_file(path, of_file), of_file)
    return checked_key(key, of_key) if key.strip() else None


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
                f"{name}={without_secrets(variables[name])!r} cannot be used: {error}. {known[name].metadata['doc']}",
                {"parameter": name},
            ) from error
    return Settings(**values)
