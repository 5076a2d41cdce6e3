"""One file per change of the tables. A revision that has shipped is never edited."""
