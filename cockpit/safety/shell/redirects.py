"""Where output goes and input comes from."""

from __future__ import annotations

import re

from cockpit.safety.shell.words import Word
from cockpit.safety.verdict import Judgement, destructive, mutating, reading, unknown
from cockpit.words import _

_NOWHERE = re.compile(r"/dev/(?:null|stdout|stderr|tty|fd/\d+)")
# Behind any other operator these are names of files.
_DESCRIPTOR = re.compile(r"\d+-?|-")
_NETWORK = re.compile(r"/dev/(?:tcp|udp)/.*")
_DEVICE = re.compile(r"/dev/(?:sd|hd|vd|xvd|nvme|disk|mem|kmem|dm-|mapper/|md).*|/proc/.*|/sys/.*")


def judge_redirect(operator: str, target: Word | None, *, silent: bool = False) -> Judgement:
    """The judgement of one redirection. `target` is None where there is none (`>&-`); `silent`: nothing is written."""
    if target is None:
        return reading()
    known = target.text if target.constant else None
    if operator in ("<", "<&"):
        return _judge_source(target)
    if operator not in (">", ">>", ">|", "&>", "&>>", ">&"):
        return unknown(_("the redirection {operator} is not judged").format(operator=operator))
    if known is not None and (_NOWHERE.fullmatch(known) or (operator == ">&" and _DESCRIPTOR.fullmatch(known))):
        return reading()
    if known is not None and _NETWORK.fullmatch(known):
        if silent:
            return reading("network-egress")
        return unknown(_("it writes to {target}").format(target=known), "network-egress")
    if known is not None and _DEVICE.fullmatch(known):
        return destructive(_("it writes to {target}").format(target=known), "local-write")
    return mutating(_("it writes to {target}").format(target=known or _("a file")), "local-write")


def _judge_source(target: Word) -> Judgement:
    if target.text.startswith("/dev/") and not _NOWHERE.fullmatch(target.text) and target.text != "/dev/urandom":
        if target.constant and _NETWORK.fullmatch(target.text):
            return reading("network-egress")
        return unknown(_("it reads from the device {target}").format(target=target.text))
    return reading()
