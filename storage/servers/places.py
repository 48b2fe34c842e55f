"""Which folders the servers use, and how their account reaches them with no mode widened."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from storage.servers.account import Account, unreachable
from storage.servers.binaries import Programs
from storage.servers.errors import ServersError
from storage.servers.lock import claimed
from storage.settings import DataSettings

_POINTER = "elsewhere"
_ORIGIN = "belongs-to"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """`folder` is the operator's data folder; `state`, often the same, is where servers work."""

    folder: Path
    state: Path
    elsewhere: Path
    account: Account

    def work_folder(self, name: str) -> Path:
        """A folder of the account's own inside `state`, made if it is not there.

        Raises:
            ServersError: it belongs to somebody else, so that the server could not use it.
        """
        return own_folder(self.state / name, self.account, setting="data.folder")

    def log(self, name: str) -> Path:
        make_folder(self.folder / "logs", 0o700)
        return self.folder / "logs" / f"{name}.log"

    def password(self, name: str) -> str | None:
        return kept_password(self.folder, name)

    def keep_password(self, name: str, password: str) -> None:
        make_folder(self.folder / "secrets", 0o700)
        write_private(self.folder / "secrets" / name, f"{password}\n")

    def reachable(self, programs: Programs) -> Path:
        """The program's path if the account can run it, else that of its twin in a copy.

        The copy belongs to root and is shared by all data folders of this machine.
        """
        program = programs.path
        if not unreachable(self.account, [program]):
            return program
        seen = program.stat()
        key = f"{program}:{seen.st_size}:{seen.st_mtime_ns}"
        copies = self.elsewhere / "programs"
        copy = copies / f"{program.name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
        if not copy.is_dir():
            make_folder(copies, 0o755)
            fresh = copies / f".{secrets.token_hex(6)}"
            for part in programs.parts:
                _copy(programs.root / part, fresh / part)
            try:
                fresh.rename(copy)
            except OSError:
                shutil.rmtree(fresh)
        if copies.stat().st_uid != os.geteuid() or copies.stat().st_mode & 0o022:
            raise ServersError(
                f"others may write to {copies}, so the programs in it are not to be trusted."
            )
        twin = copy / program.relative_to(programs.root)
        if unreachable(self.account, [twin]):
            raise ServersError(
                f"the account {self.account.name} can run neither {program} nor its copy {twin}; "
                "set data.elsewhere to a folder that it can enter."
            )
        return twin


@contextmanager
def claimed_places(data: DataSettings, account: Account) -> Iterator[Places]:
    """Claim the data folder, made if needed, and decide where the servers' files go.

    Raises:
        FolderInUseError: another process has claimed it.
        ServersError: no place was found that the account can reach.
    """
    folder = data.folder.absolute()
    make_folder(folder, 0o711 if account.drops else 0o700)
    with ExitStack() as stack:
        stack.enter_context(claimed(folder))
        state = _state_folder(folder, data.elsewhere.absolute(), account)
        if state != folder:
            stack.enter_context(claimed(state))
        yield Places(
            folder=folder, state=state, elsewhere=data.elsewhere.absolute(), account=account
        )


def kept_password(folder: Path, name: str) -> str | None:
    """The password kept for `name` in this data folder, or None if there is none yet.

    Raises:
        ServersError: the folder's passwords belong to somebody else.
    """
    path = folder / "secrets" / name
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ServersError(f"cannot read {path}: {error.strerror}.") from error


def state_of(folder: Path) -> Path:
    """Where the servers of this data folder work: in it, or where its pointer says."""
    try:
        return Path((folder / _POINTER).read_text().strip())
    except OSError:
        return folder


def _state_folder(folder: Path, elsewhere: Path, account: Account) -> Path:
    state = state_of(folder)
    if state == folder and unreachable(account, [folder]):
        if (folder / "postgres").exists() or (folder / "valkey").exists():
            raise ServersError(
                f"the data is in {folder}, which the account {account.name} can no longer enter; "
                "let it enter again, or start as the user who made it."
            )
        state = elsewhere / f"{folder.parent.name or 'root'}-{secrets.token_hex(4)}"
        write_private(folder / _POINTER, f"{state}\n")
    if state != folder:
        make_folder(state, 0o711)
        write_private(state / _ORIGIN, f"{folder}\n")
    if unreachable(account, [state]):
        raise ServersError(
            f"the account {account.name} can enter neither {folder} nor {state}; choose a data "
            "folder that it can enter, or set data.elsewhere to one."
        )
    return state


def forsaken(elsewhere: Path) -> Iterator[tuple[Path, Path]]:
    """Folders there whose data folder is gone or uses another one now, each with that folder."""
    for origin in elsewhere.glob(f"*/{_ORIGIN}"):
        try:
            folder = Path(origin.read_text().strip())
        except OSError:
            continue
        if state_of(folder) != origin.parent:
            yield origin.parent, folder


def own_folder(path: Path, account: Account, *, setting: str) -> Path:
    """The folder, of the account's own, made if it is not there.

    Raises:
        ServersError: it belongs to somebody else, so that the server could not use it.
    """
    if make_folder(path, 0o700) and account.drops:
        os.chown(path, account.uid, account.gid)
    if path.stat().st_uid != account.uid:
        raise ServersError(
            f"{path} belongs to user {path.stat().st_uid}, but the servers run as "
            f"{account.name}. Start as the same user as before, or choose another folder with the "
            f"setting {setting}."
        )
    return path


def make_folder(path: Path, mode: int) -> bool:
    """Make `path` with this mode and say whether it was made; one that exists keeps its own mode.

    Missing parents of it are made to be entered but not listed by others.
    """
    if path.is_dir():
        return False
    if not path.parent.is_dir():
        make_folder(path.parent, 0o711)
    try:
        path.mkdir()
    except FileExistsError:
        if path.is_dir():
            return False
        raise ServersError(f"{path} is in the way: a folder is needed there.") from None
    except OSError as error:
        raise ServersError(f"cannot make the folder {path}: {error.strerror}.") from error
    path.chmod(mode)
    return True


def write_private(path: Path, text: str, account: Account | None = None) -> None:
    """Replace a file at once with one that only its owner may read."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    opened = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w") as file:
        file.write(text)
        if account is not None and account.drops:
            os.fchown(opened, account.uid, account.gid)
    fresh.replace(path)


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a tree so that everybody may read it, and run what its owner may run."""
    make_folder(target.parent, 0o755)
    if not source.is_dir():
        shutil.copyfile(source, target)
        target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
        return
    make_folder(target, 0o755)
    for entry in source.iterdir():
        if entry.is_symlink():
            (target / entry.name).symlink_to(entry.readlink())
        else:
            _copy(entry, target / entry.name)
