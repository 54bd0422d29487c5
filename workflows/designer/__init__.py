"""The designer: edits a draft document by small verbs, and shows it as cards.

`steps` and `rules` change plain data and know nothing else. `cards` reads what a browser sent into
them, `outline` builds what the page shows, `verbs` names every verb. Drafts are kept by
:mod:`workflows.drafts`; the pages are :mod:`workflows.views.designer`.
"""
