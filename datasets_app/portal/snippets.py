"""Lines that read a split from this hub, for the programs that people use."""

from hub.cards.snippets import Snippet


def stream_snippets(endpoint: str, dataset: str, config: str, split: str) -> list[Snippet]:
    """The same rows in five ways."""
    arrow = f"{endpoint}/api/datasets/{dataset}/arrow/{config}/{split}"
    file = (
        f"{endpoint}/datasets/{dataset}/resolve/refs%2Fconvert%2Fparquet/{config}/{split}"
        "/0000.parquet"
    )
    return [
        Snippet(
            "datasets",
            "python",
            f"# export HF_ENDPOINT={endpoint}\nfrom datasets import load_dataset\n\n"
            f'rows = load_dataset("{dataset}", "{config}", split="{split}", streaming=True)',
        ),
        Snippet(
            "torch",
            "python",
            "from weighhouse_stream import Rows, RowsDataset  # client/weighhouse_stream.py\n\n"
            f'rows = RowsDataset(Rows("{endpoint}", "{dataset}", "{config}", "{split}", seed=1))',
        ),
        Snippet(
            "Arrow",
            "python",
            "import pyarrow as pa\nfrom urllib.request import urlopen\n\n"
            f'with pa.ipc.open_stream(urlopen("{arrow}")) as stream:\n'
            "    for batch in stream:\n        print(batch.num_rows)",
        ),
        Snippet("pandas", "python", f'import pandas as pd\n\nrows = pd.read_parquet("{file}")'),
        Snippet("polars", "python", f'import polars as pl\n\nrows = pl.scan_parquet("{file}")'),
        Snippet("DuckDB", "sql", f"SELECT * FROM read_parquet('{file}') LIMIT 10;"),
    ]
