"""Google Cloud, by its REST APIs through httpx."""
