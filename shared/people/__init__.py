"""The people feed in a service's own database: who reports to whom, and where and how long they are employed."""
