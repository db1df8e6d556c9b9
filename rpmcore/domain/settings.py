"""What every section of the configuration has in common."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rpmcore.domain.errors import ConfigurationError


class Section(BaseModel):
    """A frozen section of the configuration: unknown keys, numbers in quotes and numbers not finite are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


AnySection = TypeVar("AnySection", bound=Section)


def setting(default: Any, description: str, *, unit: str, **bounds: Any) -> Any:
    """Declare a setting: its default, what it does, its unit, and its bounds in pydantic's words."""
    return Field(default, description=description, json_schema_extra={"unit": unit}, **bounds)


def changed(settings: AnySection, changes: dict[str, Any]) -> AnySection:
    """Return `settings` with single values changed by name.

    Raises
    ------
    ConfigurationError
        If a name is unknown or a value is out of its range.
    """
    if not changes:
        return settings
    try:
        return type(settings).model_validate({**settings.model_dump(), **changes})
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigurationError(f"{'.'.join(str(p) for p in first['loc'])}: {first['msg']}") from error
