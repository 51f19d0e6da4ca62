#!/bin/sh
# Airflow opens the file of its users for writing, and a secret cannot be written: it gets a copy that only it can read.
set -eu
umask 077
cp /run/secrets/airflow_users "$AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"
exec airflow api-server --port 8080
