"""The protocol's own library, which an extra brings."""

from __future__ import annotations

from search.errors import SettingsError

try:
    from mcp.server import MCPServer
    from mcp.server.mcpserver import Image
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.server.transport_security import TransportSecuritySettings
    from mcp.types import CallToolResult, TextContent, ToolAnnotations
except ImportError as error:
    raise SettingsError(
        "the library of the Model Context Protocol is not installed", remedy="pip install 'deixis[mcp]'"
    ) from error

__all__ = [
    "CallToolResult",
    "Image",
    "MCPServer",
    "TextContent",
    "ToolAnnotations",
    "ToolError",
    "TransportSecuritySettings",
]
