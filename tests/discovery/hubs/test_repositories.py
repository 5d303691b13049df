"""Code and data repositories: Hugging Face, GitHub, GitLab."""

from tests.discovery.hubs.answers import asked_for, followed, in_json, in_page, licences, next_pages, taken

HF = "https://huggingface.co/api/datasets/shore/bells"
GITHUB = "https://api.github.com/repos/shore/bells"
RAW = "https://raw.githubusercontent.com/shore/bells"
GITLAB = "https://gitlab.example.org/api/v4/projects/shore%2Fsub%2Fbells"


def test_the_page_of_a_dataset_leads_to_its_description_and_that_to_its_tree() -> None:
    assert asked_for("https://huggingface.co/datasets/shore/bells") == HF
    assert asked_for("https://huggingface.co/datasets/shore/bells/viewer/default/train") == HF
    assert asked_for("https://huggingface.co/datasets/shore/bells/tree/v1.0/eu/de") == f"{HF}/revision/v1.0"
    assert asked_for("https://huggingface.co/datasets/shore/bells/resolve/main/a.wav") is None
    assert asked_for("https://huggingface.co/shore/model") is None
    card = {
        "id": "shore/bells",
        "author": "shore",
        "cardData": {"license": "cc-by-4.0"},
        "createdAt": "2024-02-03T04:05:06Z",
    }
    (tree,) = in_json(HF, card)
    assert tree.url == f"{HF}/tree/main?recursive=true"
    (below,) = in_json(f"{HF}/revision/v1.0", card, collection={"under": "eu/de"})
    assert below.url == f"{HF}/tree/v1.0/eu/de?recursive=true"
    (file,) = in_json(tree.url, [{"type": "file", "path": "x.wav", "size": 9000}], collection=tree.collection)
    assert (file.artist, licences(file), str(file.published_at)) == (
        "shore",
        ["cc-by-4.0"],
        "2024-02-03 04:05:06+00:00",
    )


def test_a_licence_that_is_only_tagged_or_named_counts() -> None:
    (tagged,) = in_json(HF, {"id": "shore/bells", "tags": ["audio", "license:mit"]})
    (named,) = in_json(HF, {"id": "shore/bells", "cardData": {"license": ["other"], "license_name": "shore-1.0"}})
    assert [each.collection and each.collection["licence"] for each in (tagged, named)] == ["mit", "shore-1.0"]


def test_a_tree_of_a_dataset_gives_its_audio_by_pages() -> None:
    following = f"{HF}/tree/main?recursive=true&cursor=abc"
    entries = [
        {"type": "file", "path": "eu/ein ton.flac", "size": 123_456},
        {"type": "file", "path": "data/train-00000-of-00001.parquet", "size": 1},
        {"type": "file", "path": "README.md", "size": 1},
        {"type": "directory", "path": "eu"},
    ]
    found = in_json(f"{HF}/tree/main?recursive=true", entries, Link=f'<{following}>; rel="next"')
    assert taken(found) == ["https://huggingface.co/datasets/shore/bells/resolve/main/eu/ein%20ton.flac"]
    assert found[0].size_bytes == 123_456
    assert (next_pages(found), followed(found)) == ([following], [])


def test_a_tree_that_stops_at_folders_is_followed_into_them() -> None:
    found = in_json(f"{HF}/tree/main", [{"type": "directory", "path": "eu"}])
    assert followed(found) == [f"{HF}/tree/main/eu?recursive=true"]


def test_a_repository_is_listed_by_its_tree() -> None:
    assert asked_for("https://github.com/shore/bells") == GITHUB
    assert asked_for("https://github.com/shore/bells.git") == GITHUB
    assert asked_for("https://github.com/shore/bells/tree/v2/eu") == GITHUB
    for other in (
        "https://github.com/topics/audio",
        "https://github.com/shore",
        "https://github.com/shore/bells/issues",
    ):
        assert asked_for(other) is None
    about = {
        "full_name": "shore/bells",
        "default_branch": "trunk",
        "owner": {"login": "shore"},
        "license": {"spdx_id": "CC0-1.0"},
        "created_at": "2020-01-02T03:04:05Z",
    }
    (tree,) = in_json(GITHUB, about)
    assert tree.url == f"{GITHUB}/git/trees/trunk?recursive=1"
    blobs = [
        {"path": "eu/a.wav", "type": "blob", "size": 40_000},
        {"path": "lfs.wav", "type": "blob", "size": 132},
        {"path": "code.py", "type": "blob", "size": 4},
        {"path": "eu", "type": "tree", "sha": "1"},
    ]
    found = in_json(tree.url, {"sha": "0", "tree": blobs, "truncated": False}, collection=tree.collection)
    assert taken(found) == [
        f"{RAW}/trunk/eu/a.wav",
        "https://media.githubusercontent.com/media/shore/bells/trunk/lfs.wav",
    ]
    assert (found[0].artist, licences(found[0])) == ("shore", ["CC0-1.0"])
    below = in_json(tree.url, {"tree": blobs}, collection={"under": "eu", "revision": "trunk"})
    assert taken(below) == [f"{RAW}/trunk/eu/a.wav"]


