"""Pure functions from results and analysis to tables, live views and exports."""
