"""Plain records and enums. Slotted classes and enums only: `dataclasses` costs each daemon 9 ms to import."""
