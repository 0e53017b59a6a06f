#!/bin/sh
# Restores a backup into an empty installation, before any of its services has run: sh deploy/compose/restore.sh FOLDER
#
# Empty: docker compose down --volumes. The secrets must be those of the backup. Afterwards docker compose up --wait; the services
# publish everything again, and so does `trellis people import FILE --target compose` the people.
set -eu
folder=${1:?usage: restore.sh FOLDER}
docker compose up --detach --wait postgres

for service in goals feedback reviews rewards; do
    for database in "$service" "${service}_keys"; do
        tables=$(docker compose exec -T postgres psql --username=postgres --dbname="$database" --tuples-only --no-align \
            --command="select count(*) from pg_tables where schemaname = 'public'")
        if [ "$tables" != 0 ]; then
            echo "the database $database is not empty: it has $tables tables; nothing is overwritten" >&2
            exit 1
        fi
        docker compose exec -T postgres pg_restore --username=postgres --dbname="$database" --no-owner --role="$database" \
            --exit-on-error < "$folder/$database.dump"
        echo "restored $database"
    done
done
docker compose run --rm -T --no-deps --entrypoint sh payroll -c 'cat > /data/payroll.sqlite' < "$folder/payroll.sqlite"
echo "restored payroll"
