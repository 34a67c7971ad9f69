"""What is said to /bin/sh over there: start a step, follow it, end it. POSIX sh alone is needed; bash is used if there.

A step lives in a folder of its own in the operator's account, so that it needs no connection:

    script prelude launch env    what runs; env, which may hold secrets, is removed before the script begins
    pid output given report      the group it leads, what it says, what its shell had at first and tells at its end
    marks                        "START LENGTH" for each stretch of the output that came by standard error
    end                          "STATUS BEGAN ENDED" (seconds since the epoch); its being there says it is over
    reserve full                 room for the last words where the disk fills up meanwhile, and a note that it did
    ended-by                     "cancelled" or "timed-out", if it was asked to end
    who                          "BOOT START" of the process `pid`, where /proc tells: its number may become another's

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
for t in mkdir rm mv cat wc head tail date sleep; do
  command -v "$t" >/dev/null 2>&1 || {{ printf 'e tools %s %s\\n' "$t" "$PATH"; exit 0; }}
done
[ -d "${{d%/*}}" ] || mkdir -p "${{d%/*}}" 2>/dev/null
mkdir "$d" 2>/dev/null || {{ [ -d "$d" ] || printf 'e folder %s\\n' "$d"; exit 0; }}
{{ printf %s {script} >"$d/script" && printf %s {prelude} >"$d/prelude" && printf %s {env} >"$d/env" &&
  printf %s {launch} >"$d/launch" && printf '%16384s' '' >"$d/reserve"
}} || {{ rm -rf "$d"; printf 'e folder %s\\n' "$d"; exit 0; }}
if command -v sha256sum >/dev/null 2>&1; then
  v=$(sha256sum <"$d/script")
  [ "${{v%% *}}" = {sha256} ] || {{ rm -rf "$d"; printf 'e bytes\\n'; exit 0; }}
fi
: >"$d/output"; : >"$d/marks"
"""

_RUN = """if command -v setsid >/dev/null 2>&1; then
  setsid /bin/sh "$d/launch" "$d" "$u" </dev/null >/dev/null 2>&1 &
else
  set -m; nohup /bin/sh "$d/launch" "$d" "$u" </dev/null >/dev/null 2>&1 & set +m
fi
"""

# What comes by standard error goes into the same file, so that the order is true, and what of it that was is noted. The
# script waits until this is ready: what it says at once would come late. It
# goes on reading for whoever the script left behind: to have them killed by a pipe that is gone was not asked for.
_ERRORS = r"""
$SIG{$_} = "IGNORE" for qw(TERM INT HUP);
open(my $o, ">>", "$ARGV[0]/output"); open(my $m, ">>", "$ARGV[0]/marks");
open(my $r, ">", "$ARGV[0]/ready"); close($r);
my $in = ""; vec($in, 0, 1) = 1; my $full = 0;
for (;;) {
  my $over = -e "$ARGV[0]/code";
  my $ready = select(my $some = $in, undef, undef, $over ? 0 : 0.1);
  last if $over && !$ready;
  next if $ready < 1;
  my $n = sysread(STDIN, my $b, 65536);
  next unless defined $n;
  exit unless $n;
  for (my $w = 0; $w < $n && !$full;) {
    my $k = syswrite($o, $b, $n - $w, $w);
    unless ($k) { $full = 1; open(my $f, ">", "$ARGV[0]/full"); last; }
    syswrite($m, sprintf("%d %d\n", sysseek($o, 0, 1) - $k, $k)); $w += $k;
  }
}
exit if fork; setpgrp(0, 0);
1 while sysread(STDIN, my $b, 65536);
"""

# Whether the process of that number is the one that is noted, or was, and nobody else's: where the machine went down
# meanwhile, g says so. A number that still names a group is given to no new process, so one that is not there is ours.
_OURS = """g=; b=-; [ -r /proc/sys/kernel/random/boot_id ] && read -r b </proc/sys/kernel/random/boot_id
began() {
  s_=-; if [ -r "/proc/$1/stat" ]; then read -r s_ <"/proc/$1/stat"; set -- ${s_##*') '}; s_=${20:--}; fi
}
ours() {
  [ -f "$d/who" ] && read -r b_ t_ <"$d/who" || return 0
  [ "$b_" = "$b" ] || { g=rebooted; return 1; }
  began "$1"; [ "$s_" = - ] || [ "$s_" = "$t_" ]
}
"""

