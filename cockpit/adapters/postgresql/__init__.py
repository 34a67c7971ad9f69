"""SQL as steps, through psycopg; read-only is sealed by the server itself."""
