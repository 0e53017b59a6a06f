#!/bin/sh
# Run once by PostgreSQL's image, in an empty data folder: each service's two databases, each with a role of its own, as the
# connection URLs in the secrets say.
set -eu
for file in /run/secrets/*_database_url; do
    address=$(sed 's|^postgresql+asyncpg://||' "$file")
    role=${address%%:*} database=${address##*/} password=${address#*:}
    password=${password%%@*}
    psql --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname=postgres \
        --set=role="$role" --set=database="$database" --set=password="$password" << 'SQL'
create role :"role" login password :'password';
create database :"database" owner :"role";
revoke all on database :"database" from public;
SQL
done
