"""A Hugging Face cache as huggingface_hub lays it out: blobs by name, snapshots of links to them, refs."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Hub:
    """A cache in a folder, which is made with the first repository."""

    path: Path

    def put(self, repo_id: str, source: Path, commit: str, *, kind: str = "models", ref: str | None = "main") -> Path:
        """Add a revision with a folder's files, and return the repository's folder."""
        repository = self.path / f"{kind}--{repo_id.replace('/', '--')}"
        snapshot = repository / "snapshots" / commit
        (repository / "blobs").mkdir(parents=True, exist_ok=True)
        for file in (path for path in source.rglob("*") if path.is_file()):
            content = file.read_bytes()
            blob = repository / "blobs" / hashlib.sha256(content).hexdigest()
            blob.write_bytes(content)
            link = snapshot / file.relative_to(source)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.path.relpath(blob, link.parent))
        if ref is not None:
            (repository / "refs").mkdir(exist_ok=True)
            (repository / "refs" / ref).write_text(commit)
        return repository
