"""System checks of the whole installation (ids ``siit.E…`` and ``siit.W…``)."""
