"""A store in memory, which does what a tracking store must."""

from __future__ import annotations

from probatum._errors import TrackingError


class Memory:
    """A store in memory that counts what it is sent."""

    def __init__(self) -> None:
        self.runs: dict[str, dict] = {}
        self.refuses: set[str] = set()
        self.breaks_after = 10**9  # points

    def experiment(self, name):
        return name

    def find(self, experiment, key):
        for run_id, run in self.runs.items():
            if (run["experiment"], run["key"]) == (experiment, key):
                return run_id, run["deleted"]
        return None

    def create(self, experiment, key, name, start_ms, tags):
        if name in self.refuses:
            raise TrackingError("no room")
        run_id = f"id{len(self.runs)}"
        self.runs[run_id] = {
            "experiment": experiment, "key": key, "name": name, "parameters": {}, "tags": dict(tags),
            "points": [], "files": [], "status": "running", "deleted": False,
        }  # fmt: skip
        return run_id

    def send(self, run_id, parameters, tags, series, names, *, is_new):
        new = [(name, *point) for name, points in series.items() for point in points]
        if len(new) > self.breaks_after:
            raise TrackingError("cut")
        run = self.runs[run_id]
        run["parameters"].update(parameters)
        run["tags"].update(tags)
        run["points"] += new

    def send_artifact(self, run_id, artifact):
        self.runs[run_id]["files"].append(artifact.name)

    def end(self, run_id, status, end_ms):
        self.runs[run_id]["status"] = status

    def replace(self, run_id, successor):
        self.runs[run_id]["deleted"] = True

    @property
    def active(self):
        return [run for run in self.runs.values() if not run["deleted"]]
