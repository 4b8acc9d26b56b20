"""Tests that share something costly, or must not meet, are a group: one process runs them all."""

from __future__ import annotations

import os

import pytest


@pytest.mark.xdist_group("house")
def test_groups_reach_what_deals_the_tests_out(request):
    # pytest-xdist reads the group off the end of the id. With a pytest that keeps it from there, groups are torn in silence.
    if "PYTEST_XDIST_WORKER" not in os.environ or not request.config.option.loadgroup:
        pytest.skip("tests are not dealt out by groups: make test does (-n 2 --dist loadgroup)")
    assert request.node.nodeid.endswith("@house")
