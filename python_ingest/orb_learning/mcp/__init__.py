"""What agents see: tools over MCP that read the database's reports, and the same for Python."""
