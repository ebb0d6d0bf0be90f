"""A sweep as a table, live, in detail, as a plan, as files."""
