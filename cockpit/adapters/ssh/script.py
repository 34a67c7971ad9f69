"""What is said to /bin/sh over there: start a step, follow it, end it. POSIX sh alone is needed; bash is used if there.

A step lives in a folder of its own in the operator's account, so that it needs no connection:

    script prelude launch env    what runs; env, which may hold secrets, is removed before the script begins
    pid output given report      the group it leads, what it says, what its shell had at first and tells at its end
    end                          "STATUS BEGAN ENDED" (seconds since the epoch); its being there says it is over
    ended-by                     "cancelled" or "timed-out", if it was asked to end

Making the folder is the one atomic act: a start that is sent twice, because a connection broke, runs once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from shlex import quote

from cockpit.runs.shell_state import prelude

_REPORT = 9
"""Some shells take descriptors of one digit only."""
_PLACE = "d=${XDG_STATE_HOME:-$HOME/.local/state}/incident-cockpit/steps/%s\n"

# One that is there already was made by an earlier start, or by a claim: this one comes too late.
# Every program that is started costs a millisecond or two of the step's time: what the shell can do itself it does.
_MAKE = """u=$(umask); umask 077
printf '%s begin\\n' {nonce}
[ -d "${{d%/*}}" ] || mkdir -p "${{d%/*}}" 2>/dev/null
mkdir "$d" 2>/dev/null || {{ [ -d "$d" ] || printf 'e folder %s\\n' "$d"; exit 0; }}
printf %s {script} >"$d/script"
printf %s {prelude} >"$d/prelude"
printf %s {env} >"$d/env"
printf %s {launch} >"$d/launch"
if command -v sha256sum >/dev/null 2>&1; then
  v=$(sha256sum <"$d/script")
  [ "${{v%% *}}" = {sha256} ] || {{ rm -rf "$d"; printf 'e bytes\\n'; exit 0; }}
fi
: >"$d/output"
"""

_RUN = """if command -v setsid >/dev/null 2>&1; then
  setsid /bin/sh "$d/launch" "$d" "$u" </dev/null >/dev/null 2>&1 &
else
  set -m; nohup /bin/sh "$d/launch" "$d" "$u" </dev/null >/dev/null 2>&1 & set +m
fi
"""

# `trap :` and not `trap ''`: what is ignored here would be ignored in the script as well.
_LAUNCH = """d=$1
trap : TERM INT HUP
began=$(date +%s)
finish() {{ printf '%s %s %s\\n' "$1" "$began" "$(date +%s)" >"$d/end.new"; mv "$d/end.new" "$d/end"; exit; }}
cd {cwd} || {{ rm -f "$d/env"; finish cwd; }}
printf '%s\\n' $$ >"$d/pid"
[ -f "$d/ended-by" ] && {{ rm -f "$d/env"; finish 143; }}
ulimit -c 0 2>/dev/null
rm=$(command -v rm)
shell=$(command -v bash)
(
  umask "$2"
  # From here on PATH may be another.
  . "$d/env"; "$rm" -f "$d/env"
  if [ -n "$shell" ]; then
    BASH_ENV=$d/prelude; export BASH_ENV
    exec "$shell" --noprofile --norc "$d/script" {report}>"$d/report" {output}
  fi
  exec /bin/sh "$d/script" {output}
)
finish $?
"""

# Run by bash before the script: what its environment was at first.
_GIVEN = """(umask 077; builtin declare -px >"${BASH_ENV%/*}/given")
"""

# `wc` may put blanks before the number, which the arithmetic takes away. The h is a sign of life: without a reader it
# ends this loop. A step that is over at once is noticed soon; later it is looked at less often.
_FOLLOW = """o={offset}; t=0; s=; p=
while :; do
  e=
  if [ -f "$d/end" ]; then e=1
  elif [ -n "$p" ] || {{ [ -f "$d/pid" ] && read -r p <"$d/pid"; }}; then
    kill -0 "$p" 2>/dev/null || [ -f "$d/end" ] || e=gone
  elif [ "$t" -gt 200 ]; then e=gone
  fi
  [ -f "$d/output" ] || {{ printf 'e vanished\\n'; exit 0; }}
  n=0; [ -s "$d/output" ] && n=$(wc -c <"$d/output") && n=$((n))
  while [ "$n" -gt "$o" ]; do
    k=$((n-o)); [ "$k" -gt 262144 ] && k=262144
    printf 'o %d\\n' "$k"
    if [ "$o" = 0 ]; then head -c "$k" <"$d/output"; else tail -c +$((o+1)) "$d/output" | head -c "$k"; fi
    o=$((o+k))
  done
  if [ "$e" = gone ]; then printf 'l\\n'; exit 0; fi
  if [ -n "$e" ]; then
    cd "$d" || {{ printf 'e vanished\\n'; exit 0; }}
    set -- $(wc -c given report)
    while [ $# -gt 1 ]; do
      case $2 in given|report) printf '%s %d\\n' "$2" "$1"; cat "$2";; esac
      shift 2
    done
    v=; w=; read -r v <end; [ -f ended-by ] && read -r w <ended-by
    printf 'x %s %s\\n' "$v" "$w"; exit 0
  fi
  [ -z "$s" ] && [ -n "$p" ] && s=1 && printf 's %s\\n' "$p"
  t=$((t+1)); [ $((t % 50)) = 0 ] && printf 'h\\n'
  if [ "$t" -gt 20 ]; then sleep 0.05 || sleep 1; else sleep 0.01 || sleep 1; fi 2>/dev/null
