"""Plugins that break, or change the process, while they are imported or constructed."""

from __future__ import annotations

from tests.process.broken_plugins.broken import Broken, unloaded


def _changed(body: str, what: str) -> Broken:
    return Broken(body, logged=what, listed=what)


AT_IMPORT = {
    "imports_nothing_there": unloaded(
        "import no_such_module",
        "plugin \"imports_nothing_there\" was not loaded: ModuleNotFoundError: No module named 'no_such_module'",
    ),
    "is_no_python": unloaded("def (:", 'plugin "is_no_python" was not loaded: SyntaxError: '),
    "exits": unloaded("sys.exit(3)", 'plugin "exits" was not loaded: SystemExit: 3'),
    "raises_its_own_base": unloaded(
        "class Mine(BaseException): pass\nraise Mine",
        'plugin "raises_its_own_base" was not loaded: raises_its_own_base.Mine',
    ),
    "recurses": unloaded(
        "def down(): down()\ndown()",
        'plugin "recurses" was not loaded: RecursionError: maximum recursion depth exceeded',
    ),
    "is_no_constructor": unloaded(
        "class Plugin:\n    def __init__(self): raise ValueError('no licence')",
        'plugin "is_no_constructor:Plugin" was not loaded: its class could not be constructed: ValueError: no licence',
        target="is_no_constructor:Plugin",
    ),
    "has_no_settings_of_attrs": unloaded(
        "class Plugin:\n    class Settings: pass\n    def __init__(self, settings): pass",
        'the Settings of plugin "has_no_settings_of_attrs:Plugin" is no attrs class',
        target="has_no_settings_of_attrs:Plugin",
    ),
    "changes_the_folder": _changed(
        "os.chdir('/')", 'plugin "changes_the_folder" changed the working folder to /; it was put back'
    ),
    "changes_the_handlers": _changed(
        "for number in (signal.SIGTERM, signal.SIGINT): signal.signal(number, signal.SIG_IGN)",
        'plugin "changes_the_handlers" changed the handler of SIGINT, and the handler of SIGTERM; both were put back',
    ),
}