def test_a_truncated_tree_is_read_folder_by_folder() -> None:
    url = f"{GITHUB}/git/trees/main?recursive=1"
    given = {"revision": "main"}
    cut = in_json(
        url, {"sha": "r00t", "tree": [{"path": "a.wav", "type": "blob"}], "truncated": True}, collection=given
    )
    assert (taken(cut), followed(cut)) == ([], [f"{GITHUB}/git/trees/r00t"])
    entries = [{"path": "a.wav", "type": "blob", "size": 9999}, {"path": "eu", "type": "tree", "sha": "f01d"}]
    whole = in_json(f"{GITHUB}/git/trees/r00t", {"tree": entries}, collection=given)
    assert (taken(whole), followed(whole)) == ([f"{RAW}/main/a.wav"], [f"{GITHUB}/git/trees/f01d?recursive=1"])
    inner = {"tree": [{"path": "de/b.wav", "type": "blob", "size": 9999}]}
    assert taken(in_json(followed(whole)[0], inner, collection=whole[1].collection)) == [f"{RAW}/main/eu/de/b.wav"]


def test_the_contents_of_a_folder_are_raw_files_and_folders() -> None:
    file = {
        "name": "a.wav",
        "type": "file",
        "size": 9,
        "url": f"{GITHUB}/contents/a.wav",
        "download_url": f"{RAW}/main/a.wav",
    }
    folder = {"name": "eu", "type": "dir", "url": f"{GITHUB}/contents/eu?ref=main", "download_url": None}
    found = in_json(f"{GITHUB}/contents/", [file, folder])
    assert (taken(found), followed(found)) == ([f"{RAW}/main/a.wav"], [f"{GITHUB}/contents/eu?ref=main"])


def test_pages_of_repositories_are_not_folders_of_files() -> None:
    state = '<script type="application/json">{"tree": {"items": [{"name": "a.wav", "path": "eu/a.wav"}]}}</script>'
    for url in (
        "https://github.com/shore/bells/tree/main/eu",
        "https://gitlab.example.org/shore/bells/-/tree/main/eu",
        "https://huggingface.co/datasets/shore/bells/tree/main/eu",
        "https://codeberg.org/shore/bells/src/branch/main/eu",
    ):
        assert taken(in_page(url, f"<p>x</p>{state}")) == [], url


def test_a_project_of_gitlab_is_listed_by_keyset_pages() -> None:
    project = f"{GITLAB}?license=true"
    assert asked_for("https://gitlab.example.org/shore/sub/bells") == project
    assert asked_for("https://gitlab.example.org/shore/sub/bells/-/tree/main/eu") == project
    assert asked_for("https://git.example.org/shore/sub/bells/-/tree/main/eu") == project.replace("gitlab.", "git.")
    assert asked_for("https://gitlab.example.org/shore/bells/-/issues") is None
    about = {
        "path_with_namespace": "shore/sub/bells",
        "default_branch": "main",
        "namespace": {"name": "Shore"},
        "license": {"key": "cc-by-4.0", "html_url": "https://creativecommons.org/licenses/by/4.0/"},
    }
    (tree,) = in_json(project, about, collection={"revision": "main", "under": "eu"})
    assert tree.url == f"{GITLAB}/repository/tree?ref=main&path=eu&recursive=true&pagination=keyset&per_page=100"
    following = f"{tree.url}&page_token=x"
    entries = [{"type": "blob", "path": "eu/a b.wav"}, {"type": "tree", "path": "eu/de"}]
    found = in_json(
        tree.url, entries, collection=tree.collection, Link=f'<{tree.url}>; rel="first", <{following}>; rel="next"'
    )
    assert taken(found) == [f"{GITLAB}/repository/files/eu%2Fa%20b.wav/raw?ref=main&lfs=true"]
    assert (found[0].artist, licences(found[0])) == ("Shore", ["https://creativecommons.org/licenses/by/4.0/"])
    assert (next_pages(found), followed(found)) == ([following], [])


def test_other_forges_with_the_api_of_github_serve_their_files_themselves() -> None:
    tree = {"sha": "0", "tree": [{"path": "eu/a.wav", "type": "blob", "size": 9999}]}
    enterprise = "https://git.example.org/api/v3/repos/shore/bells/git/trees/main?recursive=1"
    assert taken(in_json(enterprise, tree)) == ["https://git.example.org/shore/bells/raw/main/eu/a.wav"]
    place = "https://codeberg.org/api/v1/repos/shore/bells"
    assert taken(in_json(f"{place}/git/trees/main?recursive=1", tree)) == [f"{place}/raw/eu/a.wav?ref=main"]


def test_models_of_hugging_face_are_listed_like_datasets() -> None:
    found = in_json(
        "https://huggingface.co/api/models/shore/voice/tree/main", [{"type": "file", "path": "samples/a.wav"}]
    )
    assert taken(found) == ["https://huggingface.co/shore/voice/resolve/main/samples/a.wav"]


def test_the_assets_of_releases_are_files() -> None:
    url = f"{GITHUB}/releases?per_page=100"
    assert asked_for("https://github.com/shore/bells/releases") == url
    download = "https://github.com/shore/bells/releases/download/v1/a.wav"
    asset = {"name": "a.wav", "url": f"{GITHUB}/releases/assets/7", "content_type": "audio/wav", "size": 9000}
    release = {"author": {"login": "ann"}, "assets": [{**asset, "browser_download_url": download}]}
    found = in_json(url, [release], Link=f'<{url}&page=2>; rel="next"')
    assert (taken(found), found[0].artist, next_pages(found)) == ([download], "ann", [f"{url}&page=2"])
