"""What happened: slots, runs, steps and schedules in SQLite, written by one thread, read by anybody.

Nothing depends on it to run: without it there is no history, and sbctl goes on.
"""
