"""The outside judge of recorded days."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def evaluator(instances_folder: Path) -> ModuleType:
    """The recorded problem's own judge."""
    spec = importlib.util.spec_from_file_location(
        "evaluate", instances_folder.parent / "evaluate.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
