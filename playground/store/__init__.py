"""What outlives a process, in a database: SQLite by default, PostgreSQL by URL. Rows go in and out as frozen records.

What a record's JSON and bytes mean is the business of who writes it; nothing here imports a model, ``testtime`` or a page.
"""
