"""Virtual environments of what the benches need beside Windrow's own: made on demand, renewed when the pins change.

Owns how they are installed; knows nothing of what runs in them.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def venv_bin(name: str) -> Path:
    """Return the folder of programs of ``bench/.venv-{name}``; make it if it is missing or out of date.

    Args:
        name: Names the pinned packages too: ``requirements/bench-{name}.txt``.
    """
    folder, requirements = HERE / f".venv-{name}", HERE.parent / "requirements" / f"bench-{name}.txt"
    stamp, wanted = folder / "installed.txt", requirements.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"Installing {requirements.name} into {folder}; this may take some minutes …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip_install = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip_install, "-r", str(requirements)], check=True)
        stamp.write_text(wanted)
    return folder / "bin"