# `trap :` and not `trap ''`: what is ignored here would be ignored in the script as well.
_LAUNCH = """d=$1 u=$2
trap : TERM INT HUP
began=$(date +%s)
put() {{
  printf '%s\\n' "$2" >"$d/$1" || {{ : >"$d/full"; rm -f "$d/reserve"; printf '%s\\n' "$2" >"$d/$1"; }}
}} 2>/dev/null
finish() {{ put end.new "$1 $began $(date +%s)"; mv "$d/end.new" "$d/end"; exit; }}
cd {cwd} || {{ rm -f "$d/env"; finish cwd; }}
{ours}
began $$; printf '%s %s\\n' "$b" "$s_" >"$d/who"
printf '%s\\n' $$ >"$d/pid"
[ -f "$d/ended-by" ] && {{ rm -f "$d/env"; finish 143; }}
ulimit -c 0 2>/dev/null
rm=$(command -v rm)
shell=$(command -v bash)
# Before the operator's umask, which may take it from us.
: >"$d/report"
run() (
  umask "$u"
  # From here on PATH may be another.
  . "$d/env"; "$rm" -f "$d/env"
  # In here: a shell that waits outside would say "Terminated" into it.
  {output}
  if [ -n "$shell" ]; then
    BASH_ENV=$d/prelude; export BASH_ENV
    exec "$shell" --noprofile --norc "$d/script" {report}>"$d/report"
  fi
  exec /bin/sh "$d/script"
)
{followed}
"""

_ON_TERMINAL = ":", "run; finish $?"
_APART = 'if [ -n "$perl" ]; then exec 2>&1 >>"$d/output"; else exec >>"$d/output" 2>&1; fi'
_INTO_FILES = """perl=$(command -v perl) || {{ run; finish $?; }}
{{
  trap : TERM INT HUP; i=0
  while [ ! -f "$d/ready" ] && [ "$i" -lt 250 ]; do sleep 0.001 || sleep 1; i=$((i+1)); done
  run; put code "$?"
}} | "$perl" -e {errors} "$d"
code=143; read -r code <"$d/code"
finish "$code"
"""

# Run by bash before the script: what its environment was at first.
_GIVEN = """(umask 077; builtin declare -px >"${BASH_ENV%/*}/given")
"""

# `wc` may put blanks before the number, which the arithmetic takes away. The h is a sign of life: without a reader it
# ends this loop. A step that is over at once is noticed soon; later it is looked at less often. What is new is told one
# turn later, when it is noted whether it came by standard error. Who else follows the step may remove it in between.
_FOLLOW = """cd "$d" || {{ printf 'e vanished\\n'; exit 0; }}
o={offset}; m={marks}; t=0; s=; p=; l=0
while :; do
  e=
  if [ -f end ]; then e=1
  elif [ -n "$p" ] || {{ [ -f pid ] && read -r p <pid && {{ ours "$p" || p=none; }}; }}; then
    kill -0 "$p" 2>/dev/null || [ -f end ] || e=gone
  elif [ "$t" -gt 200 ]; then e=gone
  fi
  [ -f output ] || {{ printf 'e vanished\\n'; exit 0; }}
  n=0; a=0
  if [ -s output ]; then set -- $(wc -c output marks); n=$(($1)); [ "$4" = marks ] && a=$(($3)); fi
  if [ "$a" -gt "$m" ]; then
    k=$((a-m)); printf 'm %d\\n' "$k"; tail -c +$((m+1)) marks | head -c "$k"; m=$a
  fi
  [ -n "$e" ] && l=$n
  while [ "$l" -gt "$o" ]; do
    k=$((l-o)); [ "$k" -gt 262144 ] && k=262144
    printf 'o %d\\n' "$k"
    if [ "$o" = 0 ]; then head -c "$k" <output; else tail -c +$((o+1)) output | head -c "$k"; fi
    o=$((o+k))
  done
  l=$n
  if [ "$e" = gone ]; then printf 'l %s\\n' "$g"; exit 0; fi
  if [ -n "$e" ]; then
    set -- $(wc -c given report)
    while [ $# -gt 1 ]; do
      case $2 in given|report) printf '%s %d\\n' "$2" "$1"; cat "$2" 2>/dev/null || head -c "$1" /dev/zero;; esac
      shift 2
    done
    [ -f end ] || {{ printf 'e vanished\\n'; exit 0; }}
    [ -f full ] && printf 'f\\n'
    v=; w=; read -r v <end; [ -f ended-by ] && read -r w <ended-by
    printf 'x %s %s\\n' "$v" "$w"; exit 0
  fi
  [ -z "$s" ] && [ -n "$p" ] && s=1 && printf 's %s\\n' "$p"
  t=$((t+1)); [ $((t % 20)) = 0 ] && printf 'h\\n'
  z=0.05; [ "$t" -gt 40 ] || z=0.01; [ "$t" -gt 20 ] || z=0.002
  sleep "$z" 2>/dev/null || sleep 1
done
"""

