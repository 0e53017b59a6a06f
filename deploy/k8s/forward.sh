#!/bin/sh
# Forwards the development overlay to this machine until it is stopped: services at 8001 to 8004, Kafka at 19092.
set -eu
trap 'kill 0' INT TERM EXIT
port=8001
for service in goals feedback reviews rewards; do
    kubectl --namespace trellis-development port-forward "service/$service-api" "$port:80" &
    port=$((port + 1))
done
kubectl --namespace trellis-development port-forward service/kafka 19092:19092 &
wait
