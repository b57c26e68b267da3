"""Faults of the nodes of a Ray cluster, which a test switches on and off while the nodes run.

The nodes' Pythons find a ``sitecustomize`` of ours first; it looks for files, each of which stands for a fault.
"""

from pathlib import Path

_CODE = """
import importlib.metadata, pathlib, sys
folder = pathlib.Path({folder!r})

def on(fault):
    return (folder / fault).exists()

if "windrow.execution.worker" in sys.orig_argv:
    import os, time
    from windrow.execution import tasks
    told = tasks.StepProgress
    def tell(step, of, loss):
        if step == 2 and on("hold"):
            (folder / "hold").rename(folder / "holding")
            time.sleep(3600)
        if step == 2 and on("die"):
            os.kill(os.getpid(), 9)
        return told(step, of, loss)
    tasks.StepProgress = tell
elif any("default_worker" in each for each in sys.orig_argv):
    version = importlib.metadata.version
    importlib.metadata.version = lambda name: "0.0.9" if name == "windrow" and on("other_version") else version(name)
    class Missing:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == "windrow" and on("missing"):
                raise ModuleNotFoundError("No module named 'windrow'")
    sys.meta_path.insert(0, Missing())
"""


class NodeFaults:
    """Faults: ``hold`` and ``die`` at the second step of a training, ``other_version`` and ``missing`` of Windrow.

    One training process holds until it is killed; those after it do not.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "sitecustomize.py").write_text(_CODE.format(folder=str(folder)))

    @property
    def python_path(self) -> str:
        """The variable ``PYTHONPATH`` of the nodes."""
        return str(self._folder)

    def switch_on(self, fault: str) -> None:
        (self._folder / fault).touch()

    def switch_off(self, fault: str) -> None:
        (self._folder / fault).unlink(missing_ok=True)

    def switch_all_off(self) -> None:
        for each in ("hold", "holding", "die", "other_version", "missing"):
            self.switch_off(each)

    @property
    def is_holding(self) -> bool:
        """Whether a training process waits at its second step."""
        return (self._folder / "holding").exists()