done
"""

# Its launcher may only be on its way: it looks for the mark once it has told its pid, so one of the two sees the other.
_CANCEL = """[ -f "$d/end" ] || [ -f "$d/ended-by" ] || printf {why} >"$d/ended-by"
i=0
while [ ! -s "$d/pid" ] && [ ! -f "$d/end" ] && [ "$i" -lt 50 ]; do sleep 0.1 2>/dev/null || sleep 1; i=$((i+1)); done
p=$(cat "$d/pid") || exit 0
kill -s TERM -- "-$p" 2>/dev/null
i=0
while [ ! -f "$d/end" ] && [ "$i" -lt {tenths} ]; do sleep 0.1 2>/dev/null || sleep 1; i=$((i+1)); done
others() {{ ps -A -o pid= -o pgid= 2>/dev/null | while read -r a b; do [ "$b" = "$p" ] && printf '%s ' "$a"; done; }}
[ -f "$d/end" ] && [ -z "$(others)" ] || kill -s KILL -- "-$p" 2>/dev/null
i=0
while [ -n "$(others)" ] && [ "$i" -lt 20 ]; do sleep 0.1 2>/dev/null || sleep 1; i=$((i+1)); done
[ -f "$d/end" ] || {{ printf '137 0 0\\n' >"$d/end.new"; mv "$d/end.new" "$d/end"; }}
printf 'survivors %s\\n' "$(others)"
"""


def start(name: str, nonce: str, body: str, *, environment: Mapping[str, str], cwd: str | None) -> bytes:
    """Start the step, and follow it. Never send it twice: see `claim`.

    Args:
        name: of its folder; letters, digits, dots and dashes.
        nonce: the word before which whatever a login shell prints is no word of ours.
        environment: laid over the far side's own.
        cwd: None for the home folder.
    """
    made = _made(name, nonce, body, environment, cwd, output='>>"$d/output" 2>&1')
    return (made + _RUN + _FOLLOW.format(offset=0)).encode("utf-8", "surrogateescape")


def prepare(name: str, nonce: str, body: str, *, environment: Mapping[str, str], cwd: str | None) -> bytes:
    """Make ready a step that `enter` runs. Says `ready`."""
    made = _made(name, nonce, body, environment, cwd, output="")
    return (made + "printf 'ready\\n'\n").encode("utf-8", "surrogateescape")


def enter(name: str) -> str:
    """The command that runs a prepared step on a terminal, for whatever shell its operator has there."""
    return "exec /bin/sh -c " + quote(_PLACE % name + 'exec /bin/sh "$d/launch" "$d" "$(umask)"')


def _made(name: str, nonce: str, body: str, environment: Mapping[str, str], cwd: str | None, *, output: str) -> str:
    encoded = body.encode("utf-8", "surrogateescape")
    return _PLACE % name + _MAKE.format(
        nonce=quote(nonce),
        script=quote(body),
        prelude=quote(_GIVEN + prelude(_REPORT).decode("ascii")),
        env=quote("".join(f"export {key}={quote(text)}\n" for key, text in environment.items())),
        launch=quote(_LAUNCH.format(cwd=quote(cwd) if cwd else '"$HOME"', report=_REPORT, output=output)),
        sha256=hashlib.sha256(encoded).hexdigest(),
    )


def follow(name: str, nonce: str, offset: int) -> bytes:
    """Follow a step that was started before, and start nothing."""
    missing = f"printf '%s begin\\n' {quote(nonce)}\n[ -d \"$d\" ] || {{ printf 'e vanished\\n'; exit 0; }}\n"
    return (_PLACE % name + missing + _FOLLOW.format(offset=offset)).encode("ascii")


def claim(name: str, nonce: str) -> bytes:
    """After a connection that broke before the step was heard of: follow it if it runs, else see that it never will.

    The start may still be on its way; it finds the folder made, and does nothing.
    """
    made = f"umask 077; printf '%s begin\\n' {quote(nonce)}\nmkdir -p \"${{d%/*}}\" 2>/dev/null\n"
    never = "if mkdir \"$d\" 2>/dev/null; then printf 'e never\\n'; exit 0; fi\n"
    return (_PLACE % name + made + never + _FOLLOW.format(offset=0)).encode("ascii")


def cancel(name: str, why: str, grace_s: float) -> bytes:
    """End the step's whole group: TERM, after the grace KILL. Says `survivors PID…`.

    Args:
        why: cancelled or timed-out.
    """
    return (_PLACE % name + _CANCEL.format(why=quote(why), tenths=int(grace_s * 10))).encode("ascii")


def forget(name: str) -> bytes:
    """Remove the step's folder, once all of it is on record here."""
    return (_PLACE % name + 'rm -rf -- "$d"\n').encode("ascii")
