"""A unix socket of the other machine, reached through the connection: no process is started over there.

paramiko opens the channels of RFC 4254 only; this one is OpenSSH's own (PROTOCOL, section 2.4).
"""

# ruff: noqa: SLF001
# It offers no other way to open a channel of a further kind.

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cockpit.adapters.ssh.sessions import send_all
from cockpit.errors import LinkDown, Malformed, TimedOut
from cockpit.words import _

if TYPE_CHECKING:
    from paramiko import Channel, Transport

_KIND = "direct-streamlocal@openssh.com"
_BLOCK_BYTES = 1 << 17
_LEAST_S = 0.05
_LOOK_S = 0.1


def exchanged(channel: Channel, request: bytes, whole: Callable[[bytearray], bool], until_s: float, most: int) -> bytes:
    """What is answered to the request, once it is `whole` or the other side has ended it.

    Raises:
        TimedOut, LinkDown, Malformed: it was not, and why.
    """
    said = bytearray()
    try:
        channel.settimeout(max(_LEAST_S, until_s - time.monotonic()))
        send_all(channel, request)
        while not whole(said):
            channel.settimeout(max(_LEAST_S, until_s - time.monotonic()))
            piece = channel.recv(_BLOCK_BYTES)
            if not piece:
                break
            said += piece
            if len(said) > most:
                raise Malformed(_("the answer is too large"))
    except TimeoutError as error:
        raise TimedOut(_("it took too long"), mend=_("look at the machine's load")) from error
    except (OSError, EOFError) as error:
        raise LinkDown(_("the connection ended")) from error
    return bytes(said)


def socket_channel(transport: Transport, path: str, timeout_s: float) -> Channel:
    """A channel to that socket.

    Raises:
        paramiko.ChannelException: the server can't or won't reach it. Other errors of paramiko: the connection broke.
    """
    import paramiko
    from paramiko.channel import Channel

    channel, event = _announced(transport, path, Channel)
    deadline_s = time.monotonic() + timeout_s
    while not event.wait(_LOOK_S):
        if not transport.is_active() or time.monotonic() > deadline_s:
            raise paramiko.SSHException("no answer")
    number = channel.get_id()
    inner: Any = transport
    if inner._channels.get(number) is None:
        raise transport.get_exception() or paramiko.ChannelException(2, "refused")
    return channel


def _announced(transport: Transport, path: str, kind: type[Channel]) -> tuple[Channel, threading.Event]:
    """The channel, asked for; the event comes when there is an answer. As in paramiko's Transport.open_channel."""
    from paramiko.common import cMSG_CHANNEL_OPEN
    from paramiko.message import Message

    inner: Any = transport
    with transport.lock:
        window, packet = transport.default_window_size, transport.default_max_packet_size
        number = inner._next_channel()
        channel: Any = kind(number)
        inner._channels.put(number, channel)
        transport.channel_events[number] = event = threading.Event()
        transport.channels_seen[number] = True
        channel._set_transport(transport)
        channel._set_window(window, packet)
    asked = Message()
    asked.add_byte(cMSG_CHANNEL_OPEN)
    asked.add_string(_KIND)
    for size in (number, window, packet):
        asked.add_int(size)
    asked.add_string(path)
    asked.add_string("")
    asked.add_int(0)
    inner._send_user_message(asked)
    return channel, event
