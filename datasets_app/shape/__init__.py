"""What a dataset is made of, by the names of its files and its card; pure."""
