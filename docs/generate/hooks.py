"""Hooks of mkdocs: adds the generated pages to the site."""

from __future__ import annotations

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from docs.generate.commands import command_pages
from docs.generate.kinds import kind_pages
from docs.generate.tasks import task_pages


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Called by mkdocs at first: every task's page has its place in the navigation, below their list."""
    for section in config.nav or ():
        if isinstance(section, dict) and "Reference" in section:
            section["Reference"] = [_with_pages(entry) for entry in section["Reference"]]
    return config


def _with_pages(entry: dict[str, str]) -> dict[str, object]:
    if entry.get("Tasks") is None:
        return dict(entry)
    return {"Tasks": [entry["Tasks"], *sorted(path for path in task_pages() if path != entry["Tasks"])]}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Called by mkdocs once the files of ``docs/`` are known."""
    for path, text in {**kind_pages(), **task_pages(), **command_pages()}.items():
        files.append(File.generated(config, path, content=text))
    return files
