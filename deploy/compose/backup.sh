#!/bin/sh
# Backs up what docker compose keeps, while it runs: sh deploy/compose/backup.sh FOLDER
#
# The stores, the keys and payroll's books. Not in here, and to be kept as well: deploy/compose/secrets (the master keys apart
# from this), and the folder of the last import of people, .trellis/targets/compose/people. Kafka needs no backup.
set -eu
umask 077
folder=${1:?usage: backup.sh FOLDER}
mkdir -p "$folder"

dump() {
    docker compose exec -T postgres pg_dump --username=postgres --format=custom "$1" > "$folder/$1.part"
    mv "$folder/$1.part" "$folder/$1.dump"
}

# Nobody reads meanwhile, so that no reader has read what a publisher that is backed up before it does not hold. Commands go on.
# A service's events come before its keys, so that there is a key for every text.
workers="goals-worker feedback-worker reviews-worker rewards-worker"
trap 'docker compose up --detach --no-deps --no-recreate $workers' EXIT
docker compose stop $workers
for service in goals feedback reviews rewards; do
    dump "$service"
    dump "${service}_keys"
done
docker compose exec -T payroll python -c '
import sqlite3, sys
with sqlite3.connect("/data/payroll.sqlite") as books, sqlite3.connect("/tmp/backup.sqlite") as copy:
    books.backup(copy)
sys.stdout.buffer.write(open("/tmp/backup.sqlite", "rb").read())' > "$folder/payroll.part"
mv "$folder/payroll.part" "$folder/payroll.sqlite"
ls -l "$folder"
