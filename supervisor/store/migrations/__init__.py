"""How the tables came about: one module a version, each with `STATEMENTS`. What is released is never changed."""
