"""What is done to a project: made, changed, compared with the registries, checked. Internal."""
