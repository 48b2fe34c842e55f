"""Tax invoices and notes: numbered without a gap, chained, signed, readable by machines."""
