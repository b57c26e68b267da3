"""The API key of a client in Python: given, or of the environment."""

from windrow.client.credentials import UNENCRYPTED
from windrow.domain.key_form import checked_key
from windrow.domain.secret import Secret
from windrow.session.reply_warnings import show_warning
from windrow.settings import read_api_key


def client_key(api_key: str | None) -> Secret | None:
    """Return the API key that a client sends.

    Args:
        api_key: The key; ``None`` for that of ``WINDROW_API_KEY`` or ``WINDROW_API_KEY_FILE``, if there is one.

    Raises:
        InvalidParameter: It is none, or the environment says two.
    """
    return read_api_key() if api_key is None else checked_key(api_key, "api_key")


def warn_if_exposed(url: str, *, exposes_key: bool) -> None:
    """Warn where an API key travels over a network unencrypted.

    Args:
        url: The server, without user and password.
        exposes_key: Whether it does.
    """
    if exposes_key:
        show_warning(UNENCRYPTED.format(url=url), "key_unencrypted")
