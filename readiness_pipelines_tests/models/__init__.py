"""Models: trained, compared, served."""
