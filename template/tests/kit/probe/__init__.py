"""A feature that the platform is tested with, whatever features the service has."""
