from support.stores import store, store_url  # noqa: F401
