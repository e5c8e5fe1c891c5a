from ujr_core.testing import ReporterContract


class TestDiary(ReporterContract):
    plugin = "ujr_plugin_diary:Diary"
    settings = {"file": "/dev/null"}
