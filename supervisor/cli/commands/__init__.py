"""One file a verb, imported when that verb is used; each has a click command named `command`."""
