"""The scorecard: how ready the data is, by what declarations and ledger prove, and by nothing that somebody says."""
