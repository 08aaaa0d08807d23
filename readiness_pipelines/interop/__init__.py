"""What we promise, in the forms that others read and write."""
