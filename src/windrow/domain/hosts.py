"""Hosts of a network: which of them only this machine reaches."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a host: ``localhost``, or an address such as 127.0.0.1 or ::1."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
