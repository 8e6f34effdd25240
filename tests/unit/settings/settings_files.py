"""What the tests of this folder share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from supervisor.model.home import Home
from supervisor.model.service import Spec
from supervisor.settings import api
from supervisor.settings.document import Document, parse
from supervisor.settings.findings import Finding


class SettingsFiles:
    """A home with nothing in it but what a test writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.home = Home(str(path))
        for name in ("etc", "plugins"):
            (path / name).mkdir(parents=True)

    def write(self, name: str, content: str | bytes | dict[str, Any]) -> Path:
        if isinstance(content, dict):
            content = json.dumps(content, indent=2)
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def settings(self, content: str | bytes | dict[str, Any]) -> Path:
        return self.write("etc/sbctl.yaml", content)

    def scheduler(self, content: str | bytes | dict[str, Any]) -> Path:
        return self.write("etc/scheduler.json", content)

    def manifest(self, name: str, content: str | bytes | dict[str, Any]) -> Path:
        return self.write(f"plugins/{name}/manifest.json", content)

    def server(self, name: str = "web", **keys: Any) -> Path:
        """A plugin with a server that can be started on any machine."""
        return self.manifest(name, {"id": name, "commands": {"server": "/bin/sh server.sh"}, **keys})

    def check(self) -> list[Finding]:
        return api.check(self.home)

    def lines(self) -> list[str]:
        return [finding.headline() for finding in self.check()]

    def document(self, role: str = "start") -> dict[str, Any]:
        preview = api.preview(self.home)
        assert preview.documents, [finding.headline() for finding in preview.findings]
        return preview.documents[role]

    def spec(self, name: str = "web") -> Spec:
        services = [*self.document("start")["services"], *self.document("scheduler")["services"]]
        return Spec.from_dict(next(service for service in services if service["name"] == name))

    def snapshot(self) -> dict[str, bytes]:
        """All that was compiled, byte for byte."""
        folder = Path(self.home.revisions)
        return {str(path): path.read_bytes() for path in sorted(folder.rglob("*.json"))}


def parsed(text: str | bytes, kind: str) -> Document:
    document = Document(f"file.{kind}", kind)
    parse(document, text if isinstance(text, bytes) else text.encode())
    return document


def said(document: Document) -> list[str]:
    return [finding.headline() for finding in document.findings]
