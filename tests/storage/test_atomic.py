from audiocrawler.storage.local import link


def test_linking_the_same_file_twice_leaves_no_third_name(tmp_path):
    path, target = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"x")
    assert link(path, target)
    assert link(path, target)
    assert sorted(tmp_path.iterdir()) == [path, target]


def test_linking_replaces_another_file(tmp_path):
    path, target = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"new")
    target.write_bytes(b"old")
    assert link(path, target)
    assert target.read_bytes() == b"new"
