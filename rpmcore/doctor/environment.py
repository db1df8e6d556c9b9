"""Everything that the checks look at, as one value: a test hands them a broken one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The machine, the process and the installation at one moment.

    Attributes
    ----------
    system
        As ``sys.platform`` names it.
    python, sqlite
        Versions.
    requirements
        What the metadata of rpmcore asks for; empty where there are none.
    packages
        Installed version by the name of a requirement; None where it is not installed.
    unimportable
        Why a required package cannot be imported, by its name.
    variables
        Of the process.
    kernel_cache
        Folder of the compiled kernels; None where none can be written.
    kernel_error
        Why the kernels cannot be loaded at all; None where they can.
    kernels_compiled
        Whether they lie in the cache.
    machine
        As ``platform.machine`` names it.
    cpu_features
        Of x86, in small letters; None where the system does not tell.
    processors
        That this process may use by its affinity.
    processor_quota
        How many of them a control group lets it use at once; None for all.
    memory, memory_limit
        Bytes of the machine, and of the control group or ``ulimit -v``; None where unknown or unlimited.
    encoding
        Of stdout; None where there is none.
    columns
        Of the terminal; None where stdout is none.
    temporary
        Folder for temporary files; None where none can be written.
    temporary_error
        Why not.
    open_files
        Most files that the process may open; None where the system sets no limit.
    command
        The file that ``rpm`` is on the search path; None where there is none.
    command_is_ours
        Whether that file starts this program.
    time_zones
        Whether the data of time zones are there.
    mounts
        File system type by mount point; empty where the system does not tell.
    key_file
        Where the signing key lies unless a variable names another.
    settings_folders
        Where settings are looked for.
    now
        Of the system's clock, UTC nanoseconds.
    """

    system: str
    python: Version
    sqlite: Version
    requirements: tuple[str, ...]
    packages: Mapping[str, str | None]
    unimportable: Mapping[str, str]
    variables: Mapping[str, str]
    kernel_cache: Path | None
    kernel_error: str | None
    kernels_compiled: bool
    machine: str
    cpu_features: frozenset[str] | None
    processors: int
    processor_quota: float | None
    memory: int | None
    memory_limit: int | None
    encoding: str | None
    columns: int | None
    temporary: Path | None
    temporary_error: str | None
    open_files: int | None
    command: Path | None
    command_is_ours: bool
    time_zones: bool
    mounts: Mapping[str, str]
    key_file: Path
    settings_folders: tuple[Path, ...]
    now: int

    def file_system(self, path: Path) -> str | None:
        """Return the type of the file system that a path lies on; None where the system does not tell."""
        return file_system_of(path, self.mounts)


def file_system_of(path: Path, mounts: Mapping[str, str]) -> str | None:
    """Return the type of the innermost mount above a path."""
    place = path.resolve()
    for folder in (place, *place.parents):
        found = mounts.get(str(folder))
        if found is not None:
            return found
    return None


NETWORK = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "glusterfs",
        "lustre", "ncpfs", "nfs", "nfs4", "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
    }
)  # fmt: skip
"""File systems that another machine serves: their locks and their order of writes are not to be relied on."""

VOLATILE = frozenset({"ramfs", "tmpfs"})
"""File systems in memory: what lies there goes with the power."""
