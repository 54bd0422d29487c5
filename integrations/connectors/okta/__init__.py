"""Okta by its own management API: accounts, groups, applications, sessions, people."""
