"""What is sent as a JSON body: a model that refuses what it does not know, and says what it does."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Asked(BaseModel):
    """A body that is sent: what it does not know is refused, and what it knows is said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, value: Any) -> Any:
        unknown = (
            sorted(str(name) for name in value.keys() - cls.model_fields.keys()) if isinstance(value, dict) else []
        )
        if unknown:
            raise ValueError(
                f"there is no field {unknown[0][:80]!r} here; known: {', '.join(sorted(cls.model_fields))}"
            )
        return value
