"""What a client writes of a resource, whole or in part."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

LEFT_OUT: Any = Field(default_factory=lambda: None)
"""The default of an optional field of a change; ``values`` has only the fields that were sent."""


class Body(BaseModel):
    """What a client writes of a resource, and nothing else."""

    model_config = ConfigDict(extra="forbid")

    def values(self) -> dict[str, Any]:
        """Return the values of all fields by their names."""
        return dict(self)


class Change(Body):
    """What a client changes in a resource."""

    def values(self) -> dict[str, Any]:
        """Return the values that were sent, including ``None``, ``0`` and ``""``."""
        return {name: getattr(self, name) for name in self.model_fields_set}
