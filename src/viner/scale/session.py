"""The connection to Ray: a cluster that is there, or one of this machine's own, quiet and closed to others."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from viner.errors import MissingExtraError, UsageError
from viner.runtime.engine import cores as own_cores
from viner.scale.errors import ClusterError

LOCAL = "local"
OBJECT_STORE = 256 << 20
"""Bytes of shared memory for what is under way within this machine, beside the model."""
STARTS = 3
"""Attempts to start Ray on a busy machine: it gives itself half a minute."""

# For every connection: Ray does not report its use to its makers, and neither warns of changes of its own, nor writes its own
# difficulties among the caller's output.
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
}
# For a cluster of this machine's own: loopback addresses only, as Ray does it on macOS and Windows; and since it is what
# somebody waits for, its workers are not put behind everything else.
_OWN = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_worker_niceness": "0"}


_LOOPBACK = re.compile(r"^(?:localhost|127\.0\.0\.1)(?=:)")


def ray_module() -> Any:
    """Ray, told to be quiet before it is imported.

    Raises:
        MissingExtraError: If it is not installed.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError:
        raise MissingExtraError("recognition on a cluster", "ray") from None
    return ray


class Session:
    """A connection to Ray that several share: a cluster that was started for one of them ends with the last one.

    Args:
        address: ``host:port`` of a cluster; "local" starts one on this machine; None takes the cluster that ``RAY_ADDRESS``
            names or that runs on this machine, and else starts one.
        cores: Cores for a cluster that is started here; None takes those that this process may use.
        model_bytes: Size of the model.

    Raises:
        ClusterError: If there is no cluster at the address.
        UsageError: If the address is one of Ray Client, which Ray Data does not support, or another one than this process is
            connected to.
    """

    _lock = threading.Lock()
    _own: ClassVar[str | None] = None
    """The cluster that was started here."""
    _users: ClassVar[set[Session]] = set()

    def __init__(self, address: str | None, cores: int | None, model_bytes: int) -> None:
        self._open = True
        with Session._lock:
            started = connect(address, cores, model_bytes)
            self._cluster = _cluster()
            if started:
                Session._own = self._cluster
                Session._users.clear()
            if Session._own == self._cluster:
                Session._users.add(self)

    def check(self) -> None:
        """Makes sure that the cluster is still there. Ray itself would start another one, which whoever is in the net can use.

        Raises:
            UsageError: If this was closed.
            ClusterError: If this process is connected to another cluster by now, or to none.
        """
        if not self._open:
            raise UsageError("this recognizer was closed", hint="Use it before close(), or within its with block")
        if not ray_module().is_initialized() or _cluster() != self._cluster:
            raise ClusterError("the connection to the cluster was ended", hint="Make a new RayRecognizer")

    def close(self) -> None:
        """Ends the cluster, if it was started here and nobody else uses it. May be called again."""
        with Session._lock:
            self._open = False
            Session._users.discard(self)
            if Session._users or Session._own != self._cluster:
                return
            Session._own = None
            if ray_module().is_initialized() and _cluster() == self._cluster:
                disconnect()


def _cluster() -> str:
    return str(ray_module().get_runtime_context().gcs_address)


def connect(address: str | None, cores: int | None, model_bytes: int) -> bool:
    """Connects to Ray, unless this process is connected already.

    Args:
        address: ``host:port`` of a cluster; "local" starts one on this machine; None takes the cluster that ``RAY_ADDRESS``
            names or that runs on this machine, and else starts one.
        cores: Cores for a cluster that is started here; None takes those that this process may use.
        model_bytes: Size of the model.

    Returns:
        Whether one was started here, which :func:`disconnect` is to end.

    Raises:
        ClusterError: If there is no cluster at the address.
        UsageError: If the address is one of Ray Client, which Ray Data does not support, or another one than this process is
            connected to.
    """
    ray = ray_module()
    named = address or os.environ.get("RAY_ADDRESS") or ""
    if named.startswith("ray://"):
        raise UsageError(
            "Ray Data does not run through a Ray client (ray://)",
            where=named if address else f"RAY_ADDRESS={named}",
            hint="Run viner on a machine of the cluster, and give its GCS address (host:6379) or auto",
        )
    if ray.is_initialized():
        here = ray.get_runtime_context().gcs_address
        if address is not None and ":" in address and _LOOPBACK.sub(here.partition(":")[0], address) != here:
            raise UsageError(
                f"this process is connected to another Ray cluster ({here})",
                where=address,
                hint="Leave the address out, or end that connection first: ray.shutdown()",
            )
        return False
    known = address or _announced(ray)
    if known is not None and known != LOCAL:
        try:
            _init(ray, address=known)
            return False
        except (ConnectionError, RuntimeError, ValueError) as error:
            if address is not None or os.environ.get("RAY_ADDRESS"):
                raise ClusterError(
                    f"no Ray cluster answers ({_first_line(error)})",
                    where=address or os.environ.get("RAY_ADDRESS"),
                    hint="Start one with: ray start --head; or leave the address out, for a cluster of this machine's own",
                ) from error
    _start(ray, cores or own_cores(), OBJECT_STORE + 2 * model_bytes)
    return True


def _announced(ray: Any) -> str | None:
    """The cluster that ``RAY_ADDRESS`` names, or that ``ray start`` left word of on this machine.

    Ray's own ``auto`` finds those, too, that a program started for itself, such as another run of viner: they end with it, and
    whoever has joined waits a quarter of an hour for what is gone.
    """
    address: str | None = os.environ.get("RAY_ADDRESS") or ray._private.utils.read_ray_address()
    return address or None


def disconnect() -> None:
    """Ends the cluster of this machine's own, and what runs on it."""
    ray_module().shutdown()


def failures() -> tuple[type[Exception], ...]:
    """What Ray raises when it cannot make up for what was lost."""
    from ray.data.exceptions import SystemException, UserCodeException
    from ray.exceptions import RayError

    return (RayError, SystemException, UserCodeException)


def _start(ray: Any, cores: int, object_store: int) -> None:
    for attempt in range(1, STARTS + 1):
        try:
            with _of_its_own(ray):
                _init(ray, address=LOCAL, num_cpus=cores, include_dashboard=False, object_store_memory=object_store)
            return
        except Exception as error:  # Ray has no class for it
            ray.shutdown()
            if attempt == STARTS or "timed out" not in str(error):
                raise ClusterError(
                    f"Ray does not start on this machine ({_first_line(error)})",
                    hint="It needs a processor that is not too busy, some 2 GB of memory, and room in /tmp and /dev/shm",
                ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _init(ray: Any, **options: Any) -> None:
    # Ray puts its own handler in the place of the process's.
    kept = signal.getsignal(signal.SIGTERM) if threading.current_thread() is threading.main_thread() else None
    try:
        with _silent_stderr():
            ray.init(logging_level=logging.CRITICAL, log_to_driver=False, **options)
    finally:
        if kept is not None:
            signal.signal(signal.SIGTERM, kept)
    # It would still print what happens to its processes, on stdout, where documents may go.
    ray._private.worker._worker_logs_enabled = False


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    """Drops what Ray's C++ side writes while it starts, such as that it was told to be silent. Exceptions are not affected."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextlib.contextmanager
def _of_its_own(ray: Any) -> Iterator[None]:
    constants = ray._private.ray_constants
    kept = {name: os.environ.get(name) for name in _OWN}, constants.ENABLE_RAY_CLUSTER
    os.environ.update(_OWN)
    constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        variables, constants.ENABLE_RAY_CLUSTER = kept
        for name, value in variables.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