# Its launcher may only be on its way: it looks for the mark once it has told its pid, so one of the two sees the other.
_CANCEL = """[ -f "$d/end" ] || [ -f "$d/ended-by" ] || printf {why} >"$d/ended-by"
i=0
while [ ! -s "$d/pid" ] && [ ! -f "$d/end" ] && [ "$i" -lt 50 ]; do sleep 0.1 2>/dev/null || sleep 1; i=$((i+1)); done
p=$(cat "$d/pid") || exit 0
ours "$p" || exit 0
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
    followed = _APART, _INTO_FILES.format(errors=quote(_ERRORS))
    made = _made(name, nonce, body, environment, cwd, followed)
    return (made + _RUN + _OURS + _FOLLOW.format(offset=0, marks=0)).encode("utf-8", "surrogateescape")


def prepare(name: str, nonce: str, body: str, *, environment: Mapping[str, str], cwd: str | None) -> bytes:
    """Make ready a step that `enter` runs. Says `ready`."""
    made = _made(name, nonce, body, environment, cwd, _ON_TERMINAL)
    return (made + "printf 'ready\\n'\n").encode("utf-8", "surrogateescape")


def enter(name: str) -> str:
    """The command that runs a prepared step on a terminal, for whatever shell its operator has there.

    One line: csh takes no quotes over several.
    """
    return "exec /bin/sh -c " + quote((_PLACE % name).strip() + '; exec /bin/sh "$d/launch" "$d" "$(umask)"')


def _made(
    name: str, nonce: str, body: str, environment: Mapping[str, str], cwd: str | None, followed: tuple[str, str]
) -> str:
    encoded = body.encode("utf-8", "surrogateescape")
    return _PLACE % name + _MAKE.format(
        nonce=quote(nonce),
        script=quote(body),
        prelude=quote(_GIVEN + prelude(_REPORT).decode("ascii")),
        env=quote("".join(f"export {key}={quote(text)}\n" for key, text in environment.items())),
        launch=quote(
            _LAUNCH.format(
                cwd=quote(cwd) if cwd else '"$HOME"',
                report=_REPORT,
                output=followed[0],
                followed=followed[1],
                ours=_OURS,
            )
        ),
        sha256=hashlib.sha256(encoded).hexdigest(),
    )


def follow(name: str, nonce: str, offset: int, marks: int) -> bytes:
    """Follow a step that was started before, and start nothing: from that byte of its output, and of its marks."""
    missing = f"printf '%s begin\\n' {quote(nonce)}\n[ -d \"$d\" ] || {{ printf 'e vanished\\n'; exit 0; }}\n"
    return (_PLACE % name + missing + _OURS + _FOLLOW.format(offset=offset, marks=marks)).encode("ascii")


def claim(name: str, nonce: str) -> bytes:
    """After a connection that broke before the step was heard of: follow it if it runs, else see that it never will.

    The start may still be on its way; it finds the folder made, and does nothing.
    """
    made = f"umask 077; printf '%s begin\\n' {quote(nonce)}\nmkdir -p \"${{d%/*}}\" 2>/dev/null\n"
    never = "if mkdir \"$d\" 2>/dev/null; then printf 'e never\\n'; exit 0; fi\n"
    return (_PLACE % name + made + never + _OURS + _FOLLOW.format(offset=0, marks=0)).encode("ascii")


def cancel(name: str, why: str, grace_s: float) -> bytes:
    """End the step's whole group: TERM, after the grace KILL. Says `survivors PID…`.

    Args:
        why: cancelled or timed-out.
    """
    return (_PLACE % name + _OURS + _CANCEL.format(why=quote(why), tenths=int(grace_s * 10))).encode("ascii")


def forget(name: str) -> bytes:
    """Remove the step's folder, once all of it is on record here."""
    return (_PLACE % name + 'rm -rf -- "$d"\n').encode("ascii")


def usual_place(name: str) -> str:
    """Where a step's folder is there, for whoever has to look for it by hand."""
    return f"~/.local/state/incident-cockpit/steps/{name}"
