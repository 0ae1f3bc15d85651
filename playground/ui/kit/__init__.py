"""What every page is made of: its spec, its state in the session, widgets bound to fields, long work looked in on."""
