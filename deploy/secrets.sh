#!/bin/sh
# Makes the secrets of an installation, one a file, for docker compose and for the development overlay of Kubernetes:
#
#   sh deploy/secrets.sh FOLDER [HOST]        HOST: where PostgreSQL is (postgres)
#
# What is there already stays. Keep the *_master_key files apart from the backups of the databases: they open every text.
set -eu
umask 077
folder=${1:?usage: secrets.sh FOLDER [HOST]}
host=${2:-postgres}
mkdir -p "$folder"

keep() { # NAME: what comes in becomes that file, unless it is there. The folder is closed; in a container another user reads it
    if [ -e "$folder/$1" ]; then cat > /dev/null && return; fi
    cat > "$folder/$1.draft"
    chmod 444 "$folder/$1.draft"
    mv "$folder/$1.draft" "$folder/$1"
    echo "made $folder/$1"
}

password() { openssl rand -hex 24; }

password | keep postgres_password
password | keep grafana_password
for service in goals feedback reviews rewards; do
    for database in "$service" "${service}_keys"; do
        printf 'postgresql+asyncpg://%s:%s@%s/%s\n' "$database" "$(password)" "$host" "$database" | keep "${database}_database_url"
    done
    openssl rand -base64 32 | keep "${service}_master_key"
done
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 2> /dev/null | keep issuer_key
