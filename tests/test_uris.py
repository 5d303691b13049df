from pathlib import Path

import pytest

from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.uris import load_registered, local_path, scheme_of


@pytest.mark.parametrize(
    ("uri", "scheme"), [("sqlite:a.db", "sqlite"), ("GS://b/p", "gs"), ("data/a:b", ""), ("/data", ""), ("a.db", "")]
)
def test_the_scheme_is_what_comes_before_the_colon(uri, scheme):
    assert scheme_of(uri) == scheme


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:data/objects", "{cwd}/data/objects"),
        ("data/objects", "{cwd}/data/objects"),
        ("data/100%25", "{cwd}/data/100%25"),
        ("file:/srv/a b", "/srv/a b"),
        ("file:///srv/a%20b", "/srv/a b"),
        ("file://localhost/srv/x", "/srv/x"),
        ("sqlite:////srv/audio.db", "/srv/audio.db"),
    ],
)
def test_a_path_is_relative_to_the_current_folder_or_absolute(tmp_path, monkeypatch, uri, path):
    monkeypatch.chdir(tmp_path)
    assert local_path(uri) == Path(path.format(cwd=tmp_path))


@pytest.mark.parametrize("uri", ["file://data/objects", "sqlite:", ""])
def test_what_names_no_path_is_refused(uri):
    with pytest.raises(ConfigurationError):
        local_path(uri)


def test_a_registered_class_is_imported_by_its_scheme():
    assert load_registered("pp:x", {"pp": "pathlib.Path"}, "NAME") is Path
    with pytest.raises(ConfigurationError, match=r"^NAME=qq:x: unknown scheme qq; use one of pp:"):
        load_registered("qq:x", {"pp": "pathlib.Path"}, "NAME")
