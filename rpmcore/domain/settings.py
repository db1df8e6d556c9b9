"""What every section of the configuration has in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A frozen section of the configuration: unknown keys, numbers in quotes and numbers not finite are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


def setting(default: Any, description: str, *, unit: str, **bounds: Any) -> Any:
    """Declare a setting: its default, what it does, its unit, and its bounds in pydantic's words."""
    return Field(default, description=description, json_schema_extra={"unit": unit}, **bounds)
