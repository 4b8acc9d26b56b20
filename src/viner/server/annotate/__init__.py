"""The annotate API under ``/annotate/api``, and the page that uses it."""
