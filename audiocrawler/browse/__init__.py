"""Pages over the database, served on this machine by Datasette: tables, views, facets, waveforms and a player."""
