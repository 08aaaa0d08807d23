"""The catalog: what data there is, what it means, who answers for it, how good it was, and how to read it."""
