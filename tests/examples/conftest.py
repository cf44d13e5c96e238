"""The grocer's year, made ready once for all who ask; skipped, saying so, where the data is not installed."""

import importlib.util

import pytest

from onevoice.demo.prepare import prepare
from onevoice.demo.tables import PACKAGE


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    if importlib.util.find_spec(PACKAGE) is None:
        pytest.skip(f"{PACKAGE} is not installed: pip install 'onevoice[demo]'")
    return prepare(tmp_path_factory.mktemp("grocer"))
