"""The Plan pages without a browser: what can be set, the rows that answer it, reports, and this machine measured."""
