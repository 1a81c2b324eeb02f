"""The leader's page, the figures on it, the lists behind them, and the months that are frozen."""
