"""Make the pages of the documentation that are generated: from the schema, the spaces and the repository."""
