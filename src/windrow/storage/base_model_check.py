"""Scans the base models on this machine: their graphs, and what a build or a removal left behind."""

import re
from pathlib import Path
from typing import Final

from windrow.encoders.graph_cache import BUILDING, GRAPH_VERSION, find_graph_problem
from windrow.encoders.removal import REMOVED
from windrow.storage.folder_check import CandidateFinding, garbage, list_folder, reason_to_wait
from windrow.storage.name_check import ScanResult

BASE_MODELS: Final = "base_models"
_GRAPHS: Final = "graphs"
_ANY_FOLDER: Final = re.compile(r"[^.].*", re.DOTALL)
_GRAPHS_FOLDER: Final = re.compile(f"[0-9a-f]{{32}}-v{GRAPH_VERSION}")  # those of other versions are not used
_LEFTOVER: Final = re.compile(f"({re.escape(BUILDING)}|{re.escape(REMOVED)}).*", re.DOTALL)


def scan_base_models(root: str, grace_cutoff_s: float) -> ScanResult:
    """Find base models and graphs whose building or removal did not end.

    Args:
        root: The folder that they are in: the data directory, or what goes with one in an object store.
        grace_cutoff_s: What changed before this time, in seconds since 1970, is not being built any more.
    """
    candidates = []
    own = list_folder(root, BASE_MODELS, folders=_ANY_FOLDER).folders
    parents = (BASE_MODELS, f"{BASE_MODELS}/{_GRAPHS}") if _GRAPHS in own else (BASE_MODELS,)
    for path in (
        f"{parent}/{name}" for parent in parents for name in list_folder(root, parent, folders=_LEFTOVER).folders
    ):
        is_building = BUILDING in path
        left = reason_to_wait(list_folder(root, path).changed_s, grace_cutoff_s) if is_building else None
        what = f"{'Building' if is_building else 'Removing'} a base model's files ended half way."
        candidates.append(garbage("base_model_leftover", path, what, (path,), left))
    return ScanResult(tuple(candidates))


def scan_graphs(root: str) -> ScanResult:
    """Find built graphs that are not as they were built.

    Args:
        root: As for :func:`scan_base_models`.
    """
    candidates = []
    for name in sorted(list_folder(root, f"{BASE_MODELS}/{_GRAPHS}", folders=_GRAPHS_FOLDER).folders):
        path = f"{BASE_MODELS}/{_GRAPHS}/{name}"
        problem = find_graph_problem(Path(root, path))
        if problem is not None:
            what = f"The graphs that compute every answer are damaged, so answers may be wrong. {problem}"
            advice = "Restart the servers, which build them anew, and check the disk."
            candidates.append(CandidateFinding("damage", "graphs_altered", path, what, advice))
    return ScanResult(tuple(candidates))
