"""One model for many sessions: worker, tickets, pool. Knows no model, page or browser."""
