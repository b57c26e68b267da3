"""What a person reads once the server answers: its address, who may ask, and two commands to paste."""

import json
from typing import Final

from windrow.api.examples import EXAMPLE_NAME, EXAMPLE_ROWS, EXAMPLE_TEXT
from windrow.domain.hosts import is_loopback
from windrow.http.guards import ALLOWED_HOSTS
from windrow.settings import Settings

_NAMES: Final = (
    f"The server answers to IP addresses and localhost; name it in {ALLOWED_HOSTS} to have it\n"
    "answer to a name, or behind a proxy."
)
_NO_KEYS: Final = f"""
No API key is needed: everyone who reaches this server may train, read and delete every classifier. {_NAMES}
"""
_KEYS: Final = """
Each request needs an API key. To try the commands, put yours in this shell: export WINDROW_API_KEY=wdr_…
"""
_UNENCRYPTED: Final = """
Keys and texts travel unencrypted, unless a proxy in front encrypts: --tls-cert and --tls-key make this server do it.
"""
_SHOWN_HOSTS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - shown, not bound


def banner(settings: Settings, port: int, *, needs_key: bool) -> str:
    """Return the text.

    Args:
        settings: Address, prefix and certificate.
        port: The port that was taken.
        needs_key: Whether requests need an API key.
    """
    address = server_url(settings, port)
    rows = ",\n    ".join(json.dumps(row) for row in EXAMPLE_ROWS)
    fit = f'{{"model_name": "{EXAMPLE_NAME}", "training_data": [\n    {rows}]}}'
    predict = json.dumps({"model_name": EXAMPLE_NAME, "text": EXAMPLE_TEXT})
    return f"""\
Windrow answers on {address}{_pages(settings, address)}. Ctrl-C stops it.
{_access(settings, needs_key)}
Train a classifier:

{_curl(f"{address}/v1/classifier/fit", fit, needs_key)}

Ask it:

{_curl(f"{address}/v1/classifier/predict", predict, needs_key)}
"""


def _pages(settings: Settings, address: str) -> str:
    """Return what a browser shows of the server, if anything."""
    docs = f"{address}/docs"
    if settings.console:
        return f" (open it in a browser; the API to try is at {docs})" if settings.docs else " (open it in a browser)"
    return f" (try it in a browser: {docs})" if settings.docs else ""


def server_url(settings: Settings, port: int) -> str:
    """Return an address that a browser on this machine can open.

    Args:
        settings: Host, prefix and certificate.
        port: The port that was taken.
    """
    host = _SHOWN_HOSTS.get(settings.host, settings.host)
    scheme = "https" if settings.tls_cert else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{settings.root_path}"


def sends_unencrypted(settings: Settings, *, needs_key: bool) -> bool:
    """Whether keys may travel over a network unencrypted: nothing here encrypts, and no proxy is named that does."""
    is_open = not is_loopback(settings.host) and not settings.tls_cert
    return needs_key and is_open and not settings.trusted_proxies


def _access(settings: Settings, needs_key: bool) -> str:
    others_reach_it = not is_loopback(settings.host)
    if not needs_key:
        return _NO_KEYS if others_reach_it else ""
    names = f"{_NAMES}\n" if others_reach_it else ""
    return _KEYS + names + (_UNENCRYPTED if sends_unencrypted(settings, needs_key=needs_key) else "")


def _curl(url: str, body: str, needs_key: bool) -> str:
    key = '  -H "Authorization: Bearer $WINDROW_API_KEY" \\\n' if needs_key else ""
    return f"curl -sS {url} \\\n{key}  -H 'Content-Type: application/json' \\\n  -d '{body}'"
