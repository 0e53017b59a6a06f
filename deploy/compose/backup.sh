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

# Who reads before who is read, so that no reader has read what the restored publisher does not hold; and a service's events
# before its keys, so that there is a key for every text.
for service in rewards reviews feedback goals; do
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
