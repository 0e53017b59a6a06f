"""The manifests of Kubernetes held against its schemas, and an installation on a cluster put to the test."""
