"""Settings out of files, as secrets are mounted: TRELLIS_<NAME>_FILE names one that holds TRELLIS_<NAME>."""

import os
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource


class WrongSettingFile(Exception):  # noqa: N818 - named for the fact
    """A file that a setting names cannot be read, or the setting is given twice; the message names the variable."""


class SettingFiles(PydanticBaseSettingsSource):
    """The settings whose `..._FILE` is in the environment; a last line break is no part of the value."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Part of the source's interface.

        Raises:
            WrongSettingFile: the file cannot be read, or there is a value besides.
        """
        del field
        variable = f"{self.config.get('env_prefix', '')}{field_name}".upper()
        named = os.environ.get(f"{variable}_FILE")
        return (_text(variable, Path(named)) if named else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def _text(variable: str, file: Path) -> str:
    if variable in os.environ:
        raise WrongSettingFile(f"{variable}_FILE: {variable} is set as well; give one of them")
    try:
        return file.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongSettingFile(f"{variable}_FILE: {file} cannot be read: {_reason(error)}") from error


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or "unknown" if isinstance(error, OSError) else "it is no text"
