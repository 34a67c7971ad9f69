"""The one tree of errors. Each says what went wrong, where, and how to mend it.

CockpitError
├── UsageError            exit 2: the command line or a value typed by a person
├── RunbookError          exit 2: a document that can't be read
├── ConfigError           exit 2: cockpit.toml or front matter that can't be read
├── PolicyRefusal         exit 3: safety or the mode says no
│   └── SecondPersonMissing  another person has to approve first
├── SessionError          exit 2: a session folder, its journal or its host
│   ├── FolderRefused     the state folder is unsafe (owner, mode, symlink)
│   ├── JournalError      the journal can't be read or written
│   ├── HostUnreachable   no host answers for the session
│   └── NotTheWriter      another host holds the session
└── AdapterError          exit 1: a system a step or probe talks to
    ├── ToolMissing       an executable or library is not on this machine
    ├── TargetUnreachable the network or the service did not answer
    │   └── LinkDown      the way to the machine is gone, which says nothing about what runs there
    │       └── NotTried  we have not looked for it, which says nothing about the machine either
    ├── AccessDenied      it answered, and refused the credentials
    │   └── FolderGone    the folder that earlier steps led to is gone, or closed
    ├── TimedOut          the deadline passed
    ├── Declined          it understood the request, and says no
    ├── AskedTooOften     it wants to be asked less often, which says nothing about what it knows
    ├── OutcomeUnknown    the connection broke while it was at it: it may be done, or not
    └── Malformed         it answered with something that can't be understood
"""

from __future__ import annotations


class CockpitError(Exception):
    """Something a person must be told.

    Args:
        what: one sentence, no full stop, no markup: the screen shows it as it is.
        where: the file and line, host, URL or key it is about; empty when `what` says so already.
        mend: the next thing to do; empty only when nothing can be done.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.mend = mend

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        return f"{line} ({self.mend})" if self.mend else line


class UsageError(CockpitError):
    """The command line, or a value that a person typed."""

    exit_code = 2


class RunbookError(CockpitError):
    """A document that can't be read at all."""

    exit_code = 2


class ConfigError(CockpitError):
    """cockpit.toml, or settings in front matter."""

    exit_code = 2


class PolicyRefusal(CockpitError):
    """Safety or the mode says no; nothing ran."""

    exit_code = 3


class SecondPersonMissing(PolicyRefusal):
    """All is well but that a second person has not approved it; they have been asked."""


class SessionError(CockpitError):
    """A session folder, its journal or its host."""

    exit_code = 2


class FolderRefused(SessionError):
    """The state folder belongs to somebody else, is a symlink, or is open to others."""


class JournalError(SessionError):
    """The journal can't be read or can't be written."""


class HostUnreachable(SessionError):
    """No host answers for the session."""


class NotTheWriter(SessionError):
    """Another host holds the session's lock."""


class AdapterError(CockpitError):
    """A system that a step or a probe talks to."""


class ToolMissing(AdapterError):
    """An executable or a library is not on this machine."""


class TargetUnreachable(AdapterError):
    """The network or the service did not answer."""


class LinkDown(TargetUnreachable):
    """The way to the machine is gone; of what runs there nothing is known."""


class NotTried(LinkDown):
    """The way was not looked for, for want of room or of its turn here: of the machine nothing is known."""


class AccessDenied(AdapterError):
    """It answered, and refused the credentials."""


class FolderGone(AccessDenied):
    """The folder that earlier steps led to is gone, or closed; a fresh shell begins elsewhere."""


class TimedOut(AdapterError):
    """The deadline passed first."""


class Declined(AdapterError):
    """It understood the request, and says no: a mistake in a query, a missing table, a conflict."""


class AskedTooOften(AdapterError):
    """It answered that it is asked too often; of what runs there nothing is known."""


class OutcomeUnknown(AdapterError):
    """The connection broke after something was asked for that changes things: it may be done, or not."""


class Malformed(AdapterError):
    """It answered with something that can't be understood."""
