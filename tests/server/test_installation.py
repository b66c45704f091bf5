"""Which workspaces a server takes up, and what it refuses before it begins."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import Misconfigured
from graphs.cli import main
from graphs.own_settings import AT_THE_DOORS, BEHIND_THE_DOORS
from graphs.settings import Settings, load_settings
from server.installation import Installation, load_installation
from server.settings import ServerSettings, load_server_settings

Load = Callable[..., Installation]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load what is in the folder `spaces`: `load(options of the doors, **environment)`."""
    for name in [name for name in os.environ if name.startswith("HELPGRAPH_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def loaded(*, host: str = "127.0.0.1", **env: str) -> Installation:
        for name, value in env.items():
            monkeypatch.setenv(f"HELPGRAPH_{name}", value)
        return load_installation({"workspace": tmp_path / "spaces", "data_dir": tmp_path / "data"}, {"host": host})

    return loaded


def space(folder: Path, name: str, *own: str, yaml: str = "") -> Path:
    """Make a workspace in `folder/spaces`, with settings of its own."""
    made = folder / "spaces" / name
    made.mkdir(parents=True)
    (made / "workspace.yaml").write_text(yaml or f"name: The {name}\nworkspace_id: {name}\n")
    if own:
        (made / "settings.env").write_text("".join(f"HELPGRAPH_{line}\n" for line in own))
    return made


def test_every_folder_is_a_workspace(load: Load, tmp_path: Path) -> None:
    for name in ("b", "a"):
        space(tmp_path, f"{name}-team")
    (tmp_path / "spaces" / ".git").mkdir()
    (tmp_path / "spaces" / "README.md").write_text("Ours")
    found = load()

    assert found.several
    assert [(place.workspace_id, place.path) for place in found.places] == [
        ("a-team", "/w/a-team"),
        ("b-team", "/w/b-team"),
    ]


def test_one_alone_in_such_a_folder_has_its_path_already(load: Load, tmp_path: Path) -> None:
    space(tmp_path, "first")

    assert [place.path for place in load().places] == ["/w/first"]


def test_a_workspace_named_itself_is_at_the_root(tmp_path: Path, load: Load) -> None:
    (place,) = load_installation({"workspace": space(tmp_path, "alone")}, {}).places

    assert (place.workspace_id, place.path) == ("alone", "")


def test_what_is_a_workspaces_own_wins_over_the_environment(load: Load, tmp_path: Path) -> None:
    space(tmp_path, "one", "RETENTION_DAYS=30", "ALLOWED_ORIGINS=https://one.example", "MODEL=")
    space(tmp_path, "two", "IDENTITY_SECRET='a $HOME # of two'")
    one, two = load(RETENTION_DAYS="90", MODEL="big", MODEL_KEY="k", SESSION_HOURS="2").places

    assert (one.settings.retention_days, two.settings.retention_days) == (30, 90)
    assert one.server_settings.allowed_origins == ["https://one.example"]
    assert two.server_settings.allowed_origins == []
    # A name without a value is the default.
    assert (one.settings.model, two.settings.model) == (None, "big")
    assert one.server_settings.session_hours == two.server_settings.session_hours == 2
    secret = two.server_settings.identity_secret
    assert secret is not None
    assert secret.get_secret_value() == "a $HOME # of two"
    assert one.server_settings.identity_secret is None


def test_a_key_goes_to_no_endpoint_but_its_own(load: Load, tmp_path: Path) -> None:
    space(tmp_path, "own", "MODEL_URL=https://own.example/v1")
    space(tmp_path, "both", "MODEL_URL=https://own.example/v1", "MODEL_KEY=its own")
    both, own = load(MODEL="big", MODEL_KEY="the operator's", MODEL_URL="https://big.example/v1").places

    assert own.settings.model_key is None
    assert both.settings.model_key is not None
    assert both.settings.model_key.get_secret_value() == "its own"


def test_a_workspace_has_secrets_that_no_other_has(load: Load, tmp_path: Path) -> None:
    for name in ("one", "two"):
        space(tmp_path, name)
    one, two = load(COOKIE_SECRET="one for all machines of this installation").places

    assert one.secrets.admin != two.secrets.admin


@pytest.mark.parametrize(
    ("one", "two", "env"),
    [
        (["IDENTITY_SECRET=a-secret-of-both"], ["IDENTITY_SECRET=a-secret-of-both"], {}),
        (["IDENTITY_SECRET=a-secret-of-both"], ["IDENTITY_HASH_SECRET=a-secret-of-both"], {}),
        (["API_KEYS=k1,k2"], ["API_KEYS=k3,k2"], {}),
        (["INBOX_PASSWORD=a-word-of-both"], ["INBOX_PASSWORD=a-word-of-both"], {}),
        (["IDENTITY_SECRET=a-secret-of-both"], [], {"COOKIE_SECRET": "a-secret-of-both"}),
        (
            ["API_KEYS=a-secret-of-both-that-is-long-enough"],
            ["WEBHOOK_SECRET=a-secret-of-both-that-is-long-enough"],
            {},
        ),
        ([], [], {"INBOX_PASSWORD": "a-secret-of-both"}),
        ([], [], {"IDENTITY_SECRET": "a-secret-of-both"}),
    ],
)
def test_a_secret_that_would_open_two_is_refused(
    load: Load, tmp_path: Path, one: list[str], two: list[str], env: dict[str, str]
) -> None:
    folders = [space(tmp_path, name, *own) for name, own in (("one", one), ("two", two))]
    with pytest.raises(Misconfigured, match="would open both") as refused:
        load(**env)

    said = str(refused.value)
    assert all(str(folder) in said for folder in folders)
    assert not any(secret in said for secret in ("a-secret-of-both", "a-word-of-both", "k2"))


def test_a_secret_of_the_environment_is_taken_by_the_one_that_has_none(load: Load, tmp_path: Path) -> None:
    space(tmp_path, "one", "INBOX_PASSWORD=a password of one")
    space(tmp_path, "two")
    one, two = load(INBOX_PASSWORD="a password of the rest").places

    assert one.server_settings.inbox_password != two.server_settings.inbox_password


def test_all_that_is_broken_is_said_at_once(load: Load, tmp_path: Path) -> None:
    space(tmp_path, "good")
    space(tmp_path, "lacking", yaml="name: Lacks an id\n")
    (space(tmp_path, "pages") / "pages.yaml").write_text("routes: [")
    (space(tmp_path, "accounts") / "accounts.json").write_text("{")
    space(tmp_path, "wrong", "RETENTION_DAYS=never")
    space(tmp_path, "process", "DATABASE_URL=postgresql://elsewhere/x")
    space(tmp_path, "misspelt", "INBOX_PASWORD=x")
    with pytest.raises(Misconfigured) as refused:
        load()

    said = str(refused.value).splitlines()
    spaces = tmp_path / "spaces"
    assert len(said) == 6
    for line, part in zip(
        said,
        (
            f"{spaces}/accounts/accounts.json",
            f"{spaces}/lacking/workspace.yaml: workspace_id",
            f"{spaces}/misspelt/settings.env: HELPGRAPH_INBOX_PASWORD",
            f"{spaces}/pages/pages.yaml",
            f"{spaces}/process/settings.env: HELPGRAPH_DATABASE_URL",
            f"{spaces}/wrong/settings.env: HELPGRAPH_RETENTION_DAYS",
        ),
        strict=True,
    ):
        assert part in line


def test_a_password_is_asked_for_of_each(load: Load, tmp_path: Path) -> None:
    space(tmp_path, "has", "INBOX_PASSWORD=a password that is long enough")
    lacks = space(tmp_path, "lacks")
    short = space(tmp_path, "short", "INBOX_PASSWORD=short")
    with pytest.raises(Misconfigured) as refused:
        load(host="0.0.0.0")

    said = str(refused.value).splitlines()
    assert [line.split(": ")[0] for line in said] == [str(lacks), str(short / "settings.env")]


def test_two_of_one_id_are_refused(load: Load, tmp_path: Path) -> None:
    folders = [space(tmp_path, name, yaml="name: Same\nworkspace_id: same\n") for name in ("one", "two")]
    with pytest.raises(Misconfigured, match="the same workspace_id: same") as refused:
        load()

    assert all(str(folder) in str(refused.value) for folder in folders)


def test_a_folder_without_the_file_is_not_left_out(load: Load, tmp_path: Path) -> None:
    space(tmp_path, "good")
    lacking = space(tmp_path, "misnamed")
    (lacking / "workspace.yaml").rename(lacking / "workspace.yml")

    with pytest.raises(Misconfigured, match=r"misnamed has no workspace\.yaml"):
        load()


def test_settings_that_are_nobodys_are_refused(load: Load, tmp_path: Path) -> None:
    space(tmp_path, "good")
    (tmp_path / "spaces" / "settings.env").write_text("HELPGRAPH_RETENTION_DAYS=3\n")

    with pytest.raises(Misconfigured, match=r"settings\.env: it belongs into the folder of a workspace"):
        load()


def test_a_single_workspace_has_settings_of_its_own_too(load: Load, tmp_path: Path) -> None:
    folder = space(tmp_path, "alone", "WEBHOOK_SECRET=a secret of which those of webhooks are made", "SESSION_HOURS=3")

    assert load_settings(workspace=folder).webhook_secret is not None
    assert load_server_settings(folder).session_hours == 3
    # What is said on the command line wins.
    assert load_server_settings(folder, session_hours=4).session_hours == 4


def test_the_command_says_which_is_broken_and_ends_with_2(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    space(tmp_path, "good")
    space(tmp_path, "broken", yaml="name: [\n")
    given = ["serve", "--port", "0", "--data-dir", str(tmp_path / "data"), "--workspace", str(tmp_path / "spaces")]
    monkeypatch.setattr(sys, "argv", ["helpgraph", *given])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err

    assert ended.value.code == 2
    assert f"{tmp_path}/spaces/broken/workspace.yaml: not valid YAML" in said
    assert "Traceback" not in said
    assert not (tmp_path / "data").exists()


def test_what_may_be_a_workspaces_own_are_settings() -> None:
    assert Settings.model_fields.keys() >= BEHIND_THE_DOORS
    assert ServerSettings.model_fields.keys() >= AT_THE_DOORS
    # Whatever opens a door is a workspace's own.
    secret = {name for name, field in ServerSettings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert secret <= AT_THE_DOORS
