"""What workers compute of a split, as clients then see it."""

from django.test import Client

from datasets_app.services import derived
from datasets_app.services.kinds import INDEX, STATISTICS
from hub.models import Job
from hub.services.working import work_off
from tests.cast import Cast
from tests.datasets_app.planting import numbered, plant

API = "/api/datasets-server"


def test_workers_make_splits_searchable_and_count_their_columns(cast: Cast) -> None:
    planted = plant(cast, [numbered(0, 120), numbered(120, 200)])
    derived.request(planted.snapshot)

    while work_off("heavy"):
        pass
    found = Client().get(f"{API}/search", {**planted.query, "query": "137"}).json()
    asked = {**planted.query, "query": 'row" OR id:*', "length": "5"}
    many = Client().get(f"{API}/search", asked)
    counts = Client().get(f"{API}/statistics", planted.query).json()
    personal = Client().get(f"{API}/presidio-entities", planted.query).json()

    ours = Job.objects.filter(kind__in=[STATISTICS, INDEX])
    assert set(ours.values_list("state", flat=True)) == {"succeeded"}
    assert [row["row_idx"] for row in found["rows"]] == [137]
    assert found["num_rows_total"] == 1
    assert many.json()["num_rows_total"] == 200
    assert [one["column_name"] for one in counts["statistics"]] == ["id", "kind", "text", "vector"]
    assert counts["num_examples"] == 200
    assert personal["num_scanned_rows"] == 200
