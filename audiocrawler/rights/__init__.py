"""What servers and documents say of the rights in their audio in; the same in a form for rows and decisions out."""
