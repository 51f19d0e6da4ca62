"""The UCI "default of credit card clients" data as deliveries of transactions and consents."""
