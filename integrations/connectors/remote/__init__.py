"""Remote (remote.com): people, lifecycle dates and webhooks of a global workforce.

https://developer.remote.com/docs
"""
