"""The papers' experiments, every table and figure, as data; what runs them; and the tables that come of it."""
