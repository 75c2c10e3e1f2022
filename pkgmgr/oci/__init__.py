"""The OCI image layout and registries that speak the OCI distribution protocol. Internal."""
