"""Contract suites and planted worlds, for tests and plug-in writers."""
