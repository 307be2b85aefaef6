"""The operators' console: HTTP API, live stream, and the pages built from `ui/`."""
