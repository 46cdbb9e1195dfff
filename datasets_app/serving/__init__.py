"""How rows are found, cut, filtered, counted and sent: pure, without Django."""
