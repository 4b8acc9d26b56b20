"""Errors of clusters, and how those of a worker come home: as data, since Ray would wrap them in a trace of its own."""

from __future__ import annotations

from collections.abc import Mapping

from viner import errors
from viner.errors import VinerError


class ClusterError(VinerError):
    """A cluster that cannot be reached, lacks something, or lost more than it can make up for."""

    code = "cluster_failed"


_KINDS: dict[str, type[VinerError]] = {
    kind.code: kind
    for kind in (
        errors.UsageError,
        errors.InputError,
        errors.FormatError,
        errors.SchemaError,
        errors.BundleError,
        ClusterError,
    )
}


def come_home(told: Mapping[str, str | None]) -> VinerError:
    """The error that :meth:`viner.errors.VinerError.to_dict` described elsewhere."""
    message = told["message"] or ""
    code = told["code"] or VinerError.code
    error = _KINDS.get(code, VinerError)(message, where=told["where"], hint=told["hint"])
    error.code = code
    return error
