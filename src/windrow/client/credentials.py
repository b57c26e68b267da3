"""What a client shows a server to be let in: an API key, and a user with a password for a proxy. None is ever shown."""

from typing import Final

from windrow import __version__
from windrow.client.address import Address
from windrow.domain.hosts import is_loopback
from windrow.domain.secret import Secret

API_KEY_HEADER: Final = "X-API-Key"
UNENCRYPTED: Final = (
    "The API key travels to {url} unencrypted, so whoever is on the way can read and use it. Use https:// there."
)


class HiddenText(str):
    """The value of a header, for a debugger or a traceback that shows local variables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'…'"


def headers_of(address: Address, api_key: Secret | None) -> dict[str, str]:
    """Return the headers that every request of a client has.

    Args:
        address: Of the server, with the user and password that a proxy before it asks for.
        api_key: The key; takes the header ``Authorization`` unless the proxy's user has it.
    """
    headers = {"User-Agent": f"windrow/{__version__}"}
    if address.authorization is not None:
        headers["Authorization"] = HiddenText(address.authorization)
    if api_key is not None and address.authorization is not None:
        headers[API_KEY_HEADER] = HiddenText(api_key.reveal())
    elif api_key is not None:
        headers["Authorization"] = HiddenText(f"Bearer {api_key.reveal()}")
    return headers


def exposes_key(address: Address, api_key: Secret | None) -> bool:
    """Whether a key would travel over a network unencrypted."""
    return api_key is not None and address.scheme == "http" and not is_loopback(address.host)
