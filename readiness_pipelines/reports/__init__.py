"""What happened in a domain, for people: charts, and one page that holds them."""
