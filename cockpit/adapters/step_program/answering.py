"""The program behind `enquire`: a question a line comes in, and an answer a line goes out, in whatever order.

Each is asked in a thread of its own, so that what hangs holds up no other. It ends when nobody asks any more, whatever
hangs then.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import BinaryIO

import msgspec

from cockpit.adapters.step_program.__main__ import limit_memory
from cockpit.adapters.step_program.adapter import performed
from cockpit.adapters.step_program.enquiry import Answer, Trouble
from cockpit.errors import CockpitError
from cockpit.safety.text import sanitise
from cockpit.words import _, choose

_STACK_BYTES = 1 << 20


def main() -> None:
    """Answer until the questions end."""
    limit_memory()
    threading.stack_size(_STACK_BYTES)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    turn = threading.Lock()
    for line in sys.stdin.buffer:
        threading.Thread(target=_answer, args=(line, answers, turn), daemon=True).start()
    os._exit(0)


def _answer(line: bytes, answers: BinaryIO, turn: threading.Lock) -> None:
    number, _blank, question = line.partition(b" ")
    answer = _found(int(number), question)
    with turn:
        answers.write(msgspec.json.encode(answer) + b"\n")
        answers.flush()


def _found(number: int, question: bytes) -> Answer:
    try:
        adapter, task, words = performed(question)
        choose(words)
        return Answer(number=number, found=adapter.enforced(task))
    except CockpitError as error:
        trouble = Trouble(error.what, error.where, error.mend)
    except MemoryError:
        trouble = Trouble(_("the answer is too large to hold; ask for less"))
    except Exception as error:  # noqa: BLE001 - one clear line, whatever a library thought of
        trouble = Trouble(" ".join(sanitise(f"{type(error).__name__}: {error}").split()))
    return Answer(number=number, trouble=trouble)


if __name__ == "__main__":
    main()
