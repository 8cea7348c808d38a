"""Arguments that a tool does not have are refused: passed over, they would change nothing."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase
from pydantic import ConfigDict, ValidationError, create_model, model_validator

from orb_learning.errors import did_you_mean


class KnownArguments(ArgModelBase):
    """The arguments of a tool, and no others."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, given: Any) -> Any:
        known = list(cls.model_fields)
        for name in given if isinstance(given, dict) else ():
            if name not in known:
                nearest = did_you_mean(str(name), known)
                raise ValueError(
                    f"{name!r} is no argument{nearest}; the arguments are "
                    f"{', '.join(known) or 'none'}"
                )
        return given


def with_known_arguments(tool: Tool) -> Tool:
    """Return a tool that refuses arguments which it does not have, and names the nearest."""
    metadata = tool.fn_metadata
    of_tool = metadata.arg_model
    metadata.arg_model = create_model(of_tool.__name__, __base__=(KnownArguments, of_tool))
    tool.parameters = metadata.arg_model.model_json_schema(by_alias=True)
    return tool


def in_one_line(error: ValidationError) -> str:
    """Return what is wrong with the arguments: ``days_back: … (got 0)``, one after the other."""
    return "; ".join(
        f"{'.'.join(map(str, one['loc']))}: {one['msg']} (got {one['input']!r:.200})"
        if one["loc"]
        else one["msg"].removeprefix("Value error, ")
        for one in error.errors(include_url=False, include_context=False)
    )
