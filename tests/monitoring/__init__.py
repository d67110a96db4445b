"""What Prometheus and Grafana get: the dashboard is written from here, and the alerts are tried with promtool."""
