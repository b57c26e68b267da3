"""The file system's clock, whose steps are some milliseconds long."""

from pathlib import Path


def wait_for_tick(file: Path) -> None:
    """Return once a change would bear another time than the file's last one."""
    probe = file.with_name(f".{file.name}.probe")
    while True:
        probe.write_bytes(b"")
        now_ns = probe.stat().st_ctime_ns
        probe.unlink()
        if now_ns > file.stat().st_ctime_ns:
            return
