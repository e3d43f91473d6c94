"""Private names of libraries, a module a library, so that an upgrade breaks one place."""
