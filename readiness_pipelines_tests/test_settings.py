"""Settings come from variables or one file; a wrong one is refused with the nearest right one."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from readiness_pipelines.batches import Versions
from readiness_pipelines.errors import DeclarationError, ReadinessError, UnknownNameError
from readiness_pipelines.installation import Installation
from readiness_pipelines.limits import Limits
from readiness_pipelines.settings import Settings


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "readiness.toml") -> None:
    Path(name).write_text(text)


def test_the_defaults_are_a_laptops(tmp_path: Path) -> None:
    settings = Settings()
    assert settings.warehouse == str(tmp_path / "data" / "warehouse")
    assert settings.ledger_url == settings.catalog_url == f"sqlite:///{settings.warehouse}/readiness.db"
    assert settings.engine == "duckdb"


def test_the_file_gives_settings_and_a_variable_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    write('[settings]\nlanding = "inbox"\nengine_memory_mb = 256\n[alerts]\n')
    monkeypatch.setenv("READINESS_ENGINE_MEMORY_MB", "512")
    settings = Settings()
    assert Path(settings.landing).name == "inbox"
    assert settings.engine_memory_mb == 512


def test_another_file_is_named_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    write('[settings]\nengine = "spark"\n', name="other.toml")
    monkeypatch.setenv("READINESS_CONFIG", "other.toml")
    assert Settings().engine == "spark"


def test_a_wrong_variable_is_refused_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READINESS_WAREHUOSE", "x")
    with pytest.raises(UnknownNameError, match=r"READINESS_WAREHUOSE.*\n.*did you mean 'READINESS_WAREHOUSE'"):
        Settings()


def test_a_wrong_line_is_refused_with_the_nearest() -> None:
    write('[settings]\ncatalog = "x"\n')
    with pytest.raises(UnknownNameError, match=r"readiness\.toml 'catalog'"):
        Settings()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('domains = ["shop:shop"]\n', r"domains in readiness\.toml is outside .*\n.*below a line \[settings\]"),
        ("alerts = 3\n", r"alerts in readiness\.toml is outside .*\n.*write \[alerts\]"),
        ("[setings]\n", r"table in readiness\.toml 'setings'"),
        ("[settings.connections]\n", ""),
        ("[alerts]\n", ""),
    ],
)
def test_what_stands_outside_of_its_table_is_refused_and_not_ignored(written: str, said: str) -> None:
    write(written)
    if not said:
        Settings()
        return
    with pytest.raises(ReadinessError) as refused:
        Settings()
    assert re.search(said, str(refused.value))


def test_a_file_that_is_no_toml_is_named() -> None:
    write("[settings\n")
    with pytest.raises(DeclarationError, match=r"readiness\.toml is not TOML"):
        Settings()


def test_a_value_that_does_not_fit_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READINESS_ENGINE", "postgresql://me:hidden@db")
    with pytest.raises(DeclarationError, match="engine") as refused:
        Settings()
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("minutes", ["0", "-1", "inf", "nan", "1e9"])
def test_a_wait_for_a_lock_has_a_limit(monkeypatch: pytest.MonkeyPatch, minutes: str) -> None:
    assert Settings().lock_wait_minutes == 60
    monkeypatch.setenv("READINESS_LOCK_WAIT_MINUTES", minutes)
    with pytest.raises(DeclarationError, match="lock_wait_minutes"):
        Settings()


def test_files_settle_and_have_limits_unless_the_settings_say_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("READINESS_SETTLES")
    assert (Settings().settles, Settings().limits) == (timedelta(seconds=5), Limits())
    for name, value in {"SETTLES": "1m", "MOST_COLUMNS": "7", "MOST_RECORD_MB": "0.5", "MOST_NESTING": "9"}.items():
        monkeypatch.setenv(f"READINESS_{name}", value)
    installation = Installation.open(Settings())
    assert installation.settles == timedelta(minutes=1)
    limits = installation.places(Versions()).limits
    assert limits == Limits(most_columns=7, most_record_mb=0.5, most_nesting=9)
    for wrong in ("5", "-1s", "2d"):
        monkeypatch.setenv("READINESS_SETTLES", wrong)
        with pytest.raises(DeclarationError, match="settles"):
            Settings()


def test_a_bucket_needs_a_catalog_and_a_rest_catalog_a_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READINESS_WAREHOUSE", "s3://company/warehouse")
    with pytest.raises(DeclarationError, match="READINESS_CATALOG_URL"):
        Settings()
    monkeypatch.setenv("READINESS_CATALOG_URL", "https://catalog.example")
    with pytest.raises(DeclarationError, match="READINESS_LEDGER_URL"):
        Settings()
    monkeypatch.setenv("READINESS_LEDGER_URL", "postgresql://db/ledger")
    settings = Settings()
    assert settings.warehouse == "s3://company/warehouse"
    assert settings.ledger_url == "postgresql+psycopg2://db/ledger"


def test_no_password_is_shown() -> None:
    settings = Settings(catalog_url="postgresql://me:hidden@db/catalog")
    assert "hidden" not in repr(settings) + str(settings)


def test_connections_are_named_and_come_from_the_file_or_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    write('[settings.connections]\nshop = "postgresql://me:hidden@db/shop"\nrates = "env:RATES_URL"\n')
    settings = Settings()
    assert settings.connection("shop") == "postgresql://me:hidden@db/shop"
    assert "hidden" not in repr(settings)
    with pytest.raises(UnknownNameError, match="did you mean 'shop'"):
        settings.connection("shops")
    with pytest.raises(DeclarationError, match="RATES_URL, which is not set"):
        settings.connection("rates")
    monkeypatch.setenv("RATES_URL", "sqlite:///rates.db")
    assert settings.connection("rates") == "sqlite:///rates.db"
    monkeypatch.setenv("READINESS_CONNECTIONS", '{"other": "duckdb:///x.db"}')
    assert Settings().connection("other") == "duckdb:///x.db"
