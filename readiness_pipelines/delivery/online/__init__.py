"""Latest values of feature views by key: kept with each delivery, looked up, and held against what is published."""
