"""Version 1: schedules, slots, runs, steps.

Times are integer milliseconds since 1970 UTC, but `nominal` and `nominal_to`, which are seconds.
"""

from __future__ import annotations

STATEMENTS = (
    """
    CREATE TABLE schedules (
        id TEXT PRIMARY KEY,
        cursor INTEGER,
        revision TEXT,
        cycle INTEGER,
        total INTEGER NOT NULL DEFAULT 0,
        succeeded INTEGER NOT NULL DEFAULT 0,
        failed INTEGER NOT NULL DEFAULT 0,
        streak INTEGER NOT NULL DEFAULT 0,
        last_run TEXT,
        last_result TEXT,
        last_at INTEGER,
        last_ms INTEGER,
        breaker TEXT CHECK (breaker IN ('closed', 'open', 'half_open')),
        breaker_until INTEGER,
        breaker_opens INTEGER,
        accepted TEXT,
        recent TEXT
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE slots (
        schedule TEXT NOT NULL,
        nominal INTEGER NOT NULL,
        revision TEXT,
        due INTEGER,
        outcome TEXT NOT NULL CHECK (outcome IN ('claimed', 'run', 'skipped')),
        reason TEXT,
        until INTEGER,
        run TEXT,
        decided INTEGER NOT NULL,
        nominal_to INTEGER NOT NULL CHECK (nominal_to >= nominal),
        count INTEGER,
        note TEXT,
        PRIMARY KEY (schedule, nominal)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX slots_of_run ON slots (run) WHERE run IS NOT NULL",
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY NOT NULL,
        schedule TEXT,
        plugin TEXT,
        trigger TEXT,
        nominal INTEGER,
        due INTEGER,
        claimed INTEGER NOT NULL,
        started INTEGER,
        ended INTEGER,
        state TEXT NOT NULL DEFAULT 'claimed',
        cause TEXT,
        exit_code INTEGER,
        signal TEXT,
        late_ms INTEGER,
        attempt INTEGER,
        retry_of TEXT,
        forced TEXT,
        by TEXT,
        tenant TEXT,
        steps TEXT,
        args TEXT,
        correlation TEXT,
        log TEXT,
        metrics TEXT,
        words TEXT,
        cpu_ms INTEGER,
        memory INTEGER,
        boot TEXT,
        unledgered INTEGER
    ) STRICT
    """,
    "CREATE INDEX runs_of_schedule ON runs (schedule, claimed)",
    "CREATE INDEX runs_of_plugin ON runs (plugin, claimed)",
    "CREATE INDEX runs_in_state ON runs (state, claimed)",
    "CREATE INDEX runs_by_time ON runs (claimed)",
    "CREATE INDEX runs_of_tenant ON runs (tenant, claimed) WHERE tenant IS NOT NULL",
    """
    CREATE TABLE steps (
        run TEXT NOT NULL,
        number INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        name TEXT,
        started INTEGER,
        ended INTEGER,
        state TEXT,
        exit_code INTEGER,
        signal TEXT,
        cause TEXT,
        cpu_ms INTEGER,
        memory INTEGER,
        words TEXT,
        PRIMARY KEY (run, number, attempt)
    ) STRICT, WITHOUT ROWID
    """,
)
