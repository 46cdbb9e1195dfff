"""Kill, fill and race: nothing acknowledged may be lost."""

import pytest

pytest.register_assert_rewrite("tests.faults.ledger")
