"""The fault bundle: one file that proves the fault and shows nothing that it should not."""
