"""SCIM 2.0: accounts and groups of an identity provider."""
