"""Whether a path lies on a network file system, where SQLite's locks cannot be trusted."""

from __future__ import annotations

from pathlib import Path

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "fuse.sshfs", "ncpfs"})
# The types named in SQLite's warning about WAL ("does not work over a network filesystem") as
# Linux spells them; elsewhere nothing can be said, and SQLite's own checks must do.


def network_filesystem(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """The type of the network file system that holds a path, or an empty string.

    Args:
        path: An existing or future file.
        mounts: The table of mounts (Linux); without one nothing is said.
    """
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    whole = path.absolute()
    best, kind = -1, ""
    for line in lines:
        fields = line.split(" ")
        point = Path(fields[1].replace("\\040", " "))
        # Later mounts hide earlier ones of the same place.
        if len(point.parts) >= best and (whole == point or point in whole.parents):
            best, kind = len(point.parts), fields[2]
    return kind if kind in _NETWORK else ""
