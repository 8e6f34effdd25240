"""How an engine finds out whether a service is ready, and whether it is still well."""
