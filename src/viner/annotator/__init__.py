"""The annotation page: static JavaScript modules, without a build step."""
