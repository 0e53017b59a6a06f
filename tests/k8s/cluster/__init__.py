"""An installation on a real cluster put to the test: `python -m tests.k8s.cluster --kubeconfig FILE --ingress URL`."""
