"""Who intervenes: rules, and networks that learned from packs."""
