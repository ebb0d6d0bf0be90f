"""How cells are verified and timed, and what machine they run on."""
