"""Tables in BigQuery: jobs, schemas, tables, the MERGE statements, and the flush of an outbox into them."""
