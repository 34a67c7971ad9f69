"""Client libraries: each comes with an extra of our distribution, for those who need it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cockpit.errors import ToolMissing
from cockpit.words import _


@contextmanager
def needing(package: str, extra: str) -> Iterator[None]:
    """Around imports of a client library: one that fails tells how to install it.

    Raises:
        ToolMissing: the package is not there.
    """
    try:
        yield
    except ImportError as error:
        raise ToolMissing(
            _("the Python package {name} is not installed").format(name=package),
            mend=f"pip install 'incident-cockpit[{extra}]'",
        ) from error
