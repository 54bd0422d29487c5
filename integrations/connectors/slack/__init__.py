"""Slack: messages and questions over the Web API, members over its SCIM API."""
