#!/usr/bin/env bash
# Makes the secrets of docker-compose.yml once, each in a file of its own; overwrites nothing.
# Compose mounts such a file with the mode it has here, and the services are users of their own: so the folder keeps
# others out on this machine (0700), and the files can be read in the service that is given them. The two private keys
# are for root in the service and for the agency alone.
set -euo pipefail
umask 022
cd "$(dirname "$0")"
mkdir -p secrets
chmod 0700 secrets
word() { python3 -c 'import secrets; print(secrets.token_urlsafe(32), end="")'; }
once() { [ -e "secrets/$1" ] || { "${@:2}" > "secrets/$1"; }; }
once postgres_password word
once airflow_database printf 'postgresql+psycopg2://airflow:%s@postgres:5432/airflow' "$(cat secrets/postgres_password)"
once airflow_jwt word
once airflow_api_key word
once airflow_fernet python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode(), end="")'
once airflow_users printf '{"admin": "%s"}' "$(word)"
[ -e secrets/sftp_host_key ] || ssh-keygen -q -t ed25519 -N '' -f secrets/sftp_host_key
[ -e secrets/sftp_client_key ] || ssh-keygen -q -t ed25519 -N '' -f secrets/sftp_client_key
once sftp_authorized_keys cat secrets/sftp_client_key.pub
echo "secrets are in $(pwd)/secrets; the password of Airflow's user admin is in airflow_users"
