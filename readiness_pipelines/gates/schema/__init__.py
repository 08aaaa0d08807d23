"""Reading a Pandera schema: its columns, its checks, and the tests a gate makes of them."""
