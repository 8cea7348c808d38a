"""The MCP server for agents: tools that read the database's reports, and take feedback."""
