"""Support tickets: their drafts, the desks that take them, and the outbox that keeps them."""
