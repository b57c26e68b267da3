"""Where clients find what this server shows: below a proxy's path prefix, and the documentation only if it is shown."""

from windrow.settings import Settings


def link(settings: Settings, path: str) -> str:
    """Return a path as clients must write it.

    Args:
        settings: Have the prefix.
        path: The path as the server knows it.
    """
    return settings.root_path + path


def see_docs(settings: Settings, shown: str, before: str = " ") -> str:
    """Return the words that name the documentation; empty where it is not shown.

    Args:
        settings: Say whether.
        shown: What the reader finds there.
        before: What stands between these words and those before them.
    """
    return f"{before}{link(settings, '/docs')} shows {shown}" if settings.docs else ""
