"""Plugins whose hooks raise, exit, answer nonsense, or do to the process what they should not."""

from __future__ import annotations

from tests.process.broken_plugins.broken import Broken

_SOURCE = "@hookimpl\ndef config_source(start): "
_DETAILS = "@hookimpl\ndef fetch_job_details(job): "
_TASKS = "@hookimpl\ndef get_runnable_tasks(job):\n    "
_CHDIR = "os.chdir('/')"


def _job(body: str, logged: str) -> Broken:
    return Broken(_TASKS + body, logged, has_job=True)


def _reporter(hook: str, body: str, logged: str) -> Broken:
    return Broken(f"@hookimpl\ndef {hook}(): {body}", logged)


IN_HOOKS = {
    "source_raises": Broken(_SOURCE + "raise OSError('no disk')", '"source_raises" raised OSError: no disk'),
    "source_exits": Broken(_SOURCE + "sys.exit(4)", '"source_exits" raised SystemExit: 4'),
    "source_interrupts": Broken(
        _SOURCE + "raise KeyboardInterrupt", '"source_interrupts" raised RuntimeError: KeyboardInterrupt'
    ),
    "source_is_nonsense": Broken(_SOURCE + "return 5", 'config_source of plugin "source_is_nonsense" returned a int'),
    "source_changes_the_folder": Broken(
        _SOURCE + _CHDIR, '"source_changes_the_folder" changed the working folder to /; it was put back'
    ),
    "details_raise": Broken(_DETAILS + "raise OSError('no vault')", 'plugin "details_raise": fetch_job_details failed'),
    "details_exit": Broken(_DETAILS + "sys.exit(4)", 'plugin "details_exit": fetch_job_details failed'),
    "details_interrupt": Broken(
        _DETAILS + "raise KeyboardInterrupt", 'plugin "details_interrupt": fetch_job_details failed'
    ),
    "details_change_the_folder": Broken(
        _DETAILS + _CHDIR, 'while plugin "details_change_the_folder" was called (fetch_job_details)'
    ),
    "details_are_nonsense": Broken(
        _DETAILS + "return 5", 'plugin "details_are_nonsense" supplied a int where a mapping is wanted'
    ),
    "details_recurse": Broken(
        _DETAILS + "return fetch_job_details(job)", 'plugin "details_recurse": fetch_job_details failed'
    ),
    "tasks_raise": _job("raise OSError('no table')", 'get_runnable_tasks of "tasks_raise" raised'),
    "tasks_exit": _job("sys.exit(4)", 'get_runnable_tasks of "tasks_exit" raised'),
    "tasks_interrupt": _job("raise KeyboardInterrupt", 'get_runnable_tasks of "tasks_interrupt" raised'),
    "tasks_are_nonsense": _job("return 5", 'get_runnable_tasks of "tasks_are_nonsense" raised'),
    "tasks_are_of_no_task": _job("return ['make']", 'get_runnable_tasks of "tasks_are_of_no_task" raised'),
    "tasks_break_off": _job(
        "yield Task(len, ((),))\n    raise OSError('gone')", 'get_runnable_tasks of "tasks_break_off" raised'
    ),
    "tasks_change_the_folder": _job(
        f"{_CHDIR}\n    return [Task(len, ((),))]",
        'was changed to "/" while plugin "tasks_change_the_folder" was called (get_runnable_tasks)',
    ),
    "start_raises": _reporter("task_started", "raise OSError('full')", 'plugin "start_raises": task_started raised'),
    "start_changes_a_handler": _reporter(
        "task_started",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        'plugin "start_changes_a_handler": task_started raised',
    ),
    "success_raises": _reporter("task_succeeded", "1 / 0", 'plugin "success_raises": task_succeeded raised'),
    "failure_raises": _reporter("task_failed", "sys.exit(4)", 'plugin "failure_raises": task_failed raised'),
    "change_raises": _reporter("job_changed", "1 / 0", 'plugin "change_raises": job_changed raised'),
    "change_interrupts": _reporter(
        "job_changed", "raise KeyboardInterrupt", 'plugin "change_interrupts": job_changed raised'
    ),
    "success_changes_the_folder": _reporter(
        "task_succeeded", _CHDIR, 'while plugin "success_changes_the_folder" was called (task_succeeded)'
    ),
    "prints_a_lot": _reporter(
        "task_started", "[print('noise ' * 100_000), 1 / 0]", 'plugin "prints_a_lot": task_started raised'
    ),
}
