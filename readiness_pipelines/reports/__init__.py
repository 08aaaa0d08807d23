"""What happened on a path, for people: charts, and one page that holds them."""
