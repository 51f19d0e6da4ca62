"""Real data turned into deliveries."""
