"""Which process is which, for the session's writers. The work is in `cockpit.runs.process`, below the adapters."""

from cockpit.runs.process import boot_id, is_same_process, process_start_time

__all__ = ["boot_id", "is_same_process", "process_start_time"]
