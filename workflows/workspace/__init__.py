"""The workspace document: everything an admin sets besides workflows, in and out."""
